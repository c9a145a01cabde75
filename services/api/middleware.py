"""Around every request: a correlation id, one log line, limits, headers, and an answer to what nobody caught."""

import re
import time
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api import meters, problems
from shared.errors import Invalid
from shared.logs import correlated, logger
from shared.settings import Settings, settings

log = logger(__name__)

HEADER = "X-Correlation-ID"
_HEADER = HEADER.lower().encode()
_LAWFUL = re.compile(r"[A-Za-z0-9._-]{8,64}")

LEFT = 499
"""In the log, of a client that went away before its body was whole; nobody hears it."""
MIB = 1024 * 1024
BODY_LIMIT = MIB
"""Bytes of a body, where the address has no limit of its own."""
BODY_LIMITS = (
    (re.compile(r"^/report/(?:photos|same)$"), 76 * MIB),
    (re.compile(r"/(?:photos|not-fixed)$"), 17 * MIB),
    (re.compile(r"/detections$"), 256 * MIB),
)
"""Photos are 15 MB at most, beside the form around them, and a page's form has five; detections count their own bytes
as they come."""

Headers = list[tuple[bytes, bytes]]
_HEADERS: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    (b"permissions-policy", b"camera=(self), geolocation=(self), microphone=(), payment=(), usb=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
]
"""On every answer, unless it has its own."""
_HSTS = (b"strict-transport-security", b"max-age=31536000")


def headers_of_every_answer(known: Settings) -> Headers:
    """Browsers keep to https for a year where that is the public address."""
    return [*_HEADERS, _HSTS] if known.public_url.startswith("https:") else _HEADERS


class Correlation:
    """Pure ASGI: a request costs no task and no queue of its own here."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.headers = headers_of_every_answer(settings())
        self.behind_proxy = settings().behind_proxy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if self.behind_proxy:
            _heed_proxy(scope)
        told = next((value for name, value in scope["headers"] if name == _HEADER), b"").decode("latin-1")
        with correlated(told if _LAWFUL.fullmatch(told) else None) as correlation:
            await _Exchange(scope, receive, send, correlation, self.headers).run(self.app)


def _heed_proxy(scope: Scope) -> None:
    """Who asks, and how, as our proxy says. What it added stands last; what stands before may be made up."""
    said = {name: value.decode("latin-1") for name, value in scope["headers"] if name.startswith(b"x-forwarded-")}
    if client := said.get(b"x-forwarded-for", "").rpartition(",")[2].strip():
        scope["client"] = (client, 0)
    if said.get(b"x-forwarded-proto") in ("http", "https"):
        scope["scheme"] = said[b"x-forwarded-proto"]


class _Exchange:
    """One request and its answer."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, correlation: str, headers: Headers) -> None:
        self.scope, self.inner_receive, self.inner_send = scope, receive, send
        self.correlation, self.headers = correlation, headers
        self.status = 0
        self.room = _limit(scope["path"])
        self.began = time.perf_counter()

    async def run(self, app: ASGIApp) -> None:
        try:
            if "\0" in self.scope["path"] or b"%00" in self.scope["query_string"]:
                app = _refuse_nul
            await app(self.scope, self.receive, self.send)
        except ClientDisconnect:
            self.status = LEFT
        except Exception:
            log.exception("request_failed", **self._said())
            if self.status:
                raise
            await problems.unexpected(self.scope)(self.scope, self.receive, self.send)
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
            ours = [header for header in self.headers if header[0] not in named]
            message["headers"] = [*told, (_HEADER, self.correlation.encode()), *ours]
        await self.inner_send(message)

    def _said(self) -> dict[str, Any]:
        """What the log may hold: the route's pattern, never the address, which may carry a secret."""
        route = self.scope.get("route")
        return {"method": self.scope["method"], "route": getattr(route, "path", "none")}

    def _milliseconds(self) -> float:
        return round((time.perf_counter() - self.began) * 1000, 1)


async def _refuse_nul(scope: Scope, receive: Receive, send: Send) -> None:
    """No name of ours holds a NUL, and PostgreSQL takes none: refused once here, and not by every route."""
    refused = problems.answer(scope, 422, Invalid.code, Invalid.title, "The address holds a NUL. No name of ours does.")
    await refused(scope, receive, send)


def _limit(path: str) -> int:
    return next((limit for pattern, limit in BODY_LIMITS if pattern.search(path)), BODY_LIMIT)
