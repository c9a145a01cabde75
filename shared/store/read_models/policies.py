"""The versions of the policy as people look through them: whose each is, from when it decides, what it says."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import String, cast, func, select

from shared.store.engine import ReadTx
from shared.store.tables import contractor, event, person, policy_version, works_order


@dataclass(frozen=True, slots=True)
class Version:
    """`adopted_by` is the name of who adopted it; None where the record does not tell."""

    id: int
    name: str
    sha256: str
    approver: str
    effective_from: datetime
    adopted_at: datetime
    adopted_by: str | None


def versions(tx: ReadTx) -> list[Version]:
    """All versions, the newest first."""
    told = (
        select(event.c.subject_id, func.min(func.coalesce(person.c.name, event.c.actor)).label("by"))
        .outerjoin(person, event.c.actor == func.concat("person:", cast(person.c.id, String)))
        .where(event.c.kind == "PolicyAdopted")
        .group_by(event.c.subject_id)
        .subquery()
    )
    columns = [policy_version.c[name] for name in ("id", "name", "sha256", "approver", "effective_from", "adopted_at")]
    rows = select(*columns, told.c.by.label("adopted_by")).outerjoin(told, told.c.subject_id == policy_version.c.id)
    return [Version(**row._mapping) for row in tx.execute(rows.order_by(policy_version.c.id.desc()))]


def text_of(tx: ReadTx, policy_id: int) -> str | None:
    """What a version says; None when there is no such version."""
    written: str | None = tx.scalar(select(policy_version.c.text).where(policy_version.c.id == policy_id))
    return written


def orders_by_lot(tx: ReadTx, now: datetime) -> list[dict[str, Any]]:
    """The open works orders by contractor's code and lot: `open`, and `late` past the permanent due time."""
    late = func.count().filter(works_order.c.permanent_due_at < now, works_order.c.completed_at.is_(None))
    rows = (
        select(contractor.c.code.label("contractor"), works_order.c.lot, func.count().label("open"), late.label("late"))
        .join(contractor, contractor.c.id == works_order.c.contractor_id)
        .where(works_order.c.ended_at.is_(None))
        .group_by(contractor.c.code, works_order.c.lot)
    )
    return [dict(row._mapping) for row in tx.execute(rows)]
