"""Recalls: repairs under warranty that are said to have failed, and what was seen there meanwhile."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import func, insert, select, text, update

from shared.domain.terms import DefectId, OrderId, RecallId, WarrantyId
from shared.errors import NotFound
from shared.store import references
from shared.store.engine import ReadTx, WriteTx
from shared.store.tables import recall, warranty
from shared.store.warranties import WarrantyRow


@dataclass(frozen=True, slots=True)
class RecallRow:
    """A recall that is locked. `works_order_id` is its remedial order, `new_defect_id` the defect that is mended in the
    place of a closed one; `ruled`: a supervisor has spoken already.
    """

    id: RecallId
    reference: str
    warranty_id: WarrantyId
    defect_id: DefectId
    state: str
    works_order_id: OrderId | None
    new_defect_id: DefectId | None
    ruled: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """A sighting in a warranty's footprint: a report or a detection, and why it is taken to be of that repair."""

    warranty_id: WarrantyId
    report_id: int | None
    detection_id: int | None
    why: str
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen(Claim):
    """A claim with what is known of its sighting. `distance_m`: from the footprint, 0 inside it."""

    known_at: datetime
    class_code: str
    distance_m: float


def lock(tx: WriteTx, reference: str, contractor_id: int | None = None) -> RecallRow:
    """The recall of this reference, locked. With `contractor_id`, only that contractor's own.

    Raises:
        NotFound: there is none, or it is another's.
    """
    row = tx.execute(
        select(
            *(recall.c[name] for name in ("id", "reference", "warranty_id", "defect_id", "state")),
            *(recall.c[name] for name in ("works_order_id", "new_defect_id")),
            recall.c.ruled_at.is_not(None).label("ruled"),
            warranty.c.contractor_id,
        )
        .join(warranty, warranty.c.id == recall.c.warranty_id)
        .where(recall.c.reference == references.read(reference))
        .with_for_update(of=recall)
    ).one_or_none()
    if row is None or contractor_id not in (None, row.contractor_id):
        raise NotFound(f"There is no recall {reference}.")
    return RecallRow(**{name: row._mapping[name] for name in RecallRow.__slots__})


def undecided(tx: WriteTx, warranty_ids: Sequence[int]) -> dict[WarrantyId, RecallId]:
    """The undecided recall of each of these warranties that has one."""
    rows = select(recall.c.warranty_id, recall.c.id).where(
        recall.c.warranty_id == func.any(list(warranty_ids)), recall.c.state.in_(("proposed", "disputed"))
    )
    return {WarrantyId(row.warranty_id): RecallId(row.id) for row in tx.execute(rows)}


def insert_all(tx: WriteTx, claimed: Sequence[tuple[WarrantyRow, str]], now: datetime) -> dict[WarrantyId, RecallId]:
    """Store a proposed recall for each warranty, with its reason. Returns their ids by warranty."""
    rows = [
        {"reference": made, "warranty_id": one.id, "defect_id": one.defect_id, "state": "proposed", "why": why}
        | {"proposed_at": now}
        for made, (one, why) in zip(references.fresh_many("K", len(claimed)), claimed, strict=True)
    ]
    made_rows = tx.execute(insert(recall).returning(recall.c.warranty_id, recall.c.id), rows)
    return {WarrantyId(row.warranty_id): RecallId(row.id) for row in made_rows}


_SEEN = text(
    """
    SELECT claim.warranty_id, claim.report_id, claim.detection_id, claim.why, claim.seen_at, seen.known_at,
           seen.class_code, ST_Distance(warranty.footprint, seen.geom) AS distance_m
    FROM jsonb_to_recordset(CAST(:claims AS jsonb))
        AS claim(warranty_id bigint, report_id bigint, detection_id bigint, why text, seen_at timestamptz)
    JOIN warranty ON warranty.id = claim.warranty_id
    CROSS JOIN LATERAL (
        SELECT received_at AS known_at, class_code, geom FROM report WHERE id = claim.report_id
        UNION ALL
        SELECT received_at, class_code, geom FROM detection WHERE id = claim.detection_id
    ) AS seen
    ORDER BY claim.seen_at, claim.report_id, claim.detection_id
    """
)


def seen(tx: ReadTx, claims: Sequence[Claim]) -> list[Seen]:
    """What the reports and detections behind these claims say, the first seen first."""
    return [Seen(**row._mapping) for row in tx.execute(_SEEN, {"claims": _told(claims)})]


def _told(rows: Sequence[Any]) -> str:
    return orjson.dumps(list(rows)).decode()


_WAIT = text(
    """
    INSERT INTO recall_sighting (recall_id, report_id, detection_id, why, at)
    SELECT recalled.recall_id, claim.report_id, claim.detection_id, claim.why, :now
    FROM jsonb_to_recordset(CAST(:claims AS jsonb))
        AS claim(warranty_id bigint, report_id bigint, detection_id bigint, why text)
    JOIN unnest(CAST(:warranties AS bigint[]), CAST(:recalls AS bigint[])) AS recalled(warranty_id, recall_id)
        USING (warranty_id)
    ON CONFLICT DO NOTHING
    """
)


def add_claims(tx: WriteTx, recalls: Mapping[WarrantyId, RecallId], claims: Sequence[Claim], now: datetime) -> None:
    """Let sightings wait with the recalls of their warranties. One that waits already is left as it is."""
    params = {"warranties": list(recalls.keys()), "recalls": list(recalls.values())}
    tx.execute(_WAIT, {"now": now, "claims": _told(claims), **params})


def change(tx: WriteTx, recall_id: int, **values: Any) -> None:
    """Give a recall its next state, with who decided, when and why. The caller has locked it."""
    tx.execute(update(recall).where(recall.c.id == recall_id).values(**values))
