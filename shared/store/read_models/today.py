"""What came in and what was mended since midnight, for the status page."""

from datetime import datetime, timedelta

from sqlalchemy import func, select

from shared.store.engine import ReadTx
from shared.store.tables import defect, detection_batch, event, report


def counts(tx: ReadTx, midnight: datetime) -> list[tuple[str, int]]:
    """Plain words and numbers since `midnight` (aware), through indexes."""
    received = select(func.count()).select_from(report).where(report.c.received_at >= midnight)
    detected = select(func.coalesce(func.sum(detection_batch.c.accepted), 0)).where(
        detection_batch.c.received_at >= midnight
    )
    overdue = select(func.count()).select_from(defect).where(defect.c.overdue)
    of_kind = (
        select(event.c.kind, func.count())
        .where(
            event.c.kind.in_(("DefectRecorded", "OrderIssued", "RepairVerified", "RecallProposed")),
            event.c.at >= midnight,
            event.c.at < midnight + timedelta(days=2),
        )
        .group_by(event.c.kind)
    )
    said = dict(map(tuple, tx.execute(of_kind)))
    return [
        ("Reports received", int(tx.scalar(received))),
        ("Detections received", int(tx.scalar(detected))),
        ("Defects recorded", said.get("DefectRecorded", 0)),
        ("Works orders issued", said.get("OrderIssued", 0)),
        ("Repairs verified", said.get("RepairVerified", 0)),
        ("Recalls proposed", said.get("RecallProposed", 0)),
        ("Overdue now", int(tx.scalar(overdue))),
    ]
