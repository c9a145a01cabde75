"""Deliveries: which consumer has still to hear of which event. Taken in batches, put back, parked at last."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import BigInteger, Integer, bindparam, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY

from shared.domain.terms import EventId
from shared.store.engine import ReadTx, WriteTx
from shared.store.tables import delivery

TRIES = 10
"""After so many failures a delivery is parked: it waits for a person."""


class Delivery(NamedTuple):
    """One event that one consumer has to hear of. `subject_id` is the id of what the event is about."""

    consumer: str
    event_id: EventId
    event_at: datetime
    kind: str
    subject_id: int
    tries: int


_FIELDS = [delivery.c[name] for name in Delivery._fields]
_DUE = (
    select(*_FIELDS)
    .where(
        delivery.c.consumer == bindparam("consumer"),
        delivery.c.parked_at.is_(None),
        delivery.c.due_at <= bindparam("now"),
    )
    .order_by(delivery.c.event_id)
    .limit(bindparam("most", type_=Integer))
    .with_for_update(skip_locked=True)
)
_DUE_ONE = _DUE.where(delivery.c.event_id == bindparam("only"))
_DONE = delete(delivery).where(
    delivery.c.consumer == bindparam("consumer"),
    delivery.c.event_id == func.any(bindparam("ids", type_=ARRAY(BigInteger))),
)
"""Made once: to put a statement together took longer than to run it."""


def take(tx: WriteTx, consumer: str, now: datetime, most: int, *, only: EventId | None = None) -> list[Delivery]:
    """Take due deliveries in the order of their events. Locks their rows; what another worker holds is passed over."""
    asked = {"consumer": consumer, "now": now, "most": most}
    due = tx.execute(_DUE, asked) if only is None else tx.execute(_DUE_ONE, asked | {"only": only})
    return [Delivery._make(row) for row in due.all()]


_OWN = (
    select(*_FIELDS)
    .where(
        delivery.c.consumer == bindparam("consumer"),
        delivery.c.event_id > bindparam("after"),
        text("delivery.xmin = pg_current_xact_id()::xid"),
    )
    .order_by(delivery.c.event_id)
)


def own(tx: WriteTx, consumer: str, after: int) -> list[Delivery]:
    """What this transaction itself gave a consumer to hear, of events after that one; nobody else sees these rows."""
    return [Delivery._make(row) for row in tx.execute(_OWN, {"consumer": consumer, "after": after})]


def done(tx: WriteTx, taken: Sequence[Delivery]) -> None:
    """Delete what was heard, in the transaction that acted on it."""
    ids = [one.event_id for one in taken]
    if ids:
        tx.execute(_DONE, {"consumer": taken[0].consumer, "ids": ids})


def put_back(tx: WriteTx, failed: Delivery, error: str, now: datetime) -> bool:
    """Let a failed delivery wait longer each time (1 s, 2 s, 4 s … 10 min), or park it. True when it was parked."""
    tries = failed.tries + 1
    parked = tries >= TRIES
    tx.execute(
        update(delivery)
        .where(delivery.c.consumer == failed.consumer, delivery.c.event_id == failed.event_id)
        .values(
            tries=tries,
            error=error[:2000],
            due_at=now + wait(tries),
            parked_at=now if parked else None,
        )
    )
    return parked


def wait(tries: int) -> timedelta:
    """How long a delivery waits after so many failures."""
    return timedelta(seconds=min(2 ** (tries - 1), 600))


def hold(tx: WriteTx, consumer: str, event_id: EventId, until: datetime) -> None:
    """Let a delivery that was just written be due later."""
    held = update(delivery).where(delivery.c.consumer == consumer, delivery.c.event_id == event_id)
    tx.execute(held.values(due_at=until))


def call_off(tx: WriteTx, consumer: str, subject_id: int) -> None:
    """Delete what a consumer has still to hear of a subject. What a worker has taken already is left to it."""
    free = select(delivery.c.event_id).where(delivery.c.consumer == consumer, delivery.c.subject_id == subject_id)
    own = delivery.c.consumer == consumer
    tx.execute(delete(delivery).where(own, delivery.c.event_id.in_(free.with_for_update(skip_locked=True))))


def due_consumers(tx: ReadTx, now: datetime) -> list[str]:
    """Consumers with at least one due delivery: what beat nudges."""
    names = select(delivery.c.consumer).where(delivery.c.parked_at.is_(None), delivery.c.due_at <= now).distinct()
    return list(tx.scalars(names))


def listed(tx: ReadTx, *, parked_only: bool = True, most: int = 100) -> list[dict[str, object]]:
    """Deliveries for a person to look at, oldest first, with the error of the last try."""
    rows = select(delivery).order_by(delivery.c.event_id).limit(most)
    if parked_only:
        rows = rows.where(delivery.c.parked_at.is_not(None))
    return [dict(row._mapping) for row in tx.execute(rows)]


def retry(tx: WriteTx, now: datetime, *, consumer: str | None = None, event_id: EventId | None = None) -> int:
    """Make parked deliveries due again, with their tries counted anew. Returns how many."""
    again = update(delivery).where(delivery.c.parked_at.is_not(None))
    if consumer is not None:
        again = again.where(delivery.c.consumer == consumer)
    if event_id is not None:
        again = again.where(delivery.c.event_id == event_id)
    again = again.values(parked_at=None, tries=0, due_at=now).returning(delivery.c.consumer)
    woken = list(tx.scalars(again))
    tx.woken.update(woken)
    return len(woken)


def backlog(tx: ReadTx, now: datetime) -> list[dict[str, object]]:
    """For each consumer: deliveries due, waiting and parked, and the age in seconds of the oldest due one."""
    parked = delivery.c.parked_at.is_not(None)
    due = ~parked & (delivery.c.due_at <= now)
    rows = select(
        delivery.c.consumer,
        func.count().filter(due).label("due"),
        func.count().filter(~parked & ~due).label("waiting"),
        func.count().filter(parked).label("parked"),
        func.coalesce(func.extract("epoch", now - func.min(delivery.c.event_at).filter(due)), 0.0).label("lag_seconds"),
    ).group_by(delivery.c.consumer)
    return [dict(row._mapping) for row in tx.execute(rows)]
