"""Warranties and recalls as rows: what each repair promises and where, and what was seen in its footprint."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import Row, func, select, text

from shared.domain.terms import (
    LIVE_WARRANTY,
    ContractorId,
    DefectId,
    DefectState,
    OrderId,
    WarrantyId,
    WarrantyState,
)
from shared.store.engine import ReadTx, WriteTx
from shared.store.tables import GRID, defect, recall, sighting, visit, warranty

UNFINISHED = (
    WarrantyState.ACTIVE,
    WarrantyState.CLAIM_OPEN,
    WarrantyState.ATTRIBUTABLE,
    WarrantyState.NOT_ATTRIBUTABLE,
    WarrantyState.DISPUTED,
)
"""A warranty that a newer repair of the same defect has to take over from."""
_MENDED_FOR = ("attributable", "disputed")
"""States of a recall for which a new defect is mended in the place of a closed one."""


@dataclass(frozen=True, slots=True)
class WarrantyRow:
    """A warranty that is locked. `ends_on` is inclusive."""

    id: WarrantyId
    defect_id: DefectId
    defect: str
    works_order_id: OrderId
    contractor_id: ContractorId
    state: WarrantyState
    class_code: str
    repair_type: str
    repaired_at: datetime
    starts_on: date
    ends_on: date
    # As the visit measured the patch; None where it did not.
    length_m: float | None
    width_m: float | None


@dataclass(frozen=True, slots=True)
class Repaired:
    """What was repaired and where, in metres on the grid."""

    defect_id: DefectId
    works_order_id: OrderId
    class_code: str
    band: str | None
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class NewWarranty:
    """A warranty to be stored. The footprint is a circle of `radius_m` round (x, y) on the grid."""

    defect_id: DefectId
    works_order_id: OrderId
    visit_id: int
    contractor_id: ContractorId
    repair_type: str
    repaired_at: datetime
    starts_on: date
    ends_on: date
    x: float
    y: float
    radius_m: float
    follows: WarrantyId | None


_WARRANTY = [
    warranty.c.id,
    warranty.c.defect_id,
    defect.c.reference.label("defect"),
    *(
        warranty.c[name]
        for name in (
            "works_order_id",
            "contractor_id",
            "state",
            "class_code",
            "repair_type",
            "repaired_at",
            "starts_on",
            "ends_on",
        )
    ),
    visit.c.length_m,
    visit.c.width_m,
]
_OF_WARRANTY = warranty.join(defect, defect.c.id == warranty.c.defect_id).join(visit, visit.c.id == warranty.c.visit_id)


def _warranty(row: Row[Any]) -> WarrantyRow:
    said = {name: row._mapping[name] for name in WarrantyRow.__slots__}
    return WarrantyRow(**{**said, "state": WarrantyState(row.state)})


def lock(tx: WriteTx, ids: Sequence[int]) -> dict[WarrantyId, WarrantyRow]:
    """The warranties of these ids, locked in the order of their ids."""
    rows = select(*_WARRANTY).select_from(_OF_WARRANTY).where(warranty.c.id == func.any(list(ids)))
    found = tx.execute(rows.order_by(warranty.c.id).with_for_update(of=warranty))
    return {WarrantyId(row.id): _warranty(row) for row in found}


def lock_unfinished(tx: WriteTx, defect_ids: Sequence[int]) -> dict[DefectId, list[WarrantyRow]]:
    """By defect, the warranties whose promise has not come to its end, locked in the order of their ids.

    A defect that recurs from a closed one, and is mended as its recall, answers for that one's warranty, also while
    that is disputed.
    """
    wanted = list(defect_ids)
    mended_for = recall.alias("mended_for")
    failed = (mended_for.c.warranty_id == warranty.c.id) & (mended_for.c.new_defect_id == func.any(wanted))
    rows = (
        select(*_WARRANTY, func.coalesce(mended_for.c.new_defect_id, warranty.c.defect_id).label("repaired"))
        .select_from(_OF_WARRANTY.outerjoin(mended_for, failed & mended_for.c.state.in_(_MENDED_FOR)))
        .where(
            (warranty.c.defect_id == func.any(wanted)) | mended_for.c.id.is_not(None),
            warranty.c.state.in_(UNFINISHED),
        )
        .order_by(warranty.c.id)
        .with_for_update(of=warranty)
    )
    found: dict[DefectId, list[WarrantyRow]] = {}
    for row in tx.execute(rows):
        found.setdefault(DefectId(row.repaired), []).append(_warranty(row))
    return found


def of_report(tx: ReadTx, report_id: int) -> list[WarrantyRow]:
    """The warranties of the repairs that a report was answered with, the oldest first."""
    told = select(sighting.c.defect_id).where(sighting.c.report_id == report_id, sighting.c.unlinked_at.is_(None))
    rows = select(*_WARRANTY).select_from(_OF_WARRANTY).where(warranty.c.defect_id.in_(told)).order_by(warranty.c.id)
    return [_warranty(row) for row in tx.execute(rows)]


def standing(tx: ReadTx, defect_id: int, seen_at: datetime) -> WarrantyId | None:
    """The warranty under which this defect stands repaired and was seen since the repair; None when it does not."""
    found: WarrantyId | None = tx.scalar(
        select(warranty.c.id)
        .join(defect, defect.c.id == warranty.c.defect_id)
        .where(
            defect.c.id == defect_id,
            defect.c.state == DefectState.IN_WARRANTY,
            warranty.c.state.in_(LIVE_WARRANTY),
            warranty.c.repaired_at <= seen_at,
        )
        .order_by(warranty.c.id.desc())
        .limit(1)
    )
    return found


_REPAIRED = text(
    """
    SELECT told.defect_id, told.works_order_id, defect.class_code, defect.band,
           ST_X(place.geom) AS x, ST_Y(place.geom) AS y
    FROM unnest(CAST(:defects AS bigint[]), CAST(:orders AS bigint[]), CAST(:visits AS bigint[]))
        AS told(defect_id, works_order_id, visit_id)
    JOIN defect ON defect.id = told.defect_id
    LEFT JOIN visit ON visit.id = told.visit_id
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN visit.geom IS NOT NULL AND visit.accuracy_m < defect.accuracy_m AND cardinality(visit.defect_ids) = 1
            THEN visit.geom ELSE defect.geom
        END AS geom
    ) AS place
    """
)


def repaired(tx: ReadTx, repairs: Sequence[tuple[int, int, int]]) -> dict[tuple[int, int], Repaired]:
    """What was repaired, by (defect, works order), for (defect, works order, visit).

    A visit's position counts where it was about one defect only and the phone was surer than what saw the defect.
    """
    defects, orders, visits = zip(*repairs, strict=True)
    params = {"defects": list(defects), "orders": list(orders), "visits": list(visits)}
    return {(row.defect_id, row.works_order_id): Repaired(**row._mapping) for row in tx.execute(_REPAIRED, params)}


_START = text(
    f"""
    INSERT INTO warranty (defect_id, works_order_id, visit_id, contractor_id, state, class_code, repair_type,
        repaired_at, starts_on, ends_on, footprint, street_key, street_side, level, follows, made_at, updated_at)
    SELECT new.defect_id, new.works_order_id, new.visit_id, new.contractor_id, 'active', defect.class_code,
        new.repair_type, new.repaired_at, new.starts_on, new.ends_on,
        ST_Buffer(ST_SetSRID(ST_MakePoint(new.x, new.y), {GRID}), new.radius_m, 'quad_segs=4'),
        defect.street_key, defect.street_side, defect.level, new.follows, :now, :now
    FROM jsonb_to_recordset(CAST(:new AS jsonb)) AS new(defect_id bigint, works_order_id bigint, visit_id bigint,
        contractor_id bigint, repair_type text, repaired_at timestamptz, starts_on date, ends_on date,
        x double precision, y double precision, radius_m double precision, follows bigint)
    JOIN defect ON defect.id = new.defect_id
    ON CONFLICT (defect_id, works_order_id) DO NOTHING
    RETURNING id, defect_id, works_order_id
    """
)


def start(tx: WriteTx, new: Sequence[NewWarranty], now: datetime) -> dict[tuple[int, int], WarrantyId]:
    """Store warranties (active). Returns their ids by (defect, works order); one that is stored already is left out."""
    told = orjson.dumps(list(new)).decode()
    return {
        (row.defect_id, row.works_order_id): WarrantyId(row.id) for row in tx.execute(_START, {"new": told, "now": now})
    }


def over(tx: WriteTx, today: date, most: int) -> list[WarrantyId]:
    """Active warranties whose last day is before `today`, the oldest first."""
    ids = (
        select(warranty.c.id)
        .where(warranty.c.state == WarrantyState.ACTIVE, warranty.c.ends_on < today)
        .order_by(warranty.c.ends_on, warranty.c.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    return list(tx.scalars(ids))


def unwarranted(tx: ReadTx, defect_ids: Sequence[int]) -> list[DefectId]:
    """Those of the defects that are said to be in warranty and have no warranty left that stands."""
    standing = select(warranty.c.id).where(warranty.c.defect_id == defect.c.id, warranty.c.state.in_(UNFINISHED))
    ids = select(defect.c.id).where(
        defect.c.id == func.any(list(defect_ids)), defect.c.state == "in_warranty", ~standing.exists()
    )
    return list(tx.scalars(ids.order_by(defect.c.id)))


def remedied_by(tx: ReadTx, warranty_id: int) -> bool:
    """Whether the remedy of this warranty's repair is verified already: then another warranty follows it."""
    return tx.scalar(select(warranty.c.id).where(warranty.c.follows == warranty_id).limit(1)) is not None
