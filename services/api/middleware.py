"""Around every request: a correlation id, one log line, a limit on the body, and an answer to what nobody caught."""

import re
import time
from typing import Any

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api import meters, problems
from shared.logs import correlated, logger

log = logger(__name__)

HEADER = "X-Correlation-ID"
_HEADER = HEADER.lower().encode()
_LAWFUL = re.compile(r"[A-Za-z0-9._-]{8,64}")

MIB = 1024 * 1024
BODY_LIMIT = MIB
"""Bytes of a body, where the address has no limit of its own."""
BODY_LIMITS = ((re.compile(r"/photos$"), 17 * MIB), (re.compile(r"/detections$"), 256 * MIB))
"""Photos are 15 MB at most, beside the form around them; detections count their own bytes as they come."""

_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
)
"""On every answer, unless it has its own."""


class Correlation:
    """Pure ASGI: a request costs no task and no queue of its own here."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        told = next((value for name, value in scope["headers"] if name == _HEADER), b"").decode("latin-1")
        with correlated(told if _LAWFUL.fullmatch(told) else None) as correlation:
            await _Exchange(scope, receive, send, correlation).run(self.app)


class _Exchange:
    """One request and its answer."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, correlation: str) -> None:
        self.scope, self.inner_receive, self.inner_send = scope, receive, send
        self.correlation = correlation
        self.status = 0
        self.room = _limit(scope["path"])
        self.began = time.perf_counter()

    async def run(self, app: ASGIApp) -> None:
        try:
            await app(self.scope, self.receive, self.send)
        except Exception:
            log.exception("request_failed", **self._said())
            if self.status:
                raise
            await problems.unexpected()(self.scope, self.receive, self.send)
        finally:
            log.info("request", status=self.status, ms=self._milliseconds(), **self._said())
            meters.answered(**self._said(), status=self.status, seconds=time.perf_counter() - self.began)

    async def receive(self) -> Message:
        message = await self.inner_receive()
        if message["type"] == "http.request":
            self.room -= len(message.get("body", b""))
            if self.room < 0:
                raise HTTPException(413, f"A body here has {_limit(self.scope['path']):,} bytes at most.")
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            told = list(message.get("headers", ()))
            named = {name for name, _ in told}
            ours = [header for header in _HEADERS if header[0] not in named]
            message["headers"] = [*told, (_HEADER, self.correlation.encode()), *ours]
        await self.inner_send(message)

    def _said(self) -> dict[str, Any]:
        """What the log may hold: the route's pattern, never the address, which may carry a secret."""
        route = self.scope.get("route")
        return {"method": self.scope["method"], "route": getattr(route, "path", "none")}

    def _milliseconds(self) -> float:
        return round((time.perf_counter() - self.began) * 1000, 1)


def _limit(path: str) -> int:
    return next((limit for pattern, limit in BODY_LIMITS if pattern.search(path)), BODY_LIMIT)
