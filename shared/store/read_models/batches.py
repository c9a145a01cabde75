"""What a vendor sees of a batch of detections: how far it is, what became of them, and why some were refused."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, func, literal, or_, select

from shared.store.engine import ReadTx
from shared.store.tables import detection, detection_batch, detection_refusal, sighting, source


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
    if row is None:
        return None
    verdicts = _verdicts(tx, row.id, row.received_at, matched=row.matched_at is not None)
    return BatchSeen(**row._mapping, verdicts=verdicts)


def _verdicts(tx: ReadTx, batch_id: int, received_at: datetime, *, matched: bool) -> dict[str, int]:
    """What a detection's own row does not say its sighting says, unless a person has ended that since."""
    became = case(
        (detection.c.verdict != "received", detection.c.verdict),
        (sighting.c.verdict == "new", "founded"),
        (or_(sighting.c.id.is_not(None), literal(matched)), "joined"),
        else_="received",
    ).label("became")
    linked = and_(sighting.c.detection_id == detection.c.id, sighting.c.unlinked_at.is_(None))
    counted = (
        select(became, func.count().label("so_many"))
        .select_from(detection.outerjoin(sighting, linked))
        .where(detection.c.batch_id == batch_id, detection.c.received_at == received_at)
        .group_by(became)
    )
    return {row.became: row.so_many for row in tx.execute(counted)}


def refusals(tx: ReadTx, batch_id: int, after: int, most: int) -> list[dict[str, Any]]:
    """Refused ones after a position (-1 for all), in their order."""
    listed = (
        select(detection_refusal.c.position, detection_refusal.c.field, detection_refusal.c.reason)
        .where(detection_refusal.c.batch_id == batch_id, detection_refusal.c.position > after)
        .order_by(detection_refusal.c.position)
        .limit(most)
    )
    return [dict(row._mapping) for row in tx.execute(listed)]
