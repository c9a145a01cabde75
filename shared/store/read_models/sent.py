"""What became of a draft that was sent, for its last page."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from shared.domain.terms import ReportState
from shared.store.engine import ReadTx
from shared.store.tables import defect, report, sighting


@dataclass(frozen=True, slots=True)
class SentReport:
    """A report as its sender is told of it. `look_by` is the policy's promise."""

    reference: str
    danger: bool
    look_by: datetime
    state: ReportState


@dataclass(frozen=True, slots=True)
class SentSighting:
    """A passer-by's word: about which defect, and by when somebody looks at it, where that is known."""

    reference: str
    danger: bool
    look_by: datetime | None


def sent_report(tx: ReadTx, report_id: int) -> SentReport:
    """The report of a draft that was sent as one."""
    columns = (report.c.reference, report.c.danger, report.c.triage_due_at, report.c.state)
    row = tx.execute(select(*columns).where(report.c.id == report_id)).one()
    return SentReport(row.reference, row.danger, row.triage_due_at, ReportState(row.state))


def sent_sighting(tx: ReadTx, sighting_id: int) -> SentSighting:
    """The defect is the one that it is now with: a merge may have taken it along."""
    row = tx.execute(
        select(defect.c.reference, sighting.c.danger, defect.c.inspect_due_at)
        .join(defect, defect.c.id == sighting.c.defect_id)
        .where(sighting.c.id == sighting_id)
    ).one()
    return SentSighting(row.reference, row.danger, row.inspect_due_at)
