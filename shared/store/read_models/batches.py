"""What a vendor sees of a batch of detections: how far it is, what became of them, and why some were refused."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from shared.store.engine import ReadTx
from shared.store.tables import detection, detection_batch, detection_refusal, source


@dataclass(frozen=True, slots=True)
class BatchSeen:
    """`verdicts` counts the accepted ones by what became of them; those that wait are "received"."""

    id: int
    reference: str
    source: str
    received_at: datetime
    accepted: int
    repeated: int
    refused: int
    matched_at: datetime | None
    outcome: dict[str, Any]
    verdicts: dict[str, int]


def batch(tx: ReadTx, reference: str, source_id: int | None) -> BatchSeen | None:
    """A batch; of one source only, unless that is None."""
    named = [name for name in BatchSeen.__slots__ if name not in ("source", "verdicts")]
    found = (
        select(*(detection_batch.c[name] for name in named), source.c.code.label("source"))
        .join(source, source.c.id == detection_batch.c.source_id)
        .where(detection_batch.c.reference == reference)
    )
    if source_id is not None:
        found = found.where(detection_batch.c.source_id == source_id)
    row = tx.execute(found).one_or_none()
    return None if row is None else BatchSeen(**row._mapping, verdicts=_verdicts(tx, row.id, row.received_at))


def _verdicts(tx: ReadTx, batch_id: int, received_at: datetime) -> dict[str, int]:
    counted = (
        select(detection.c.verdict, func.count().label("so_many"))
        .where(detection.c.batch_id == batch_id, detection.c.received_at == received_at)
        .group_by(detection.c.verdict)
    )
    return {row.verdict: row.so_many for row in tx.execute(counted)}


def refusals(tx: ReadTx, batch_id: int, after: int, most: int) -> list[dict[str, Any]]:
    """Refused ones after a position (-1 for all), in their order."""
    listed = (
        select(detection_refusal.c.position, detection_refusal.c.field, detection_refusal.c.reason)
        .where(detection_refusal.c.batch_id == batch_id, detection_refusal.c.position > after)
        .order_by(detection_refusal.c.position)
        .limit(most)
    )
    return [dict(row._mapping) for row in tx.execute(listed)]
