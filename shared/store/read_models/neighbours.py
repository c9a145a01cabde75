"""Open defects near another one, as whoever merges looks at them; and what has been merged into it."""

from pathlib import Path
from typing import Any

from sqlalchemy import func, select, text

from shared.domain.terms import OPEN_DEFECT
from shared.errors import NotFound
from shared.store.engine import ReadTx
from shared.store.tables import defect, merge

_AROUND = text((Path(__file__).parent.parent / "sql" / "neighbours.sql").read_text())
MOST = 60


def around(tx: ReadTx, reference: str, within_m: float) -> list[dict[str, Any]]:
    """Open defects within so many metres of the defect of this reference, the nearest first; `MOST` of them at most.

    Raises:
        NotFound: there is no such defect.
    """
    if tx.scalar(select(defect.c.id).where(defect.c.reference == reference)) is None:
        raise NotFound(f"There is no defect {reference}.")
    tx.plan_for_values()
    asked = {"reference": reference, "within": within_m, "open": sorted(OPEN_DEFECT), "most": MOST}
    return [dict(row._mapping) for row in tx.execute(_AROUND, asked)]


def duplicates(tx: ReadTx, defect_id: int) -> list[dict[str, Any]]:
    """What has been merged into a defect and stands for nothing of its own: its reference, and since when."""
    since = select(func.max(merge.c.at)).where(merge.c.defect_id == defect.c.id, merge.c.undone_at.is_(None))
    rows = select(defect.c.reference, since.scalar_subquery().label("at")).where(defect.c.merged_into == defect_id)
    return [dict(row._mapping) for row in tx.execute(rows.order_by(defect.c.id))]
