"""Busy routes, met before the framework's layers: seven of those and its own way to a route cost a request 130 µs.

An express route reads its request and makes its response itself; its rule, its errors, its log line and its place in
the API's description are those of any other route. Whatever is not exactly its address takes the usual way to it.
"""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

from fastapi import FastAPI, Request
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from services.api.middleware import Correlation

Endpoint = TypeVar("Endpoint", bound=Callable[[Request], Awaitable[Response]])


def express(endpoint: Endpoint) -> Endpoint:
    """Mark an endpoint that needs nothing of the framework: a coroutine from Request to Response."""
    endpoint.__dict__["express"] = True
    return endpoint


async def whole_body(request: Request) -> bytes:
    """The body. `Request.body` goes through a generator and a list for it."""
    parts: bytes = b""
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts += message.get("body", b"")
        if not message.get("more_body", False):
            return parts


class Api(FastAPI):
    """FastAPI with express routes; `find_express` when all routes are there."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._express: dict[tuple[str, str], ASGIApp] = {}

    def find_express(self) -> None:
        self._express = dict(self._found())

    def _found(self) -> Iterator[tuple[tuple[str, str], ASGIApp]]:
        for route in self.router.routes:
            if isinstance(route, APIRoute) and "express" in route.endpoint.__dict__:
                quick = Correlation(_Express(self, route))
                yield from (((method, route.path), quick) for method in route.methods or ())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            quick = self._express.get((scope["method"], scope["path"]))
            if quick is not None:
                await quick(scope, receive, send)
                return
        await super().__call__(scope, receive, send)


class _Express:
    """One endpoint as an application; a refusal is answered as the framework would."""

    def __init__(self, app: FastAPI, route: APIRoute) -> None:
        self.app, self.route, self.endpoint = app, route, route.endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"], scope["route"] = self.app, self.route
        request = Request(scope, receive)
        try:
            response: Response = await self.endpoint(request)
        except Exception as error:  # noqa: BLE001 (what nothing answers is raised again)
            response = await self._told(request, error)
        await response(scope, receive, send)

    async def _told(self, request: Request, error: Exception) -> Response:
        """Raises: the error itself, where nothing answers its kind."""
        for kind in type(error).__mro__:
            if (handler := self.app.exception_handlers.get(kind)) is not None:
                answer = handler(request, error)
                return answer if isinstance(answer, Response) else await answer
        raise error
