"""Danger that was reported and that nobody has taken yet, for those who are called by it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, and_, func, select

from shared.domain.terms import OPEN_REPORT
from shared.store.dangers import name_of
from shared.store.engine import ReadTx
from shared.store.tables import report, street

_COLUMNS = ("reference", "class_code", "state", "lat", "lon", "address", "description", "received_at")
UNTAKEN = and_(
    report.c.danger,
    report.c.taken_at.is_(None),
    report.c.external_id.is_(None),
    report.c.state.in_(sorted(OPEN_REPORT)),
)
"""What calls until somebody takes it: danger in a report that has not ended. What a load brought in is history."""


@dataclass(frozen=True, slots=True)
class Untaken:
    """Some of them, the newest first, and how many there are."""

    rows: list[RowMapping]
    total: int


def untaken(tx: ReadTx, most: int) -> Untaken:
    """Reports with danger that nobody has taken and that have not ended: withdrawn, rejected, settled."""
    rows = (
        select(*(report.c[name] for name in _COLUMNS), street.c.name.label("street"))
        .outerjoin(street, street.c.id == report.c.street_id)
        .where(UNTAKEN)
        .order_by(report.c.received_at.desc(), report.c.id.desc())
        .limit(most)
    )
    found = [row._mapping for row in tx.execute(rows)]
    total = len(found) if len(found) < most else _count(tx)
    return Untaken(found, total)


def _count(tx: ReadTx) -> int:
    counted: Any = tx.scalar(select(func.count()).select_from(report).where(UNTAKEN))
    return int(counted)


def who_took(tx: ReadTx, report_id: int) -> str | None:
    """The name of who took the danger of this report; None when nobody did, or no person."""
    actor: str | None = tx.scalar(select(report.c.taken_by).where(report.c.id == report_id))
    return None if actor is None else name_of(tx, actor)
