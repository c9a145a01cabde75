"""What works orders cover: read by order and by defect, and tidied when one ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, select, update

from shared.domain.terms import DefectId, OrderId
from shared.store.engine import ReadTx, WriteTx
from shared.store.tables import defect, works_order, works_order_defect
from shared.store.works import COVERABLE, Coverable, coverable

_OPEN_LINK = works_order_defect.c.ended_at.is_(None)


def covered_by(tx: ReadTx, order_ids: Sequence[int]) -> dict[int, list[Coverable]]:
    """The defects that each order covers still, in the order of their ids."""
    rows = tx.execute(
        select(works_order_defect.c.works_order_id, *COVERABLE)
        .join(defect, defect.c.id == works_order_defect.c.defect_id)
        .where(works_order_defect.c.works_order_id == func.any(list(order_ids)), _OPEN_LINK)
        .order_by(defect.c.id)
    )
    covered: dict[int, list[Coverable]] = {}
    for row in rows:
        covered.setdefault(row.works_order_id, []).append(coverable(row))
    return covered


def uncovered(tx: ReadTx, defect_ids: Sequence[int]) -> list[DefectId]:
    """Those of the defects that no order covers."""
    covering = exists().where(works_order_defect.c.defect_id == defect.c.id, _OPEN_LINK)
    return list(tx.scalars(select(defect.c.id).where(defect.c.id == func.any(list(defect_ids)), ~covering)))


def defects_named(tx: ReadTx, references: Sequence[str]) -> dict[str, DefectId]:
    """The ids of the defects of these references; those unknown are left out."""
    rows = select(defect.c.reference, defect.c.id).where(defect.c.reference == func.any(list(references)))
    return {row.reference: DefectId(row.id) for row in tx.execute(rows)}


@dataclass(frozen=True, slots=True)
class Stray:
    """A merged defect that an order covers still. `into_covered`: the one that stays has an order of its own."""

    defect_id: DefectId
    into_id: DefectId
    order_id: OrderId
    into_covered: bool


def stray_covers(tx: ReadTx, merged_ids: Sequence[int]) -> list[Stray]:
    """Those of the merged defects that an order covers still, the oldest order first."""
    other = works_order_defect.alias("other")
    into_covered = exists().where(other.c.defect_id == defect.c.merged_into, other.c.ended_at.is_(None))
    rows = (
        select(defect.c.id, defect.c.merged_into, works_order_defect.c.works_order_id, into_covered.label("covered"))
        .join(works_order_defect, works_order_defect.c.defect_id == defect.c.id)
        .where(
            defect.c.id == func.any(list(merged_ids)),
            defect.c.state == "duplicate",
            defect.c.merged_into.is_not(None),
            _OPEN_LINK,
        )
        .order_by(works_order_defect.c.works_order_id, defect.c.id)
    )
    return [Stray(row.id, row.merged_into, row.works_order_id, row.covered) for row in tx.execute(rows)]


def end_if_empty(tx: WriteTx, order_id: int, now: datetime) -> None:
    """Note the end of an order whose defects another has taken over."""
    covering = exists().where(works_order_defect.c.works_order_id == works_order.c.id, _OPEN_LINK)
    ended = update(works_order).where(works_order.c.id == order_id, works_order.c.ended_at.is_(None), ~covering)
    tx.execute(ended.values(ended_at=now, updated_at=now))


def take_back_safety(tx: WriteTx, defect_ids: Sequence[int], now: datetime) -> None:
    """These were found not to be safe after all: their make-safe clock runs on. Locks the rows."""
    if defect_ids:
        unsafe = update(defect).where(defect.c.id == func.any(list(defect_ids)))
        tx.execute(unsafe.values(made_safe_at=None, updated_at=now))
