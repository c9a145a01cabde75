"""What residents reported and what was mended in the last days, for the start page."""

from datetime import datetime, timedelta

from sqlalchemy import func, select

from shared.store.engine import ReadTx
from shared.store.tables import event, report

DAYS = timedelta(days=7)


def counts(tx: ReadTx, now: datetime) -> list[tuple[str, int]]:
    """Plain words and numbers of the seven days before `now` (aware), through indexes."""
    since = now - DAYS
    received = select(func.count()).select_from(report).where(report.c.received_at >= since)
    happened = (
        select(event.c.kind, func.count())
        .where(event.c.kind.in_(("OrderIssued", "RepairVerified")), event.c.at >= since)
        .group_by(event.c.kind)
    )
    said = dict(map(tuple, tx.execute(happened)))
    return [
        ("reports from residents", int(tx.scalar(received))),
        ("jobs given to a crew", said.get("OrderIssued", 0)),
        ("repairs checked and finished", said.get("RepairVerified", 0)),
    ]
