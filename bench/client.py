"""A minimal HTTP/1.1 client on asyncio: a request costs it some 20 µs, so that it is not what is measured.

Times are `time.perf_counter()`, which all processes here share; uvloop's own clock counts milliseconds.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Answer:
    """Seconds count from the sending of the request; `body` is whole."""

    status: int
    body: bytes
    sent: float
    seconds: float


class Link(asyncio.Protocol):
    """A connection that stays open and carries one request at a time. Answers carry a Content-Length."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._wanted = -1
        self._head = 0
        self._sent = 0.0
        self._waiting: asyncio.Future[Answer] | None = None
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = cast(asyncio.WriteTransport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(exc or ConnectionError("the server hung up"))

    async def ask(self, request: bytes) -> Answer:
        """Send a request and wait for its whole answer."""
        assert self._transport is not None
        self._waiting = asyncio.get_running_loop().create_future()
        self._sent = time.perf_counter()
        self._transport.write(request)
        return await self._waiting

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._wanted < 0:
            self._head = self._buffer.find(b"\r\n\r\n") + 4
            if self._head < 4:
                return
            self._wanted = self._head + _length(bytes(self._buffer[: self._head]).lower())
        if len(self._buffer) >= self._wanted and self._waiting is not None:
            body = bytes(self._buffer[self._head : self._wanted])
            status = int(self._buffer[9:12])
            self._buffer.clear()
            self._wanted = -1
            self._waiting.set_result(Answer(status, body, self._sent, time.perf_counter() - self._sent))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def _length(head: bytes) -> int:
    start = head.find(b"content-length:")
    return 0 if start < 0 else int(head[start + 15 : head.index(b"\r\n", start)])


def request(method: str, path: str, port: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> bytes:
    """The bytes of a request."""
    told = {"Host": f"{HOST}:{port}", "Content-Length": str(len(body)), **(headers or {})}
    if body and "Content-Type" not in told:
        told["Content-Type"] = "application/json"
    lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


async def connect(port: int) -> Link:
    """A connection to a server of this machine."""
    _, link = await asyncio.get_running_loop().create_connection(Link, HOST, port)
    return link


class Ear(asyncio.Protocol):
    """A client of a feed: hands each chunk on with the time at which it came, from the first line of data."""

    def __init__(self, path: str, port: int, heard: Callable[[float, bytes], None], headers: Mapping[str, str]) -> None:
        self._request = request("GET", path, port, headers={"Accept": "text/event-stream", **headers})
        self._heard = heard
        self.began: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.WriteTransport, transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        if b"data:" in data:
            self._heard(time.perf_counter(), data)
        elif not self.began.done() and b"retry:" in data:
            self.began.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.began.done():
            self.began.set_exception(exc or ConnectionError("the server hung up"))


async def listen(
    port: int, path: str, heard: Callable[[float, bytes], None], headers: Mapping[str, str] | None = None
) -> None:
    """Follow a feed; returns when it has begun."""
    loop = asyncio.get_running_loop()
    _, ear = await loop.create_connection(lambda: Ear(path, port, heard, headers or {}), HOST, port)
    await ear.began
