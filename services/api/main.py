"""The API: finds every module of routes and pages that has a `router`, and serves them."""

import pkgutil
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from types import ModuleType

import anyio.to_thread
from fastapi import FastAPI

from services.api import documentation, pages, problems, routes
from services.api.express import Api
from services.api.middleware import Correlation
from shared import logs
from shared.settings import settings

SPARE_THREADS = 8
"""Threads beside one for each database connection: for what waits on nothing but the processor."""


BUSY = ("reports", "detections")
"""Modules whose routes are looked at first: a request costs 14 µs for each route before its own."""


def _modules() -> Iterator[ModuleType]:
    """Every module of routes and of pages: the busy ones, then the others by name."""
    for package in (routes, pages):
        names = [found.name for found in pkgutil.iter_modules(package.__path__)]
        for name in sorted(names, key=lambda name: (BUSY.index(name) if name in BUSY else len(BUSY), name)):
            yield import_module(f"{package.__name__}.{name}")


MODULES = tuple(_modules())


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Threads to match the pool, and the `lifespan` of every module that has one."""
    logs.configure(settings().log_level)
    anyio.to_thread.current_default_thread_limiter().total_tokens = settings().database_pool + SPARE_THREADS
    async with AsyncExitStack() as running:
        for module in MODULES:
            if hasattr(module, "lifespan"):
                await running.enter_async_context(module.lifespan(app))
        yield


def create_app() -> Api:
    """The application with all its routes. Telemetry of the framework is off: metrics are ours, at /metrics."""
    made = Api(
        **documentation.ABOUT,
        lifespan=_lifespan,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
    )
    problems.install(made)
    made.add_middleware(Correlation)
    for module in MODULES:
        if hasattr(module, "router"):
            # Their prefixes are on them already; a router that is included is asked about every request, at 20 µs each.
            made.router.routes.extend(module.router.routes)
    made.find_express()
    documentation.install(made)
    return made


app = create_app()
