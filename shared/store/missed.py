"""Clocks that ran out: noticed once each, and the mark of the defects that are overdue now."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Text, bindparam, func, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY

from shared.domain.next_clock import CHECKED, LOOKED_AT, RUNNING
from shared.domain.terms import ReportId, ReportState
from shared.store.engine import WriteTx
from shared.store.tables import defect, event, report

_LISTS = [bindparam(name, type_=ARRAY(Text)) for name in ("running", "looked_at", "checked")]
_NOTICE = text((Path(__file__).parent / "sql" / "notice_missed.sql").read_text()).bindparams(*_LISTS)


@dataclass(frozen=True, slots=True)
class Missed:
    """A clock that ran out. `subject_id` is a report for the clock `triage`, else a defect."""

    clock: str
    due_at: datetime
    subject_id: int


def notice(tx: WriteTx, now: datetime) -> list[Missed]:
    """Every clock that ran out and was not noticed before, the longest overdue first."""
    lists = {"running": sorted(RUNNING), "looked_at": sorted(LOOKED_AT), "checked": sorted(CHECKED)}
    return [Missed(row.clock, row.due_at, row.subject_id) for row in tx.execute(_NOTICE, {"now": now, **lists})]


def mark(tx: WriteTx, now: datetime) -> None:
    """Let `overdue` say of each defect whether a clock of its repair has run out. Locks the rows that change."""
    unsafe = (
        defect.c.make_safe_due_at.is_not(None) & (defect.c.make_safe_due_at < now) & defect.c.made_safe_at.is_(None)
    )
    unmended = defect.c.permanent_due_at.is_not(None) & (defect.c.permanent_due_at < now)
    late = defect.c.state.in_(sorted(RUNNING)) & (unsafe | unmended)
    tx.execute(update(defect).where(late, ~defect.c.overdue).values(overdue=True, updated_at=now))
    tx.execute(update(defect).where(defect.c.overdue, ~late).values(overdue=False, updated_at=now))


def unanswered(tx: WriteTx, asked_before: datetime, most: int = 1000) -> list[tuple[ReportId, datetime]]:
    """Reports whose reporter was asked before then and has not answered, with when. Locks those that nobody holds."""
    asked = (
        select(func.max(event.c.at))
        .where(event.c.subject == "report", event.c.subject_id == report.c.id, event.c.after == ReportState.NEEDS_INFO)
        .scalar_subquery()
    )
    waiting = select(report.c.id, asked.label("at")).where(report.c.state == ReportState.NEEDS_INFO)
    old = waiting.where(asked < asked_before).order_by(report.c.id).limit(most).with_for_update(skip_locked=True)
    return [(ReportId(row.id), row.at) for row in tx.execute(old)]
