"""A defect turns out to be two: some of what saw it found another one."""

from collections.abc import Sequence
from datetime import datetime

from shared.domain.events import DefectRecorded, DefectSplit, Event, ReportLinked
from shared.domain.terms import OPEN_DEFECT, DefectId, DefectState, ReportId, ReportState
from shared.errors import Conflict, Invalid, NotFound
from shared.flows import meanwhile, settle_reports
from shared.store import event_log, labels, merges, policies, references, relinks, reports_decisions
from shared.store.engine import ReadTx, WriteTx
from shared.store.merges import Party

_D = DefectState


def split(
    tx: WriteTx,
    reference: str,
    reports: Sequence[str],
    why: str,
    now: datetime,
    *,
    detections: Sequence[int] = (),
    seen: int | None = None,
) -> str:
    """Some of what saw a defect saw another one: they found it, as a candidate. Returns its reference.

    No machine joins the two again; merging the new one back undoes it.

    Raises:
        NotFound: there is no such defect, or it was not seen by one of these reports or detections.
        ChangedMeanwhile: somebody changed it since it was seen.
        Conflict: the defect has ended.
        Invalid: nothing would be left of it.
    """
    (from_id,) = merges.ids(tx, reference)
    merges.lock_around(tx, [from_id], policies.in_force(tx, now).policy)
    whole = merges.parties(tx, [from_id])[from_id]
    meanwhile.check(tx, "defect", {whole.id: seen}, now)
    check_whole(tx, whole)
    told = [reports_decisions.lock(tx, one) for one in sorted(set(reports))]
    ids = [one.id for one in told]
    _check_split(tx, whole, ids, detections)
    named = references.fresh("D")
    part = relinks.found_like(tx, whole.id, named, _D.CANDIDATE, ids, detections, now)
    if part is None:
        raise NotFound(f"None of these saw {whole.reference}.")
    labels.of_split(tx, whole.id, part, ids, detections, now)
    moved = relinks.split(tx, whole.id, part, ids, detections, why, now)
    relinks.redraw(tx, [whole.id, part], now)
    relinks.tell_apart(tx, whole.id, part, now)
    states_of = {one.id: one.state for one in told}
    happened: list[Event] = [
        DefectRecorded(defect_id=part, before=None, after=_D.CANDIDATE, class_code=whole.class_code),
        DefectSplit(defect_id=whole.id, new_id=part, why=why),
        *(_linked(one, states_of[one], part, why) for one in moved),
    ]
    event_log.append(tx, happened, now)
    settle_reports.settle(tx, [whole.id, part], now)
    return named


def check_whole(tx: ReadTx, whole: Party) -> None:
    """Let a defect be split.

    Raises:
        Conflict: it has ended.
        Invalid: it was seen once, or never: nothing would be left of it.
    """
    if whole.state not in OPEN_DEFECT:
        raise Conflict(f"{whole.reference} is {whole.state}: only an open defect is split.")
    if relinks.standing(tx, whole.id) < 2 or not relinks.can_go(tx, whole.id):
        raise Invalid(f"{whole.reference} was seen once or never: nothing would be left of it.")


def _check_split(tx: WriteTx, whole: Party, reports: Sequence[int], detections: Sequence[int]) -> None:
    asked = len(reports) + len(set(detections))
    seen = relinks.standing_of(tx, whole.id, reports, detections)
    if asked == 0 or seen != asked:
        raise NotFound(f"Name reports and detections that saw {whole.reference}: {asked - seen} of these did not.")
    if seen == relinks.standing(tx, whole.id):
        raise Invalid(f"All that saw {whole.reference} would go: nothing would be left of it.")


def _linked(report_id: ReportId, state: ReportState, defect_id: DefectId, why: str) -> ReportLinked:
    return ReportLinked(report_id=report_id, before=state, after=state, defect_id=defect_id, verdict="person", why=why)
