"""The only talk to Celery's broker: a nudge says "deliveries are due for this consumer". Losing one does no harm.

Publishing happens on a thread of its own: a publish to a dead Redis was seen to hold its caller for seconds.
"""

import os
import threading
import time
from collections.abc import Iterable
from functools import lru_cache

from celery import Celery
from kombu.connection import Connection

from shared.logs import logger
from shared.settings import settings

log = logger(__name__)

COALESCE_SECONDS = 0.01
"""Nudges for one consumer within this time become one message: a drain empties the queue anyway."""
ENOUGH = 4
"""So many waiting nudges wake every worker; more would only pile up while the workers are away."""
URGENT = "feed"
"""Whom people wait for: told first."""
UNASKED = 3
"""So many messages go out between two looks at how many wait: a look takes as long as a message."""
AWAY_SECONDS = 0.05
"""How long the next look waits when every queue was full: asking every 10 ms cost 50 µs a report under load."""
REST_SECONDS = 1.0
"""After a failed publish, how long nudges are left to beat."""


@lru_cache
def broker() -> Celery:
    """Celery's producer side: no results, no retries, half a second to connect."""
    app = Celery("roadmend", broker=settings().redis_url)
    app.conf.update(
        task_ignore_result=True,
        task_publish_retry=False,
        broker_connection_timeout=0.5,
        broker_connection_retry=False,
        broker_transport_options={"socket_timeout": 0.5, "socket_connect_timeout": 0.5, "max_retries": 0},
        task_default_queue="roadmend",
    )
    return app


class _Nudger(threading.Thread):
    """Takes consumers from callers at no cost to them and publishes one message for each."""

    def __init__(self) -> None:
        super().__init__(name="nudger", daemon=True)
        self._due: set[str] = set()
        self._since_asked: dict[str, int] = {}
        self._wake = threading.Condition()

    def add(self, consumers: Iterable[str]) -> None:
        with self._wake:
            self._due.update(consumers)
            self._wake.notify()

    def run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: bool(self._due))
                due, self._due = self._due, set()
            time.sleep(COALESCE_SECONDS if self._publish(due) else AWAY_SECONDS)

    def _publish(self, consumers: set[str]) -> int:
        """Returns how many messages went out."""
        try:
            with broker().pool.acquire(block=True, timeout=1) as connection:
                return sum(self._send(connection, consumer) for consumer in sorted(consumers, key=URGENT.__ne__))
        except Exception as error:  # noqa: BLE001 (each broker has errors of its own; a lost hint does no harm)
            log.warning("nudge_lost", consumers=sorted(consumers), error=type(error).__name__)
            time.sleep(REST_SECONDS)
            return 0

    def _send(self, connection: Connection, consumer: str) -> bool:
        queue = f"drain.{consumer}"
        unasked = self._since_asked.get(consumer, UNASKED)
        if unasked >= UNASKED and _waiting(connection, queue) >= ENOUGH:
            return False
        self._since_asked[consumer] = 0 if unasked >= UNASKED else unasked + 1
        broker().send_task("roadmend.drain", (consumer,), queue=queue, expires=30, connection=connection)
        return True


def _waiting(connection: Connection, queue: str) -> int:
    """How many messages wait in a queue, which is made if need be."""
    declared = connection.default_channel.queue_declare(queue, durable=True, auto_delete=False)
    return int(declared.message_count)


_lock = threading.Lock()
_nudgers: dict[int, _Nudger] = {}


def nudge(consumers: Iterable[str]) -> None:
    """Say that deliveries are due for these consumers. Returns at once and never fails; beat heals what is lost."""
    wanted = set(consumers)
    if wanted:
        _nudger().add(wanted)


def _nudger() -> _Nudger:
    """This process's thread: keyed by process id, because a thread does not survive a fork."""
    with _lock:
        mine = _nudgers.get(os.getpid())
        if mine is None:
            mine = _nudgers[os.getpid()] = _Nudger()
            mine.start()
        return mine
