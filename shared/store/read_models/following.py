"""What the pages of a report and of a defect tell beside its timeline: warranty, measures, what came after."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, func, select

from shared.domain.policy import Policy
from shared.domain.terms import DefectState
from shared.store.engine import ReadTx
from shared.store.tables import defect, recall, recall_sighting, warranty

_UNMENDED = (DefectState.MONITOR, DefectState.CLOSED_NO_ACTION, DefectState.NO_DEFECT)
_PROMISING = ("active", "claim_open", "disputed", "not_attributable")


@dataclass(frozen=True, slots=True)
class Measured:
    """Why nothing is mended: what was measured, from what size on we mend, and when somebody looks again.

    Millimetres; None is not known, or does not apply.
    """

    depth_mm: float | None
    width_mm: float | None
    least_depth_mm: float | None
    least_width_mm: float | None
    look_again_at: datetime | None


def measured(row: Row[Any], policy: Policy) -> Measured | None:
    """For a defect that is watched or was found to be none; None for every other."""
    if row.state not in _UNMENDED:
        return None
    rule = policy.classes.get(row.class_code)
    level = policy.levels.get(rule.group) if rule else None
    return Measured(
        depth_mm=row.facts.get("measured_depth_mm", row.depth_mm),
        width_mm=row.facts.get("measured_width_mm", row.width_mm),
        least_depth_mm=level.depth_mm if level else None,
        least_width_mm=level.width_mm if level and level.width_mm else None,
        look_again_at=row.inspect_due_at if row.state == DefectState.MONITOR else None,
    )


def warranted_until(tx: ReadTx, defect_id: int) -> date | None:
    """The last day of the promise that stands for its repair."""
    until: date | None = tx.scalar(
        select(func.max(warranty.c.ends_on)).where(warranty.c.defect_id == defect_id, warranty.c.state.in_(_PROMISING))
    )
    return until


def came_again(tx: ReadTx, defect_id: int) -> list[str]:
    """The later defects at the place of this one, by their references, oldest first."""
    return list(tx.scalars(select(defect.c.reference).where(defect.c.recurrence_of == defect_id).order_by(defect.c.id)))


def questions_repair_of(tx: ReadTx, report_id: int) -> str | None:
    """The defect whose repair this report calls in question, while nobody has decided."""
    reference: str | None = tx.scalar(
        select(defect.c.reference)
        .join(recall, recall.c.defect_id == defect.c.id)
        .join(recall_sighting, recall_sighting.c.recall_id == recall.c.id)
        .where(recall_sighting.c.report_id == report_id, recall.c.state.in_(("proposed", "disputed")))
        .order_by(recall.c.id.desc())
        .limit(1)
    )
    return reference
