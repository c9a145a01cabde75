"""What one connection may ask of us before a route hears of it: a head of so many bytes, and a request in due time.

uvicorn itself sets no limit: a head of 100 MB was taken whole (and kept), and a body may trickle for ever.
"""

import asyncio
from typing import Any

from starlette.responses import Response
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from services.api import problems
from services.api.middleware import headers_of_every_answer
from shared.logs import correlated, logger
from shared.settings import settings

log = logger(__name__)

MOST_HEAD_BYTES = 64 * 1024
"""Of the request's line and headers. What came with them in one piece of the stream is let through."""
PATIENCE_SECONDS = 30.0
"""For the head, and for a body before its bytes count."""
MOST_IGNORED_BYTES = 16 * 1024 * 1024
"""Of a body that was answered before it was whole, such as with 413: 1 GB was read to its end for nothing."""
LEAST_RATE = 1_000
"""Bytes a second that a body comes with at least, on the whole: a phone with one bar of signal sends ten times that."""


class Connection(HttpToolsProtocol):
    """One client's connection."""

    _watch: asyncio.TimerHandle | None = None
    _began = 0.0
    _came = 0
    _ignored = 0
    _is_in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._begin()

    def connection_lost(self, exc: Exception | None) -> None:
        self._rest()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._came += len(data)
        super().data_received(data)
        if self._is_in_head and self._came > MOST_HEAD_BYTES:
            self._refuse(431, "head-too-large", f"The head of a request has {MOST_HEAD_BYTES:,} bytes at most.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._watch is None:
            self._begin()

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Who goes on sending after the answer is let finish for a while, so that the answer is read, and no longer."""
        if self.cycle.response_complete:
            self._ignored += len(body)
            if self._ignored > MOST_IGNORED_BYTES:
                self.transport.close()
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._rest()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, "bad-request", msg)

    def _begin(self) -> None:
        """A request begins, or may."""
        self._is_in_head, self._came, self._began = True, 0, self.loop.time()
        self._ignored = 0
        self._watch = self.loop.call_later(PATIENCE_SECONDS, self._look)

    def _rest(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def _look(self) -> None:
        """The time is up, unless more has come meanwhile; while we ourselves do not read, nobody is late."""
        allowed = PATIENCE_SECONDS + (0 if self._is_in_head else self._came / LEAST_RATE)
        left = self._began + allowed - self.loop.time()
        if self.flow.read_paused:
            left, self._began = PATIENCE_SECONDS, self._began + PATIENCE_SECONDS
        if left > 0:
            self._watch = self.loop.call_later(left, self._look)
        elif self._came == 0:
            self.transport.close()
        else:
            self._refuse(408, "too-slow", "The request did not come in time.")

    def _refuse(self, status: int, code: str, detail: str) -> None:
        """Say why, unless an answer is under way, and hang up."""
        self._rest()
        if self.transport.is_closing():
            return
        log.info("connection_refused", status=status)
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            with correlated(None):
                self.transport.write(_as_sent(problems.problem(status, code, "Refused", detail)))
        self.transport.close()


def _as_sent(answer: Response) -> bytes:
    told: list[tuple[bytes, bytes]] = [*answer.raw_headers, *headers_of_every_answer(settings())]
    lines: list[Any] = [b"%s: %s\r\n" % header for header in [*told, (b"connection", b"close")]]
    return b"".join([STATUS_LINE[answer.status_code], *lines, b"\r\n", bytes(answer.body)])
