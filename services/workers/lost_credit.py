"""Heals a worker that Redis left with messages it can never acknowledge, and that therefore takes no more.

A worker may hold so many unacknowledged messages (worker_prefetch_multiplier x processes). If Redis dies between a
message and its acknowledgement, that credit is never given back: once it is spent, kombu pauses reading, so that it
does not even see the connection close. Seen under load: Redis killed and back after eight seconds, and the worker took
nothing any more. Counting anew is enough: a connection error has Celery begin again with a new channel.
"""

from typing import Any

from celery import bootsteps
from celery.worker import state

LOOK_EVERY_SECONDS = 2.0


class LostCredit(bootsteps.StartStopStep):  # type: ignore[misc]
    """Looks now and then whether more is unacknowledged than is at work; twice in a row, and the consumer restarts."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self._timer: Any = None
        self._seen = False

    def start(self, parent: Any) -> None:
        self._seen = False
        self._timer = parent.timer.call_repeatedly(LOOK_EVERY_SECONDS, self._look, (parent,))

    def stop(self, parent: Any) -> None:  # noqa: ARG002 (Celery calls it so)
        if self._timer is not None:
            self._timer.cancel()

    def _look(self, parent: Any) -> None:
        """Raises:
        ConnectionError: credit is lost; Celery takes it for a broken connection, which it is.
        """
        qos = parent.task_consumer.channel.qos
        free = qos.can_consume_max_estimate()
        unacknowledged = 0 if free is None else (qos.prefetch_count or 0) - free
        lost = unacknowledged > len(state.reserved_requests)
        if lost and self._seen:
            raise ConnectionError(f"{unacknowledged} messages can never be acknowledged")
        self._seen = lost
