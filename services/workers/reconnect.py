"""How workers and beat come back to a broker that was away: at once, however long it was.

Celery waits two seconds longer after each try, up to thirty: after an absence of five minutes its workers stood idle
for up to half a minute more, with everything due. A try costs one refused connection.
"""

from typing import Any

from celery.app.amqp import AMQP
from kombu.connection import Connection

WAITS = {"interval_start": 1, "interval_step": 0.5, "interval_max": 1}
"""Seconds: 1, 1.5, 2, 2, 2, … (kombu adds the first to the longest)."""


class SoonBack(Connection):
    """A connection that is tried every two seconds at least."""

    def ensure_connection(self, *given: Any, **options: Any) -> Any:
        return super().ensure_connection(*given, **{**WAITS, **options})


class Amqp(AMQP):  # type: ignore[misc]
    """Celery's own, with such connections."""

    Connection = SoonBack
