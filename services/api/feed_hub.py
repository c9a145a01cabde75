"""Fans the feed out to live clients: one listener a process, each line encoded once an audience, one shared window.

A client holds only its place in the window. One that falls out of the window is cut off and resumes from the record.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeVar

import orjson
import psycopg
from anyio import CapacityLimiter, to_thread

from shared.domain.audience import Audience, Line, may_see, redacted
from shared.logs import logger
from shared.store import feed
from shared.store.engine import LOST, LoopLine, conninfo, reading

log = logger(__name__)
T = TypeVar("T")

WINDOW = 20_000
"""Lines that the process keeps for its live clients; a client may be so far behind before it is cut off."""
PAGE = 1_000
"""Lines that one read fetches."""
POLL_SECONDS = 1.0
"""How long a lost NOTIFY can hide a line."""
BEAT_SECONDS = 15.0
"""A client hears at least so often from us, so that a dead line is noticed."""


@dataclass(slots=True)
class Sent:
    """A line with its encodings: "staff", "public" and "contractor", each made when first wanted."""

    line: Line
    encoded: dict[str, bytes] = field(default_factory=dict)

    def for_audience(self, audience: Audience) -> bytes:
        form = "staff" if audience.staff else "public" if audience.contractor_id is None else "contractor"
        made = self.encoded.get(form)
        if made is None:
            made = self.encoded[form] = encode(self.line, audience)
        return made


def encode(line: Line, audience: Audience) -> bytes:
    """One Server-Sent Event: id, event and data."""
    data = orjson.dumps(redacted(line, audience))
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (line.number, line.kind.encode(), data)


class Hub:
    """The window of newest lines and the moment at which it moves."""

    def __init__(self) -> None:
        self.clients = 0
        self.number = 0
        self._window: deque[Sent] = deque(maxlen=WINDOW)
        self._shared: dict[tuple[int, bool], bytes] = {}
        self._moved = asyncio.Event()
        self._beats = 0
        # Threads of our own: a flood of requests in the common ones does not hold the feed up.
        self._threads = CapacityLimiter(4)
        # For each new line, a connection of the loop's own: through a thread and the pool it took 0.6 ms to look.
        self._line = LoopLine()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow the record for as long as the block runs."""
        with suppress(*LOST):
            self.number = await self._in_thread(_newest)
        tasks = [asyncio.create_task(self._follow()), asyncio.create_task(self._beat())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError):
                    await task
            await self._line.close()
            self._wake()

    def first_kept(self) -> int:
        """The smallest number that the window holds; one past the newest when it is empty."""
        return self._window[0].line.number if self._window else self.number + 1

    def after(self, number: int) -> list[Sent]:
        """The kept lines after a number, oldest first. Call only when `first_kept() <= number + 1`."""
        return [self._window[at] for at in range(number + 1 - self.first_kept(), len(self._window))]

    def chunk_after(self, number: int, audience: Audience, wanted: "Wanted | None") -> bytes:
        """The bytes of the kept lines after a number. For those who ask for all of them, put together once."""
        if wanted is not None or audience.contractor_id is not None:
            return _joined(self.after(number), audience, wanted)
        shared = self._shared.get((number, audience.staff))
        if shared is None:
            shared = self._shared[number, audience.staff] = _joined(self.after(number), audience, None)
        return shared

    async def next_move(self) -> int:
        """Wait until a line came or a beat is due; returns the count of beats so far."""
        await self._moved.wait()
        return self._beats

    def _wake(self) -> None:
        self._shared.clear()
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            self._beats += 1
            self._wake()

    async def _follow(self) -> None:
        """Listen, read, repeat; a lost database is waited for."""
        while True:
            try:
                await self._listen()
            except (psycopg.Error, OSError, *LOST) as error:
                log.warning("feed_listener_lost", error=type(error).__name__)
                await asyncio.sleep(1)

    async def _listen(self) -> None:
        if self.number == 0:
            self.number = await self._in_thread(_newest)
        async with await psycopg.AsyncConnection.connect(conninfo(), autocommit=True, connect_timeout=5) as heard:
            await heard.execute(f"LISTEN {feed.CHANNEL}")
            while True:
                await self._read()
                async for _ in heard.notifies(timeout=POLL_SECONDS, stop_after=1):
                    pass

    async def read_after(self, number: int) -> list[Line]:
        """A page of the record after a number."""
        return await self._in_thread(_page_after, number)

    async def _in_thread(self, look: Callable[..., T], *given: object) -> T:
        """Look into the database. Who is cancelled meanwhile waits for the thread: it holds a connection."""
        looking = asyncio.ensure_future(to_thread.run_sync(look, *given, limiter=self._threads))
        try:
            return await asyncio.shield(looking)
        finally:
            await asyncio.wait([looking])

    async def _read(self) -> None:
        """All that is new: until a page is not full."""
        lines: Sequence[Line] = ()
        while not lines or len(lines) == PAGE:
            lines = await self._line.run(feed.reading_after(self.number, PAGE))
            if not lines:
                return
            self._window.extend(Sent(line) for line in lines)
            self.number = lines[-1].number
            self._wake()


def _page_after(number: int) -> list[Line]:
    with reading() as tx:
        return feed.lines_after(tx, number, PAGE)


def _newest() -> int:
    with reading() as tx:
        return feed.last_number(tx)


Wanted = Callable[[Line], bool]


async def stream(hub: Hub, audience: Audience, wanted: Wanted | None, start: int) -> AsyncIterator[bytes]:
    """A client's bytes: what it missed since `start`, then each line as it comes, with beats between.

    Ends when the client has fallen out of the window; it resumes with `Last-Event-ID`. `wanted` None: all lines.
    """
    hub.clients += 1
    try:
        number = start
        yield b"retry: 2000\n\n"
        async for reached, chunk in _missed(hub, audience, wanted, start):
            number = reached
            yield chunk
        beats = 0
        while hub.first_kept() <= number + 1:
            if hub.number > number:
                chunk, number = hub.chunk_after(number, audience, wanted), hub.number
                if chunk:
                    yield chunk
            elif (now := await hub.next_move()) != beats:
                beats = now
                yield b"id: %d\n\n" % number
        log.info("feed_client_cut_off", number=number)
    finally:
        hub.clients -= 1


async def _missed(hub: Hub, audience: Audience, wanted: Wanted | None, start: int) -> AsyncIterator[tuple[int, bytes]]:
    number = start
    while number + 1 < hub.first_kept():
        lines = await hub.read_after(number)
        if not lines:
            return
        number = lines[-1].number
        yield number, _chunk([Sent(line) for line in lines], audience, wanted, number)


def _joined(lines: list[Sent], audience: Audience, wanted: Wanted | None) -> bytes:
    seen = [sent for sent in lines if may_see(sent.line, audience)]
    return b"".join(sent.for_audience(audience) for sent in seen if wanted is None or wanted(sent.line))


def _chunk(lines: list[Sent], audience: Audience, wanted: Wanted | None, number: int) -> bytes:
    """A page of the past; its last number is told even where no line of it is for this client."""
    return _joined(lines, audience, wanted) + b"id: %d\n\n" % number
