"""What is parked: deliveries and messages that failed too often, with what they are about, for people to look at."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Table, case, func, literal, select, union_all

from shared.domain.events import KINDS
from shared.store.engine import ReadTx
from shared.store.tables import defect, delivery, message, report, works_order

MOST = 200
_REFERENCED: dict[str, Table] = {"report": report, "defect": defect, "works_order": works_order}
_OF_KIND = {name: kind.SUBJECT for name, kind in KINDS.items()}


@dataclass(frozen=True, slots=True)
class ParkedDelivery:
    """`subject`: report, defect, works_order, batch …; `reference` of it, where it has one that pages know."""

    consumer: str
    event_id: int
    kind: str
    subject: str
    subject_id: int
    reference: str | None
    tries: int
    event_at: datetime
    parked_at: datetime
    error: str


@dataclass(frozen=True, slots=True)
class ParkedMessage:
    """Who reads it is not told. `reference`: of the report that it is about, where it is one's."""

    id: int
    template: str
    channel: str
    reference: str | None
    tries: int
    made_at: datetime
    parked_at: datetime
    error: str


def deliveries(tx: ReadTx) -> list[ParkedDelivery]:
    """The oldest first, at most `MOST`."""
    subject = case(_OF_KIND, value=delivery.c.kind, else_="")
    parked = (
        select(
            *(delivery.c[name] for name in ("consumer", "event_id", "kind", "subject_id", "tries", "event_at")),
            delivery.c.parked_at,
            func.coalesce(delivery.c.error, "").label("error"),
            subject.label("subject"),
        )
        .where(delivery.c.parked_at.is_not(None))
        .order_by(delivery.c.event_id, delivery.c.consumer)
        .limit(MOST)
        .cte("parked")
    )
    named = union_all(
        *(
            select(literal(name).label("subject"), table.c.id, table.c.reference).where(
                table.c.id.in_(select(parked.c.subject_id).where(parked.c.subject == name))
            )
            for name, table in _REFERENCED.items()
        )
    ).subquery()
    rows = (
        select(parked, named.c.reference)
        .outerjoin(named, (named.c.subject == parked.c.subject) & (named.c.id == parked.c.subject_id))
        .order_by(parked.c.event_id, parked.c.consumer)
    )
    return [ParkedDelivery(**row._mapping) for row in tx.execute(rows)]


def messages(tx: ReadTx) -> list[ParkedMessage]:
    """The oldest first, at most `MOST`."""
    names = ("id", "template", "channel", "tries", "made_at", "parked_at")
    rows = (
        select(*(message.c[name] for name in names), func.coalesce(message.c.error, "").label("error"))
        .add_columns(report.c.reference)
        .outerjoin(report, report.c.id == message.c.report_id)
        .where(_WAITS)
        .order_by(message.c.id)
        .limit(MOST)
    )
    return [ParkedMessage(**row._mapping) for row in tx.execute(rows)]


_WAITS = message.c.parked_at.is_not(None) & message.c.sent_at.is_(None) & message.c.dropped_at.is_(None)


def counts(tx: ReadTx) -> tuple[int, int]:
    """How many deliveries and how many messages are parked."""
    parked = select(func.count()).select_from(delivery).where(delivery.c.parked_at.is_not(None))
    waiting = select(func.count()).select_from(message).where(_WAITS)
    return int(tx.scalar(parked)), int(tx.scalar(waiting))
