"""Resolves the reports all of whose defects have ended, never before, and opens them again when one of them does."""

from collections.abc import Sequence
from datetime import datetime

from shared.domain.events import Event, ReportLinked, ReportResolved
from shared.domain.lifecycle import REPORT
from shared.domain.terms import ReportId, ReportState
from shared.store import event_log, reports_decisions, states
from shared.store.engine import WriteTx
from shared.store.reports_decisions import Standing
from shared.store.tables import report

_ENDED = "All that was found here has come to its end."
_AGAIN = "What had been answered is open again."


def settle(tx: WriteTx, defect_ids: Sequence[int], now: datetime) -> list[ReportId]:
    """Bring the reports of these defects in line with them (DOMAIN 10.3, case 3). Safe to repeat. Locks the reports.

    Call it whenever a defect has ended or is open again, in the same transaction. Returns the reports that moved.
    """
    reports = reports_decisions.standing(tx, defect_ids) if defect_ids else []
    resolved = [one for one in reports if one.state is ReportState.LINKED and one.open_defect is None]
    reopened = [one for one in reports if one.state is ReportState.RESOLVED and one.open_defect is not None]
    _move(tx, resolved, ReportState.LINKED, ReportState.RESOLVED, now)
    _move(tx, reopened, ReportState.RESOLVED, ReportState.LINKED, now)
    happened: list[Event] = [
        ReportResolved(report_id=one.id, before=ReportState.LINKED, after=ReportState.RESOLVED, why=_ENDED)
        for one in resolved
    ]
    happened += [_linked_again(one) for one in reopened]
    event_log.append(tx, happened, now)
    return [one.id for one in (*resolved, *reopened)]


def _move(tx: WriteTx, reports: Sequence[Standing], before: ReportState, after: ReportState, now: datetime) -> None:
    if not reports:
        return
    for one in reports:
        REPORT.check(before, after, {"all_ended": one.open_defect is None, "defect_open": one.open_defect})
    states.move(tx, report, [one.id for one in reports], before, after, now)


def _linked_again(one: Standing) -> ReportLinked:
    assert one.open_defect is not None  # noqa: S101 (narrows a type)
    return ReportLinked(
        report_id=one.id,
        before=ReportState.RESOLVED,
        after=ReportState.LINKED,
        defect_id=one.open_defect,
        verdict="reopened",
        why=_AGAIN,
    )
