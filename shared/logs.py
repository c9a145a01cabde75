"""One JSON line an event on standard error, with a correlation id from request to worker. Never personal data."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import uuid4

import structlog

from shared.settings import settings

_correlation: ContextVar[str] = ContextVar("correlation", default="")


def correlation() -> str:
    """The id that ties together what one request set off; made on first use."""
    current = _correlation.get()
    if not current:
        current = uuid4().hex
        _correlation.set(current)
    return current


@contextmanager
def correlated(value: str | None) -> Iterator[str]:
    """Run a block under a correlation id: the caller's, or a new one."""
    token = _correlation.set(value or uuid4().hex)
    try:
        yield _correlation.get()
    finally:
        _correlation.reset(token)


def _add_correlation(_: object, __: str, line: structlog.types.EventDict) -> structlog.types.EventDict:
    if current := _correlation.get():
        line["correlation"] = current
    return line


def configure() -> None:
    """Send structlog's and the standard library's lines to standard error as JSON."""
    shared = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_correlation,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings().log_level)


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger whose event names are constants: log.info("report_linked", report_id=7)."""
    bound: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return bound
