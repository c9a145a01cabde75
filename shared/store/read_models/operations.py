"""How the house is doing, in numbers for machines: what came in, what is due, what is late. One cheap look."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from shared.store import deliveries, feed, messages
from shared.store.engine import ReadTx
from shared.store.tables import defect, detection_batch, missed_deadline, report, works_order

AWAITING = ("received", "triage", "needs_info", "challenged")
"""Reports for which somebody has still to decide; the partial index of the table lists the same."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """`backlog` is by consumer: due, waiting, parked, lag_seconds. The other mappings are counts by name."""

    backlog: list[dict[str, Any]]
    reports_awaiting: dict[str, int]
    reports_last_hour: int
    detections_last_hour: int
    clocks_missed: dict[str, int]
    defects_overdue: int
    orders_live: dict[str, int]
    feed_line: int
    messages_unsent: int
    messages_lag_seconds: float


def numbers(tx: ReadTx, now: datetime) -> Numbers:
    """Count, through indexes; nothing here reads a whole table that grows."""
    hour_ago = now - timedelta(hours=1)
    lately = select(func.count()).select_from(report).where(report.c.received_at >= hour_ago)
    surveyed = select(func.coalesce(func.sum(detection_batch.c.accepted), 0))
    missed = select(missed_deadline.c.clock, func.count()).group_by(missed_deadline.c.clock)
    awaiting = select(report.c.state, func.count()).where(report.c.state.in_(AWAITING)).group_by(report.c.state)
    live = select(works_order.c.state, func.count()).where(works_order.c.ended_at.is_(None))
    unsent, lag = messages.unsent(tx, now)
    return Numbers(
        backlog=deliveries.backlog(tx, now),
        reports_awaiting=_counts(tx, awaiting),
        reports_last_hour=tx.scalar(lately),
        detections_last_hour=int(tx.scalar(surveyed.where(detection_batch.c.received_at >= hour_ago))),
        clocks_missed=_counts(tx, missed),
        defects_overdue=tx.scalar(select(func.count()).select_from(defect).where(defect.c.overdue)),
        orders_live=_counts(tx, live.group_by(works_order.c.state)),
        feed_line=feed.last_number(tx),
        messages_unsent=unsent,
        messages_lag_seconds=lag,
    )


def _counts(tx: ReadTx, by_name: Any) -> dict[str, int]:
    """A statement of two columns, name and count, as a mapping."""
    return dict(map(tuple, tx.execute(by_name)))
