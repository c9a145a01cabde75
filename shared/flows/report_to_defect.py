"""Where a report becomes a defect: joins one that is open, founds a new one, proposes a recall, or asks a person."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.board import Answer, ask, settle
from shared.domain.events import DefectRecorded, DefectSighted, Event, ReportLinked, ReportTriaged
from shared.domain.lifecycle import REPORT
from shared.domain.terms import DefectId, DefectState, ReportId, ReportState
from shared.domain.verdicts import Candidate, New, Recall, Same, Unsure, Verdict
from shared.errors import Conflict
from shared.flows import recall_repair
from shared.store import event_log, matching, policies, reports_due, sightings, telling
from shared.store.deliveries import Delivery
from shared.store.engine import WriteTx
from shared.store.matching import Surroundings
from shared.store.patches import Patch, apply
from shared.store.policies import InForce
from shared.store.recalls import Claim
from shared.store.reports_due import DueReport
from shared.store.sightings import Founded, Link, Resighted
from shared.store.tables import report

TRIES = 3
UNREAD = (ReportState.RECEIVED,)
"""What a delivery finds; any other state says that somebody was there already."""


def run(tx: WriteTx, due: Sequence[Delivery], now: datetime) -> None:
    """The triage consumer: settles the reports of these deliveries, those that nobody has settled yet."""
    triage(tx, [ReportId(one.subject_id) for one in due], now)


def triage(
    tx: WriteTx,
    report_ids: Sequence[ReportId],
    now: datetime,
    *,
    of: Sequence[ReportState] = UNREAD,
    answer: Answer = ask,
) -> None:
    """Settle reports in the order of their arrival; a batch gives what one by one gives. Others than `of` are left.

    `answer` may stand in for the person who would be asked (scoring; old records that nobody will look at again).
    Locks the reports, the places around them, and the defects that they join.
    """
    reports = reports_due.lock(tx, report_ids, of)
    if not reports:
        return
    policy = policies.in_force(tx, now)
    matching.lock_places(tx, [(one.seen.sighting.x, one.seen.sighting.y) for one in reports], policy.policy)
    around, verdicts = _decide(tx, reports, policy, answer)
    _write(tx, _Outcome(reports, verdicts, around), policy, now)


def triage_again(tx: WriteTx, report_id: ReportId, denied: Sequence[Candidate], now: datetime) -> Verdict:
    """Settle a report that waits in triage by what stands near it now, but for what a person said it is not of.

    `New` is not written: the person who said so founds the defect. A new question shows again what was denied, behind
    what came since. Locks as `triage` does.
    """
    (one,) = reports_due.lock(tx, [report_id], [ReportState.TRIAGE])
    policy = policies.in_force(tx, now)
    matching.lock_places(tx, [(one.seen.sighting.x, one.seen.sighting.y)], policy.policy)
    around, (verdict,) = _decide(tx, [one], policy, ask, frozenset(each.defect_id for each in denied))
    if isinstance(verdict, Unsure):
        verdict = Unsure((*verdict.candidates, *denied), verdict.why)
    if not isinstance(verdict, New):
        _write(tx, _Outcome([one], [verdict], around), policy, now)
    return verdict


def _decide(
    tx: WriteTx, reports: Sequence[DueReport], policy: InForce, answer: Answer, denied: Collection[int] = frozenset()
) -> tuple[Surroundings, list[Verdict]]:
    """Judge until what is joined is locked and still open: another flow may end a defect between look and lock.

    Raises:
        Conflict: it kept moving; the deliveries are due again by themselves.
    """
    seen = [one.seen.sighting for one in reports]
    for _ in range(TRIES):
        around = matching.surroundings(tx, seen, policy.policy).without(denied)
        verdicts = settle(
            around.board, seen, policy.policy.duplicates_of, around.footprints, around.apart, answer=answer
        )
        joined = {verdict.defect_id for verdict in verdicts if isinstance(verdict, Same) and verdict.defect_id > 0}
        if joined == matching.lock_open(tx, sorted(joined)).keys():
            return around, verdicts
    raise Conflict("The defects near these reports keep changing: they are triaged again in a moment.")


@dataclass(slots=True)
class _Outcome:
    """A batch with its verdicts, sorted into what has to be written. Positions are those in `reports`."""

    reports: Sequence[DueReport]
    verdicts: Sequence[Verdict]
    around: Surroundings
    ids: dict[int, DefectId] = field(default_factory=dict)

    def of(self, kind: type[Verdict]) -> list[int]:
        return [position for position, verdict in enumerate(self.verdicts) if isinstance(verdict, kind)]

    def members(self) -> dict[int, list[DueReport]]:
        """By defect (below 0: not recorded yet): the reports that found or join it, in their order."""
        found: dict[int, list[DueReport]] = {}
        for position, verdict in enumerate(self.verdicts):
            match verdict:
                case Same(defect_id):
                    found.setdefault(defect_id, []).append(self.reports[position])
                case New():
                    found.setdefault(-(position + 1), []).append(self.reports[position])
        return found

    def defect(self, position: int) -> DefectId:
        """The defect of a report that was linked, once it is recorded."""
        verdict = self.verdicts[position]
        number = verdict.defect_id if isinstance(verdict, Same) else -(position + 1)
        return self.ids.get(number, DefectId(number))


def _write(tx: WriteTx, outcome: _Outcome, policy: InForce, now: datetime) -> None:
    members = outcome.members()
    founded = [_founded(outcome, number, told) for number, told in members.items() if number < 0]
    recorded = sightings.record(tx, founded, policy.id, now)
    outcome.ids = dict(zip([number for number in members if number < 0], recorded, strict=True))
    touched = {number: told for number, told in members.items() if number > 0}
    sightings.resight(tx, [_resighted(outcome, number, told) for number, told in touched.items()], now)
    linked = {
        position: _link(outcome, position)
        for position, verdict in enumerate(outcome.verdicts)
        if isinstance(verdict, Same | New)
    }
    sightings.link_reports(tx, list(linked.values()), policy.id, now)
    asked = outcome.of(Unsure)
    sightings.ask(tx, _questions(outcome, asked), policy.id, now)
    _move(tx, outcome, linked, asked, now)
    happened: list[Event] = [_recorded(one, number) for one, number in zip(founded, recorded, strict=True)]
    happened += [_sighted(number, told) for number, told in touched.items()]
    happened += [_linked(outcome.reports[position], link) for position, link in linked.items()]
    happened += [_triaged(outcome, position) for position in asked if outcome.reports[position].state in UNREAD]
    event_log.append(tx, happened, now)
    recall_repair.propose(tx, _claims(outcome), now)
    telling.joined(tx, [(outcome.reports[each].id, outcome.defect(each)) for each in outcome.of(Same)], now)


def _founded(outcome: _Outcome, number: int, told: Sequence[DueReport]) -> Founded:
    verdict = outcome.verdicts[-number - 1]
    return Founded(
        first=told[0].seen,
        standing=outcome.around.board.standing[number],
        known_at=min(one.seen.sighting.known_at for one in told),
        danger=any(one.seen.danger for one in told),
        reports=len(told),
        detections=0,
        recurrence_of=verdict.recurrence_of if isinstance(verdict, New) else None,
    )


def _resighted(outcome: _Outcome, number: int, told: Sequence[DueReport]) -> Resighted:
    return Resighted(
        standing=outcome.around.board.standing[number],
        known_at=min(one.seen.sighting.known_at for one in told),
        danger=any(one.seen.danger for one in told),
        reports=len(told),
        detections=0,
    )


def _link(outcome: _Outcome, position: int) -> Link:
    verdict = outcome.verdicts[position]
    said = "same" if isinstance(verdict, Same) else "new"
    return Link(outcome.reports[position].seen, outcome.defect(position), said, verdict.why)


def _questions(outcome: _Outcome, asked: Sequence[int]) -> dict[ReportId, Unsure]:
    """A candidate that this batch founds is named by its recorded id."""
    found: dict[ReportId, Unsure] = {}
    for position in asked:
        verdict = outcome.verdicts[position]
        if isinstance(verdict, Unsure):
            found[outcome.reports[position].id] = verdict.renamed(outcome.ids)
    return found


def _move(tx: WriteTx, outcome: _Outcome, linked: Iterable[int], waiting: Sequence[int], now: datetime) -> None:
    patches = []
    for positions, after in ((linked, ReportState.LINKED), (waiting, ReportState.TRIAGE)):
        for position in positions:
            one = outcome.reports[position]
            if one.state != after:
                REPORT.check(one.state, after, {"defect_id": one.id})
                patches.append(Patch(one.id, one.state, after))
    apply(tx, report, patches, now)


def _recorded(one: Founded, defect_id: DefectId) -> DefectRecorded:
    return DefectRecorded(
        defect_id=defect_id,
        before=None,
        after=DefectState.CANDIDATE,
        class_code=one.first.sighting.class_code,
        recurrence_of=one.recurrence_of,
    )


def _sighted(defect_id: int, told: Sequence[DueReport]) -> DefectSighted:
    return DefectSighted(defect_id=defect_id, reports=len(told), danger=any(one.seen.danger for one in told))


def _linked(one: DueReport, link: Link) -> ReportLinked:
    return ReportLinked(
        report_id=one.id,
        before=one.state,
        after=ReportState.LINKED,
        defect_id=link.defect_id,
        verdict=link.verdict,
        why=link.why,
    )


def _triaged(outcome: _Outcome, position: int) -> ReportTriaged:
    one = outcome.reports[position]
    return ReportTriaged(
        report_id=one.id, before=one.state, after=ReportState.TRIAGE, why=outcome.verdicts[position].why
    )


def _claims(outcome: _Outcome) -> list[Claim]:
    return [
        Claim(verdict.warranty_id, one.id, None, verdict.why, one.seen.sighting.seen_at)
        for one, verdict in zip(outcome.reports, outcome.verdicts, strict=True)
        if isinstance(verdict, Recall)
    ]
