"""Redis as the API uses it: for hints that it can do without. A request waits for it a moment, once, and goes on."""

import time
from collections.abc import Callable
from typing import TypeVar

from redis import ConnectionPool
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from shared.logs import logger

log = logger(__name__)

PATIENCE_SECONDS = 0.05
"""How long a request may wait for Redis, once: a Redis that is frozen, not gone, held callers for seconds."""
REST_SECONDS = 5.0
"""How long Redis is then left alone."""

T = TypeVar("T")


def connections(address: str) -> ConnectionPool:
    """Connections that give up after `PATIENCE_SECONDS` and do not try again."""
    return ConnectionPool.from_url(
        address,
        socket_timeout=PATIENCE_SECONDS,
        socket_connect_timeout=PATIENCE_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


class Hints:
    """Asks Redis, and leaves it alone for a while after it did not answer. `name`: what the log then says."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._resting_until = 0.0

    def ask(self, work: Callable[[], T]) -> T | None:
        """What Redis says; None while it does not answer."""
        if time.monotonic() < self._resting_until:
            return None
        try:
            return work()
        except (RedisError, OSError) as error:
            self._resting_until = time.monotonic() + REST_SECONDS
            log.warning(self._name, error=type(error).__name__)
            return None
