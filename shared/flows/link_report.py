"""A person says of which defect a report is: of this one, of none that is known, or not of this one after all.

`seen` is the newest event of the report that the person knew; changed since, it is refused with `ChangedMeanwhile`
(`flows/meanwhile.py`).
"""

from datetime import datetime
from typing import Any

from shared.domain.clocks import triage_due
from shared.domain.events import DefectRecorded, DefectSighted, Event, ReportLinked, ReportTriaged, ReportUnlinked
from shared.domain.lifecycle import REPORT
from shared.domain.terms import DefectId, DefectState, ReportId, ReportState
from shared.domain.verdicts import Standing
from shared.errors import Conflict
from shared.flows import meanwhile, settle_reports
from shared.store import (
    event_log,
    labels,
    matching,
    merges,
    policies,
    recall_sightings,
    relinks,
    reports_decisions,
    reports_due,
    sightings,
    states,
    telling,
)
from shared.store.engine import WriteTx
from shared.store.merges import Party
from shared.store.patches import Patch, apply
from shared.store.reports_decisions import ReportRow
from shared.store.sightings import Founded, Link
from shared.store.tables import report

_D, _R = DefectState, ReportState
_LOOKED_AT = (_R.CHALLENGED, _R.NEEDS_INFO)
"""Whoever links a report that was challenged, or that waited for its reporter, has looked at it."""


def link(tx: WriteTx, report_reference: str, reference: str, why: str, now: datetime, seen: int | None = None) -> None:
    """A person says that a report is of this defect (too). A duplicate stands for its original.

    Raises:
        NotFound: there is no such report or defect.
        Conflict: they are linked already; the report has gone another way; or the defect is under warranty and was
            seen after its repair: that is for a recall to decide (DOMAIN 10.3, case 6).
    """
    defect_id = lock_around(tx, reference, now)
    row = meanwhile.lock_report(tx, report_reference, seen, now)
    target = merges.parties(tx, [defect_id])[defect_id]
    _check_link(tx, row, target)
    asked, alone = reports_decisions.open_question(tx, row.id), not relinks.saw(tx, row.id)
    _link_rows(tx, row, target.id, why, now)
    if asked:
        labels.answered(tx, asked, {target.id: "same"}, now)
    labels.linked(tx, row.id, target.id, now, alone=alone)
    danger = reports_due.danger(tx, row.id)
    event_log.append(tx, DefectSighted(defect_id=target.id, reports=1, danger=danger), now)
    telling.joined(tx, [(row.id, target.id)], now)
    settle_reports.settle(tx, [target.id], now)


def lock_around(tx: WriteTx, reference: str, now: datetime) -> DefectId:
    """Keep everyone else from deciding near a defect; a duplicate stands for its original, whose id is returned.

    Before the report is locked, as whoever merges and splits has the place first and then the reports.

    Raises:
        NotFound: there is no such defect.
    """
    (defect_id,) = merges.ids(tx, reference)
    defect_id = merges.holder_of(tx, defect_id) or defect_id
    merges.lock_around(tx, [defect_id], policies.in_force(tx, now).policy)
    return defect_id


def lock_where_seen(tx: WriteTx, report_reference: str, now: datetime) -> None:
    """Keep everyone else from deciding near the place of a report; before it is locked, as above.

    Raises:
        NotFound: there is no such report.
    """
    where = reports_due.seen(tx, reports_decisions.look_at(tx, report_reference).id).sighting
    matching.lock_places(tx, [(where.x, where.y)], policies.in_force(tx, now).policy)


def _check_link(tx: WriteTx, row: ReportRow, target: Party) -> None:
    if target.merged_into is not None:
        raise Conflict(f"{target.reference} was merged just now: look again.")
    if target.id in relinks.saw(tx, row.id):
        raise Conflict(f"{row.reference} is linked to {target.reference} already.")
    promised = target.state in (_D.VERIFIED, _D.IN_WARRANTY)
    if promised and target.repaired_at is not None and relinks.observed_at(tx, row.id) >= target.repaired_at:
        raise Conflict(f"{target.reference} is repaired and under warranty: decide on a recall instead of linking.")


def _link_rows(tx: WriteTx, row: ReportRow, defect_id: DefectId, why: str, now: datetime) -> None:
    """The sighting, the report's step with its event, and the question that this answers."""
    policy = policies.in_force(tx, now).id
    check_linkable(row)
    row = through_triage(tx, row, now)
    sightings.link_reports(tx, [Link(reports_due.seen(tx, row.id), defect_id, "person", why)], policy, now)
    relinks.redraw(tx, [defect_id], now)
    apply(tx, report, [Patch(row.id, row.state, _R.LINKED)], now)
    reports_decisions.settle_questions(tx, [row.id], "linked", now)
    told = ReportLinked(
        report_id=row.id, before=row.state, after=_R.LINKED, defect_id=defect_id, verdict="person", why=why
    )
    event_log.append(tx, told, now)


def check_linkable(row: ReportRow) -> None:
    """Let a report be linked to a defect.

    Raises:
        UnlawfulStep: it has gone another way.
    """
    REPORT.check(_R.TRIAGE if row.state in _LOOKED_AT else row.state, _R.LINKED, {"defect_id": "one"})


def check_foundable(row: ReportRow) -> None:
    """Let a report tell of a defect that is not known yet.

    Raises:
        Conflict, UnlawfulStep: it is linked, or has gone another way.
    """
    if row.state is _R.LINKED:
        raise Conflict(f"{row.reference} is linked already: split or unlink it first.")
    check_linkable(row)


def through_triage(tx: WriteTx, row: ReportRow, now: datetime) -> ReportRow:
    """The report as somebody who looks at it has it before them."""
    if row.state not in _LOOKED_AT:
        return row
    step = ReportTriaged(report_id=row.id, before=row.state, after=_R.TRIAGE, why="A person looks at it.")
    anew = _read_by(tx, row, now) if row.state is _R.NEEDS_INFO else {}
    states.move(tx, report, [row.id], row.state, _R.TRIAGE, now, **anew)
    event_log.append(tx, step, now)
    return ReportRow(row.id, row.reference, _R.TRIAGE, row.class_code)


def _read_by(tx: WriteTx, row: ReportRow, now: datetime) -> dict[str, Any]:
    """By when somebody reads a report that waits again from now on: nobody else sees to a danger that it told of."""
    rules = policies.in_force(tx, now)
    until = triage_due(now, rules.policy, rules.calendar, danger=reports_due.danger(tx, row.id))
    return {"triage_due_at": until.at}


def found(tx: WriteTx, report_reference: str, why: str, now: datetime, seen: int | None = None) -> str:
    """A person says that a report is of a defect that is not known yet. Returns the new defect's reference.

    It is told apart from what is open within the distance at which a machine would have joined it.

    Raises:
        NotFound: there is no such report.
        Conflict: the report is linked, or has gone another way.
    """
    lock_where_seen(tx, report_reference, now)
    row = meanwhile.lock_report(tx, report_reference, seen, now)
    check_foundable(row)
    in_force = policies.in_force(tx, now)
    first = reports_due.seen(tx, row.id)
    sighting = first.sighting
    where = (sighting.x, sighting.y, sighting.accuracy_m)
    drawn = Standing(0, sighting.class_code, *where, sighting.known_at, sighting.seen_at, seen=0)
    one = Founded(first, drawn, sighting.known_at, first.danger, reports=0, detections=0)
    (defect_id,) = sightings.record(tx, [one], in_force.id, now)
    told = DefectRecorded(defect_id=defect_id, before=None, after=_D.CANDIDATE, class_code=sighting.class_code)
    event_log.append(tx, told, now)
    recall_sightings.keep_apart(tx, defect_id, in_force.policy.duplicates_of(sighting.class_code).same_cap_m, now)
    if asked := reports_decisions.open_question(tx, row.id):
        labels.answered(tx, asked, {one.defect_id: "different" for one in asked.candidates}, now)
    _link_rows(tx, row, defect_id, why, now)
    return merges.parties(tx, [defect_id])[defect_id].reference


def unlink(
    tx: WriteTx, report_reference: str, reference: str, why: str, now: datetime, seen: int | None = None
) -> None:
    """A person says that a report is not of this defect. With no other defect, it waits in triage for a person, and is
    read by when a new one would be.

    Linking it again undoes this.

    Raises:
        NotFound: there is no such report or defect.
        Conflict: they are not linked, or the report has ended.
    """
    report_id, defect_id = cut(tx, report_reference, reference, why, now, seen)
    labels.unlinked(tx, report_id, defect_id, now)


def cut(
    tx: WriteTx, report_reference: str, reference: str, why: str, now: datetime, seen: int | None = None
) -> tuple[ReportId, DefectId]:
    """Unlink, and keep no label of it: whoever takes a word of their own back contradicts no machine.

    Raises: as `unlink` does.
    """
    defect_id = lock_around(tx, reference, now)
    row = meanwhile.lock_report(tx, report_reference, seen, now)
    merges.parties(tx, [defect_id])
    if row.state is not _R.LINKED or not relinks.unlink(tx, row.id, defect_id, now):
        raise Conflict(f"{row.reference} is {row.state} and not linked to {reference} now.")
    after = _R.LINKED if relinks.saw(tx, row.id) else _R.TRIAGE
    REPORT.check(row.state, after, {"person": tx.actor, "reason": why, "defect_id": defect_id})
    apply(tx, report, [Patch(row.id, row.state, after, {} if after is _R.LINKED else _read_by(tx, row, now))], now)
    relinks.redraw(tx, [defect_id], now)
    happened: list[Event] = [
        ReportUnlinked(report_id=row.id, before=row.state, after=after, defect_id=defect_id, why=why),
        DefectSighted(defect_id=defect_id),
    ]
    event_log.append(tx, happened, now)
    settle_reports.settle(tx, [defect_id, *relinks.saw(tx, row.id)], now)
    return row.id, defect_id
