"""Fans the feed out to live clients: one listener a process, each line encoded once an audience, one shared window.

A client holds only its place in the window. One that falls out of the window is cut off and resumes from the record.
A place is a line's number and the beginning of its hash, which names the history up to there: after the database was
restored the same number may be another line, and a client that comes back with it is told to begin anew.
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
BEAT_SECONDS = {False: 15.0, True: 2.0}
"""A client hears at least so often from us, so that a dead line is noticed: by staff (True) within five seconds. Their
streams are dozens, the public's are thousands."""


MARK = 8
"""Hex digits of a line's hash that stand in its id: one other history in four thousand million goes unnoticed."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reader is: the last line that it has. `mark`: the beginning of its hash; "" when it is not told."""

    number: int
    mark: str = ""

    def id(self) -> bytes:
        """As it is sent, and comes back as Last-Event-ID."""
        return f"{self.number}-{self.mark}".rstrip("-").encode()


def place_of(line: Line) -> Place:
    """The place of who has just read this line."""
    return Place(line.number, line.hash[:MARK])


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
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (place_of(line).id(), line.kind.encode(), data)


def reset(newest: Place) -> bytes:
    """Tells a client that what it has read is not what the record holds: it loads anew, and lines follow from here."""
    why = "What you have read is no longer in the record. Load anew."
    data = orjson.dumps({"kind": "Reset", "number": newest.number, "why": why})
    return b"id: %s\nevent: Reset\ndata: %s\n\n" % (newest.id(), data)


class Pulse:
    """Clients who wait together: woken by each line, and by beats of their own."""

    def __init__(self, seconds: float) -> None:
        self.beats = 0
        self._seconds = seconds
        self._moved = asyncio.Event()

    async def next_move(self) -> int:
        """Wait until a line came or a beat is due; returns the count of beats so far."""
        await self._moved.wait()
        return self.beats

    def wake(self) -> None:
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    async def beating(self) -> None:
        """Wake them at every beat, for as long as it runs."""
        while True:
            await asyncio.sleep(self._seconds)
            self.beats += 1
            self.wake()


class Hub:
    """The window of newest lines and the moment at which it moves."""

    def __init__(self) -> None:
        self.clients = 0
        self.newest = Place(0)
        self.history = 0
        self._window: deque[Sent] = deque(maxlen=WINDOW)
        self._shared: dict[tuple[int, bool], bytes] = {}
        self._pulses = {staff: Pulse(seconds) for staff, seconds in BEAT_SECONDS.items()}
        # Threads of our own: a flood of requests in the common ones does not hold the feed up.
        self._threads = CapacityLimiter(4)
        # For each new line, a connection of the loop's own: through a thread and the pool it took 0.6 ms to look.
        self._line = LoopLine()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow the record for as long as the block runs."""
        with suppress(*LOST):
            self.newest = await self._in_thread(_newest)
        beating = [pulse.beating() for pulse in self._pulses.values()]
        tasks = [asyncio.create_task(work) for work in (self._follow(), *beating)]
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
        return self._window[0].line.number if self._window else self.newest.number + 1

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

    def pulse(self, audience: Audience) -> Pulse:
        """What wakes a client of this audience."""
        return self._pulses[audience.staff]

    def _wake(self) -> None:
        self._shared.clear()
        for pulse in self._pulses.values():
            pulse.wake()

    async def _follow(self) -> None:
        """Listen, read, repeat; a lost database is waited for."""
        while True:
            try:
                await self._listen()
            except (psycopg.Error, OSError, *LOST) as error:
                log.warning("feed_listener_lost", error=type(error).__name__)
                await asyncio.sleep(1)

    async def _listen(self) -> None:
        async with await psycopg.AsyncConnection.connect(conninfo(), autocommit=True, connect_timeout=5) as heard:
            await heard.execute(f"LISTEN {feed.CHANNEL}")
            await self._agree()
            while True:
                await self._read()
                async for _ in heard.notifies(timeout=POLL_SECONDS, stop_after=1):
                    pass

    async def _agree(self) -> None:
        """Begin at the newest line; begin anew where the record is not the one that was read: it was restored."""
        newest = await self._in_thread(_newest)
        if self.newest.number == 0:
            self.newest = newest
        elif not _is(self.newest, await self._in_thread(_hash_of, self.newest.number)):
            log.warning("feed_set_back", number=self.newest.number, to=newest.number)
            self._window.clear()
            self.newest, self.history = newest, self.history + 1
            self._wake()

    async def has(self, place: Place) -> bool:
        """Whether the record holds this line, and before it what its reader has read."""
        if self.first_kept() <= place.number <= self.newest.number:
            return _is(place, self.after(place.number - 1)[0].line.hash)
        return _is(place, await self._in_thread(_hash_of, place.number))

    async def read_after(self, number: int) -> list[Line]:
        """A page of the record after a number."""
        return await self._in_thread(_page_after, number)

    async def _in_thread(self, look: Callable[..., T], *given: object) -> T:
        """Look into the database, twice where a connection was cut: the first failure clears the pool."""
        with suppress(*LOST):
            return await self._once_in_thread(look, *given)
        return await self._once_in_thread(look, *given)

    async def _once_in_thread(self, look: Callable[..., T], *given: object) -> T:
        """Who is cancelled meanwhile waits for the thread: it holds a connection."""
        looking = asyncio.ensure_future(to_thread.run_sync(look, *given, limiter=self._threads))
        try:
            return await asyncio.shield(looking)
        finally:
            await asyncio.wait([looking])

    async def _read(self) -> None:
        """All that is new: until a page is not full."""
        lines: Sequence[Line] = ()
        while not lines or len(lines) == PAGE:
            lines = await self._line.run(feed.reading_after(self.newest.number, PAGE))
            if not lines:
                return
            if not lines[0].hash_before.startswith(self.newest.mark):
                await self._agree()
                lines = ()
                continue
            self._window.extend(Sent(line) for line in lines)
            self.newest = place_of(lines[-1])
            self._wake()


def _page_after(number: int) -> list[Line]:
    with reading() as tx:
        return feed.lines_after(tx, number, PAGE)


def _is(place: Place, digest: str | None) -> bool:
    return digest is not None and digest.startswith(place.mark)


def _newest() -> Place:
    with reading() as tx:
        number, digest = feed.last(tx)
    return Place(number, digest.hex()[:MARK])


def _hash_of(number: int) -> str | None:
    with reading() as tx:
        return feed.hash_of(tx, number)


Wanted = Callable[[Line], bool]


async def stream(hub: Hub, audience: Audience, wanted: Wanted | None, start: Place | None) -> AsyncIterator[bytes]:
    """A client's bytes: what it missed since `start` (None: nothing), then each line as it comes, with beats between.

    Ends when the client has fallen out of the window, or the database was restored; it resumes with `Last-Event-ID`.
    `wanted` None: all lines.
    """
    hub.clients += 1
    try:
        history, place = hub.history, start or hub.newest
        # How far the record has come: who resumes knows from it when nothing is missing any more.
        yield b"retry: 2000\n: newest %s\n\n" % hub.newest.id()
        if place != hub.newest and not await hub.has(place):
            place = hub.newest
            yield reset(place)
        async for reached, chunk in _missed(hub, audience, wanted, place):
            place = reached
            yield chunk
        async for chunk in _live(hub, audience, wanted, place, history):
            yield chunk
    except LOST as error:
        log.warning("feed_client_cut_off", number=place.number, error=type(error).__name__)
    finally:
        hub.clients -= 1


async def _missed(
    hub: Hub, audience: Audience, wanted: Wanted | None, place: Place
) -> AsyncIterator[tuple[Place, bytes]]:
    while place.number + 1 < hub.first_kept():
        lines = await hub.read_after(place.number)
        if not lines:
            return
        place = place_of(lines[-1])
        yield place, _chunk([Sent(line) for line in lines], audience, wanted, place)


async def _live(
    hub: Hub, audience: Audience, wanted: Wanted | None, place: Place, history: int
) -> AsyncIterator[bytes]:
    beats, pulse = 0, hub.pulse(audience)
    while hub.history == history and hub.first_kept() <= place.number + 1:
        if hub.newest.number > place.number:
            chunk, place = hub.chunk_after(place.number, audience, wanted), hub.newest
            if chunk:
                yield chunk
        elif (now := await pulse.next_move()) != beats:
            beats = now
            yield b"id: %s\n\n" % place.id()
    log.info("feed_client_cut_off", number=place.number)


def _joined(lines: list[Sent], audience: Audience, wanted: Wanted | None) -> bytes:
    seen = [sent for sent in lines if may_see(sent.line, audience)]
    return b"".join(sent.for_audience(audience) for sent in seen if wanted is None or wanted(sent.line))


def _chunk(lines: list[Sent], audience: Audience, wanted: Wanted | None, place: Place) -> bytes:
    """A page of the past; its last number is told even where no line of it is for this client."""
    return _joined(lines, audience, wanted) + b"id: %s\n\n" % place.id()
