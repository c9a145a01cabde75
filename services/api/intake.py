"""Takes reports in groups: all that wait share one transaction, so that a commit and its statements serve many.

A statement handles a batch as readily as one row. Nobody waits for a group to fill: whatever waits when the writer is
free goes along. The writer is a task of the event loop with a connection of its own: as a thread it cost a report some
60 µs more, and at each wait for the database it queued for the interpreter behind the requests. Tried and measured in
docs/decisions/0020-reports-in-groups.md.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from shared import bus
from shared.errors import Refusal, Unavailable
from shared.flows import receive_report
from shared.flows.receive_report import Draft, Received
from shared.logs import correlation, logger
from shared.store.engine import LOST, Acting, LoopLine

log = logger(__name__)

WRITERS = 1
"""Tasks that write, each with a connection."""
MOST = 100
"""Reports in one transaction."""
ROOM = 5_000
"""Reports that may wait; beyond it the answer is to come again."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """One report on its way, under whose name it is written, and who waits for it."""

    draft: Draft
    actor: str
    correlation: str
    answer: "asyncio.Future[Received]"


Outcome = Received | Exception


class Intake:
    """Writers behind one queue, on one event loop. Started with the API, stopped with it."""

    def __init__(self) -> None:
        self._waiting: deque[_Waiting] = deque()
        self._came = asyncio.Event()
        self._ended = False
        self._writers: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._writers = [asyncio.create_task(self._write(LoopLine())) for _ in range(WRITERS)]

    async def stop(self) -> None:
        """Write what waits, then end."""
        self._ended = True
        self._came.set()
        await asyncio.gather(*self._writers)

    async def take(self, draft: Draft, actor: str) -> Received:
        """Hand a report over and wait for its answer.

        Raises:
            Refusal: it is not taken, and why.
            Unavailable: too many wait already.
        """
        if len(self._waiting) >= ROOM:
            raise Unavailable("More reports wait than can be taken now. Send it again in a moment.")
        waiting = _Waiting(draft, actor, correlation(), asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._came.set()
        return await waiting.answer

    async def _write(self, line: LoopLine) -> None:
        try:
            while await self._comes():
                group = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
                for actor in {one.actor for one in group}:
                    mine = [one for one in group if one.actor == actor]
                    _tell(mine, await _outcomes(line, actor, mine))
        finally:
            await line.close()

    async def _comes(self) -> bool:
        """Wait for a report. False: none will come any more."""
        while not self._waiting and not self._ended:
            self._came.clear()
            await self._came.wait()
        return bool(self._waiting)


def _tell(group: Sequence[_Waiting], outcomes: Sequence[Outcome]) -> None:
    for one, outcome in zip(group, outcomes, strict=True):
        if one.answer.done():
            continue
        if isinstance(outcome, Exception):
            one.answer.set_exception(outcome)
        else:
            one.answer.set_result(outcome)


async def _outcomes(line: LoopLine, actor: str, group: Sequence[_Waiting]) -> Sequence[Outcome]:
    """One transaction for all; one each where that fails, so that a report that cannot be stored harms no other."""
    try:
        return await _received(line, actor, group)
    except Exception as error:  # noqa: BLE001 - it is raised where the answer is waited for
        if len(group) == 1 or isinstance(error, LOST):
            return [error] * len(group)
        log.warning("group_failed", size=len(group), error=type(error).__name__)
        return [outcome for one in group for outcome in await _outcomes(line, actor, [one])]


async def _received(line: LoopLine, actor: str, group: Sequence[_Waiting]) -> Sequence[Received | Refusal]:
    drafts, threads = [one.draft for one in group], [one.correlation for one in group]
    acting = Acting(actor)
    outcomes = await line.run(receive_report.receiving(acting, drafts, datetime.now(UTC), correlations=threads))
    bus.nudge(acting.woken)
    return outcomes
