"""Takes reports in groups: all that wait share one transaction, so that a commit and its statements serve many.

A statement handles a batch as readily as one row. Nobody waits for a group to fill: whatever waits when the writer is
free goes along. Tried and measured in docs/decisions/0020-reports-in-groups.md.
"""

import asyncio
import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from shared import bus
from shared.errors import Refusal, Unavailable
from shared.flows import receive_report
from shared.flows.receive_report import Draft, Received
from shared.logs import correlation, logger
from shared.store.engine import LOST, transaction

log = logger(__name__)

WRITERS = 1
"""Threads that write, each with a connection. Two made smaller groups and took 2.4 ms of processor a report to 1.9."""
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
    """Writers behind one queue. Started with the API, stopped with it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._queue: queue.Queue[_Waiting | None] = queue.Queue(ROOM)
        self._writers = [threading.Thread(target=self._write, name=f"intake{n}", daemon=True) for n in range(WRITERS)]

    def start(self) -> None:
        for writer in self._writers:
            writer.start()

    def stop(self) -> None:
        """Write what waits, then end."""
        for _ in self._writers:
            self._queue.put(None)
        for writer in self._writers:
            writer.join()

    async def take(self, draft: Draft, actor: str) -> Received:
        """Hand a report over and wait for its answer.

        Raises:
            Refusal: it is not taken, and why.
            Unavailable: too many wait already.
        """
        waiting = _Waiting(draft, actor, correlation(), self._loop.create_future())
        try:
            self._queue.put_nowait(waiting)
        except queue.Full:
            raise Unavailable("More reports wait than can be taken now. Send it again in a moment.") from None
        return await waiting.answer

    def _write(self) -> None:
        while (first := self._queue.get()) is not None:
            group = [first, *self._others(MOST - 1)]
            for actor in {one.actor for one in group}:
                mine = [one for one in group if one.actor == actor]
                self._loop.call_soon_threadsafe(_tell, mine, _outcomes(actor, mine))

    def _others(self, most: int) -> Iterator[_Waiting]:
        """Those who wait now. The word to end is put back for the loop to find."""
        for _ in range(most):
            try:
                found = self._queue.get_nowait()
            except queue.Empty:
                return
            if found is None:
                self._queue.put(None)
                return
            yield found


def _tell(group: Sequence[_Waiting], outcomes: Sequence[Outcome]) -> None:
    """Back on the loop: one call for a whole group, because each such call wakes it."""
    for one, outcome in zip(group, outcomes, strict=True):
        if one.answer.done():
            continue
        if isinstance(outcome, Exception):
            one.answer.set_exception(outcome)
        else:
            one.answer.set_result(outcome)


def _outcomes(actor: str, group: Sequence[_Waiting]) -> Sequence[Outcome]:
    """One transaction for all; one each where that fails, so that a report that cannot be stored harms no other."""
    try:
        return _received(actor, group)
    except Exception as error:  # noqa: BLE001 - it is raised where the answer is waited for
        if len(group) == 1 or isinstance(error, LOST):
            return [error] * len(group)
        log.warning("group_failed", size=len(group), error=type(error).__name__)
        return [outcome for one in group for outcome in _outcomes(actor, [one])]


def _received(actor: str, group: Sequence[_Waiting]) -> Sequence[Received | Refusal]:
    with transaction(actor) as tx:
        drafts, threads = [one.draft for one in group], [one.correlation for one in group]
        outcomes = receive_report.receive_all(tx, drafts, datetime.now(UTC), correlations=threads)
    bus.nudge(tx.woken)
    return outcomes
