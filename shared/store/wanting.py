"""Defects that want a works order and have none."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, and_, bindparam, case, exists, func, or_, select, true
from sqlalchemy.dialects.postgresql import ARRAY

from shared.domain.terms import ContractorId, DefectId, OrderId
from shared.store.engine import ReadTx, WriteTx
from shared.store.tables import defect, recall, warranty, works_order, works_order_defect
from shared.store.works import COVERABLE, Coverable, coverable

Kind = tuple[str, str, str | None]
"""Class, band and area: what a lot is chosen by."""


@dataclass(frozen=True, slots=True)
class Wanting:
    """A defect that wants a works order. `promised_by` must mend it again at its own cost."""

    defect: Coverable
    # The order that covered it until now: a temporary repair's.
    replaces: OrderId | None
    recall_id: int | None
    promised_by: ContractorId | None
    # The order whose repair failed, for a recall.
    failed_order: OrderId | None
    # Who did the temporary repair, when it was at their own cost.
    at_cost_of: ContractorId | None


_BAND = func.coalesce(defect.c.band, "R")
_CLOCK_RUNS = or_(defect.c.permanent_due_at.is_not(None), defect.c.make_safe_due_at.is_not(None))
_DANGER_STANDS = and_(defect.c.make_safe_due_at.is_not(None), defect.c.made_safe_at.is_(None))
_UNCOVERED = ~exists().where(works_order_defect.c.defect_id == defect.c.id, works_order_defect.c.ended_at.is_(None))


def _wants() -> Any:
    """Whether a defect wants an order: a recall and a temporary repair always, else when a clock for repair runs."""
    return and_(
        defect.c.merged_into.is_(None),
        or_(
            defect.c.state == "repaired_temporary",
            # Ordered without an order: its order ended while it counted as a duplicate.
            and_(defect.c.state.in_(("recalled", "ordered")), _UNCOVERED),
            and_(defect.c.state.in_(("confirmed", "made_safe")), _CLOCK_RUNS, _UNCOVERED),
            and_(defect.c.state == "third_party", _DANGER_STANDS, _UNCOVERED),
        ),
    )


_IDS = bindparam("ids", type_=ARRAY(BigInteger))
# Recalls before defects, as whoever decides a recall locks them: the other way round, the two deadlocked.
_CONCERNED = (
    select(recall.c.id)
    .where(recall.c.defect_id == func.any(_IDS))
    .order_by(recall.c.id)
    .with_for_update(key_share=True)
)
_LOCKING = (
    select(defect.c.id)
    .where(defect.c.id == func.any(_IDS), _wants())
    .order_by(defect.c.id)
    .with_for_update(key_share=True)
)


def _read() -> Any:
    covering = works_order_defect.alias("covering")
    replaced = works_order.alias("replaced")
    open_recall = (
        select(recall.c.id, warranty.c.contractor_id, warranty.c.works_order_id)
        .join(warranty, warranty.c.id == recall.c.warranty_id)
        .where(
            recall.c.defect_id == defect.c.id,
            defect.c.state == "recalled",
            recall.c.state == "attributable",
            recall.c.works_order_id.is_(None),
        )
        .order_by(recall.c.id.desc())
        .limit(1)
        .lateral("promise")
    )
    return (
        select(
            *COVERABLE,
            covering.c.works_order_id.label("replaces"),
            open_recall.c.id.label("recall_id"),
            open_recall.c.contractor_id.label("promised_by"),
            open_recall.c.works_order_id.label("failed_order"),
            case((replaced.c.charge_to == "contractor", replaced.c.contractor_id)).label("at_cost_of"),
        )
        .outerjoin(covering, and_(covering.c.defect_id == defect.c.id, covering.c.ended_at.is_(None)))
        .outerjoin(replaced, replaced.c.id == covering.c.works_order_id)
        .outerjoin(open_recall, true())
        .where(defect.c.id == func.any(_IDS), _wants())
        .order_by(defect.c.id)
    )


_READING = _read()
"""Made once: to put it together took most of the time of a small batch."""


def wanting(tx: WriteTx, defect_ids: Sequence[int]) -> list[Wanting]:
    """Those of the defects that want an order now, in the order of their ids. Locks their recalls, then their rows.

    They are confirmed (or made safe without an order) and graded, another's to mend but not yet made safe, temporarily
    repaired, or recalled.
    """
    tx.execute(_CONCERNED, {"ids": list(defect_ids)})
    # Locked first and read after: who waited for a lock must see what the one before them did.
    locked = list(tx.scalars(_LOCKING, {"ids": list(defect_ids)}))
    return wants(tx, locked) if locked else []


def wants(tx: ReadTx, defect_ids: Sequence[int]) -> list[Wanting]:
    """The same, unlocked: to be read, not to be acted upon."""
    return [
        Wanting(coverable(row), row.replaces, row.recall_id, row.promised_by, row.failed_order, row.at_cost_of)
        for row in tx.execute(_READING, {"ids": list(defect_ids)})
    ]


def recalled(tx: ReadTx, recall_ids: Sequence[int]) -> list[DefectId]:
    """The defects that these recalls are about."""
    if not recall_ids:
        return []
    return list(tx.scalars(select(recall.c.defect_id).where(recall.c.id == func.any(list(recall_ids)))))


def waiting_kinds(tx: ReadTx) -> list[Kind]:
    """What defects without an order are waiting, as (class, band, area): what a lot is chosen by."""
    kinds = select(defect.c.class_code, _BAND.label("band"), defect.c.area_code).where(_waiting()).distinct()
    return [(row.class_code, row.band, row.area_code) for row in tx.execute(kinds)]


def waiting(tx: ReadTx, kinds: Sequence[Kind], most: int) -> list[DefectId]:
    """Defects of these kinds without an order, the most urgent first, and recalls of every kind."""
    wanted = or_(
        defect.c.state == "recalled",
        *(
            and_(
                defect.c.class_code == kind,
                _BAND.is_not_distinct_from(band),
                defect.c.area_code.is_not_distinct_from(area),
            )
            for kind, band, area in kinds
        ),
    )
    ids = select(defect.c.id).where(_waiting(), wanted).order_by(defect.c.permanent_due_at, defect.c.id)
    return list(tx.scalars(ids.limit(most)))


def _waiting() -> Any:
    """Its own list of states first, word for word that of the partial index."""
    return and_(
        defect.c.state.in_(("confirmed", "made_safe", "recalled", "repaired_temporary", "third_party")),
        _wants(),
        ~_CANCELLED_BY_A_PERSON,
    )


_covered = works_order_defect.alias("covered")
_CANCELLED_BY_A_PERSON = exists(
    select(1)
    .select_from(_covered.join(works_order, works_order.c.id == _covered.c.works_order_id))
    .where(
        _covered.c.defect_id == defect.c.id,
        works_order.c.state == "cancelled",
        _covered.c.works_order_id
        == select(func.max(works_order_defect.c.works_order_id))
        .where(works_order_defect.c.defect_id == defect.c.id)
        .scalar_subquery(),
    )
)
"""Its last order was cancelled: only a new grading or a person brings another."""
