"""Drains one consumer's deliveries: in batches, each one transaction; one by one where a batch fails."""

import time
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime

from shared import bus
from shared.domain.events import Consumer
from shared.domain.terms import EventId
from shared.errors import Refusal
from shared.logs import logger
from shared.settings import settings
from shared.store import deliveries
from shared.store.deliveries import Delivery
from shared.store.engine import LOST, WriteTx, transaction

log = logger(__name__)

Flow = Callable[[WriteTx, Sequence[Delivery], datetime], Collection[EventId] | None]
"""A consumer's flow: takes a whole batch in the caller's transaction. Repeats and late ones are normal to it.

It gives back the events that it has only begun with, if any: they stay due, and the next transaction goes on.
"""

ONE_AT_A_TIME = frozenset({Consumer.DETECTIONS, Consumer.ACTS})
"""Consumers whose every delivery is many rows: what one worker has not begun, another may take."""

GIVES_WAY_SECONDS = 1.0
"""After so long a drain lets the other consumers have their turn. Surveys that came in more quickly than they could be
matched were seen to keep reports and the feed waiting for a quarter of an hour."""


def drain(consumer: Consumer, flow: Flow) -> int:
    """Take batches until one is not full, or it is others' turn. Returns how many deliveries were heard.

    What becomes due meanwhile has a nudge of its own, and beat's; to look once more cost as much as a small batch.

    Raises:
        OperationalError: the database went away; what was not committed is due again by itself.
    """
    began = time.monotonic()
    heard = taken = _one_batch(consumer, flow)
    while taken >= _most(consumer):
        if time.monotonic() - began > GIVES_WAY_SECONDS:
            bus.nudge([consumer])
            break
        taken = _one_batch(consumer, flow)
        heard += taken
    return heard


def _one_batch(consumer: Consumer, flow: Flow) -> int:
    """One transaction: take, act, forget. Falls back to one by one when the batch cannot be acted on."""
    batch: list[Delivery] = []
    try:
        with transaction(f"worker:{consumer}") as tx:
            batch = deliveries.take(tx, consumer, _now(), _most(consumer))
            if not batch:
                return 0
            _hear(tx, flow, batch)
    except LOST:
        raise
    except Exception as error:
        if not batch:
            raise
        log.warning("batch_failed", consumer=consumer, size=len(batch), error=_named(error))
        return sum(_one(consumer, flow, one.event_id) for one in batch)
    bus.nudge(tx.woken)
    return len(batch)


def _one(consumer: Consumer, flow: Flow, event_id: EventId) -> int:
    """One delivery in a transaction of its own; put back with its error when it fails. One bad one blocks no other."""
    taken: list[Delivery] = []
    try:
        with transaction(f"worker:{consumer}") as tx:
            taken = deliveries.take(tx, consumer, _now(), 1, only=event_id)
            if not taken:
                return 0
            _hear(tx, flow, taken)
    except LOST:
        raise
    except Exception as error:
        if not taken:
            raise
        _put_back(taken[0], error)
        return 1
    bus.nudge(tx.woken)
    return 1


def _most(consumer: Consumer) -> int:
    return 1 if consumer in ONE_AT_A_TIME else settings().drain_batch


def _hear(tx: WriteTx, flow: Flow, batch: Sequence[Delivery]) -> None:
    begun = flow(tx, batch, _now()) or ()
    deliveries.done(tx, [one for one in batch if one.event_id not in begun])


def _put_back(failed: Delivery, error: Exception) -> None:
    with transaction("worker:deliveries") as tx:
        parked = deliveries.put_back(tx, failed, _named(error), _now())
    log.error(
        "delivery_parked" if parked else "delivery_failed",
        consumer=failed.consumer,
        event_id=failed.event_id,
        kind=failed.kind,
        tries=failed.tries + 1,
        error=_named(error),
        exc_info=not isinstance(error, Refusal),
    )


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _now() -> datetime:
    return datetime.now(UTC)
