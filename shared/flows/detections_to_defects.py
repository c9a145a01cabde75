"""Where detections become defects: a batch is matched as a set, the rest found candidates as the policy says."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from shared.domain.board import Board
from shared.domain.dedupe import reach_m
from shared.domain.events import DefectDetected, DefectSighted, DetectionsMatched, Event
from shared.domain.priority import size_steps
from shared.domain.surveys import Detected, Promoted, Queue, SurveyVerdict, settle_survey
from shared.domain.terms import DefectId, DefectState, EventId
from shared.domain.verdicts import Recall, Same
from shared.errors import Conflict
from shared.flows import recall_repair
from shared.store import detections_due, event_log, matching, plain_matches, policies, sightings
from shared.store.deliveries import Delivery
from shared.store.detections_due import Batch, Next
from shared.store.engine import ReadTx, WriteTx
from shared.store.matching import Known, Surroundings
from shared.store.plain_matches import Plain
from shared.store.policies import InForce
from shared.store.recalls import Claim
from shared.store.sightings import Founded, Link, Resighted

TRIES = 3
MOST = 10_000
"""Detections in one transaction."""
PLAINLY = True
"""Let the database settle what is plain. Without, the judge says the same of each, in three times the time."""
WAITS = timedelta(days=90)
"""A detection that no other pass has confirmed in this time waits no longer."""

VERDICTS = {
    "Same": "joined",
    "Promoted": "founded",
    "Recall": "recalled",
    "Stale": "stale",
    "Kept": "kept",
    "Waiting": "waiting",
}
"""What is written of a detection for each verdict."""


def run(tx: WriteTx, due: Sequence[Delivery], now: datetime) -> list[EventId]:
    """The detections consumer: matches what is next of the first batch. Gives back the events of what is left to do.

    Some thousands in a transaction: a resident's report near by waits for a part of a batch, never for all of it; what
    a killed worker had done stays done; and places are locked once, in order: no two workers wait for each other.
    """
    told_by = {one.subject_id: one.event_id for one in due}
    batches = detections_due.lock_batches(tx, list(told_by))
    begun = {batch.id for batch in batches}
    if batches and match_some(tx, batches[0], now):
        begun.remove(batches[0].id)
    return [told_by[number] for number in sorted(begun)]


def match_some(tx: WriteTx, batch: Batch, now: datetime) -> bool:
    """Match a batch's next detections in the order in which they came. True when they were its last.

    Locks the places around them (whole tiles, when they are many), and the defects that they join.
    """
    policy = policies.in_force(tx, now)
    due = detections_due.next_of(tx, batch, MOST)
    outcome = Counter({said: 0 for said in VERDICTS.values()} | dict(batch.outcome))
    if due is not None:
        matching.lock_places(tx, due.points, policy.policy)
        matched = _decide(tx, batch, due, policy, now)
        _write(tx, matched, batch, due, policy, now)
        outcome.update(VERDICTS[type(verdict).__name__] for verdict in matched.verdicts)
        outcome["joined"] += len(matched.plain)
    if due is not None and len(due.points) == MOST:
        detections_due.go_on_after(tx, batch, due.last, outcome)
        return False
    detections_due.finish(tx, batch, outcome, now)
    event_log.append(tx, _matched(batch, outcome), now)
    return True


def _matched(batch: Batch, outcome: Mapping[str, int]) -> DetectionsMatched:
    return DetectionsMatched(
        batch_id=batch.id,
        joined=outcome["joined"],
        founded=outcome["founded"],
        recalled=outcome["recalled"],
        stale=outcome["stale"],
        kept=outcome["kept"] + outcome["waiting"],
    )


@dataclass
class _Matched:
    """A batch with its verdicts. `waiting` are the earlier detections by id that some of it agree with; `plain` are
    those of the batch that needed no judge; `outdated` waited, and wait no longer for what has been repaired."""

    plain: Sequence[Plain]
    due: Sequence[Detected]
    verdicts: Sequence[SurveyVerdict]
    around: Surroundings
    waiting: Mapping[int, Detected]
    known: Mapping[int, Known]
    outdated: Collection[int]
    ids: dict[int, DefectId] = field(default_factory=dict)

    @cached_property
    def joined(self) -> set[int]:
        """The defects that were there before and that some of it join."""
        return {one.defect_id for one in self.verdicts if isinstance(one, Same) and one.defect_id > 0}

    @cached_property
    def by_id(self) -> dict[int, Detected]:
        return {one.id: one for one in self.due} | dict(self.waiting)

    @cached_property
    def became_later(self) -> dict[int, str]:
        """What became of those that waited until one of the batch was seen where they were."""
        stale = dict.fromkeys(self.outdated, "stale")
        return stale | {other: "founded" for one in self.verdicts if isinstance(one, Promoted) for other in one.members}

    def recorded(self, number: int) -> DefectId:
        return self.ids.get(number, DefectId(number))

    def members(self) -> dict[int, list[Detected]]:
        """By defect (below 0: not recorded yet): the detections that found or join it, in their order."""
        found: dict[int, list[Detected]] = {}
        for one, verdict in zip(self.due, self.verdicts, strict=True):
            if isinstance(verdict, Same):
                found.setdefault(verdict.defect_id, []).append(one)
            elif isinstance(verdict, Promoted):
                found[verdict.number] = [*(self.by_id[number] for number in verdict.members), one]
        return found


def _decide(tx: WriteTx, batch: Batch, due: Next, policy: InForce, now: datetime) -> _Matched:
    """Decide until what is joined is locked and still open.

    Raises:
        Conflict: it kept moving; the delivery is due again by itself.
    """
    for _ in range(TRIES):
        plain = plain_matches.find(tx, batch, due, policy.policy, now - WAITS, now) if PLAINLY else []
        matched = _judged(tx, batch, due, plain, policy, now)
        if not matched.joined.isdisjoint(one.defect_id for one in plain):
            matched = _judged(tx, batch, due, [], policy, now)
        known = matching.lock_open_with(tx, sorted(matched.joined), [one.defect_id for one in matched.plain])
        if known is not None and matched.joined == known.keys():
            return replace(matched, known=known)
    raise Conflict("The defects near these detections keep changing: they are matched again in a moment.")


def _judged(tx: ReadTx, batch: Batch, due: Next, plain: Sequence[Plain], policy: InForce, now: datetime) -> _Matched:
    """A verdict for each of these that is not plain."""
    rules = policy.policy
    condition_only = frozenset(code for code, rule in rules.classes.items() if rule.condition_only)
    rest = detections_due.received(tx, batch, due, condition_only, [one.detection_id for one in plain])
    if not rest:
        return _Matched(plain, [], [], Surroundings.empty(), {}, {}, ())
    seen = [one.sighting for one in rest]
    around = matching.surroundings(tx, seen, rules)
    reach = max(reach_m(one, machine=True) for one in matching.all_rules(rules))
    waiting = detections_due.waiting_near(tx, seen, around.board.alike, reach, now - WAITS, now)
    kinds = {one.sighting.class_code for one in waiting}
    alike = {**around.board.alike, **{kind: rules.kinds_like(kind) for kind in kinds}}
    mended = matching.mended_since(tx, [one.sighting for one in waiting], alike, reach)
    queue = Queue(Board(reach, alike), mended)
    for one in waiting:
        queue.add(one)
    verdicts = settle_survey(
        around.board, queue, rest, rules.duplicates_of, rules.detections, around.footprints, around.apart
    )
    return _Matched(plain, rest, verdicts, around, {one.id: one for one in waiting}, {}, queue.outdated)


def _write(tx: WriteTx, matched: _Matched, batch: Batch, due: Next, policy: InForce, now: datetime) -> None:
    plainly = plain_matches.link(tx, matched.plain, batch, due, policy, now)
    members = matched.members()
    promoted = {one.number: one for one in matched.verdicts if isinstance(one, Promoted)}
    founded = [_founded(matched, promoted[number], members[number]) for number in promoted]
    recorded = sightings.record(tx, founded, policy.id, now)
    matched.ids = dict(zip(promoted, recorded, strict=True))
    touched = {number: told for number, told in members.items() if number > 0}
    resighted = [_resighted(matched, number, told) for number, told in touched.items()]
    more = sightings.told_more(resighted, matched.known, size_steps(policy.policy))
    sightings.resight_by_machines(tx, resighted, set(more), now)
    links = _links(matched)
    sightings.link_detections(tx, [one for one in links if one.seen.id not in matched.waiting], batch, policy.id, now)
    sightings.link_waiting(tx, [one for one in links if one.seen.id in matched.waiting], policy.id, now)
    detections_due.settle(tx, batch, _settled(matched))
    detections_due.settle_waiting(tx, _no_longer_waiting(matched))
    happened: list[Event] = [_detected(one, number, batch) for one, number in zip(founded, recorded, strict=True)]
    happened += [DefectSighted(defect_id=number, detections=1) for number in plainly]
    happened += [DefectSighted(defect_id=number, detections=len(touched[number])) for number in more]
    event_log.append(tx, happened, now)
    recall_repair.propose(tx, _claims(matched), now)


def _founded(matched: _Matched, verdict: Promoted, told: Sequence[Detected]) -> Founded:
    return Founded(
        first=told[0],
        standing=matched.around.board.standing[verdict.number],
        **_gathered(told),
        recurrence_of=None if verdict.recurrence_of is None else DefectId(verdict.recurrence_of),
    )


def _resighted(matched: _Matched, number: int, told: Sequence[Detected]) -> Resighted:
    return Resighted(standing=matched.around.board.standing[number], **_gathered(told))


def _gathered(told: Sequence[Detected]) -> dict[str, Any]:
    """What all of them say together; mostly it is one."""
    first, *others = told
    known_at, depth_mm, width_mm = first.sighting.known_at, first.depth_mm, first.width_mm
    for one in others:
        known_at = min(known_at, one.sighting.known_at)
        depth_mm, width_mm = _greater(depth_mm, one.depth_mm), _greater(width_mm, one.width_mm)
    return {
        "known_at": known_at,
        "danger": False,
        "reports": 0,
        "detections": len(told),
        "depth_mm": depth_mm,
        "width_mm": width_mm,
    }


def _greater(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)


def _links(matched: _Matched) -> list[Link]:
    """The sightings to be written: those that joined, those that founded, and those that had waited."""
    links = []
    for one, verdict in zip(matched.due, matched.verdicts, strict=True):
        if isinstance(verdict, Same):
            links.append(Link(one, matched.recorded(verdict.defect_id), "same", verdict.why))
        elif isinstance(verdict, Promoted):
            defect_id = matched.recorded(verdict.number)
            links += [Link(matched.by_id[other], defect_id, "same", verdict.why) for other in verdict.members]
            links.append(Link(one, defect_id, "new", verdict.why))
    return links


def _settled(matched: _Matched) -> list[tuple[int, str]]:
    """Of the batch's own: what became of those that no sighting tells of, and which had waited for a later one."""
    own = [
        (one.id, VERDICTS[type(verdict).__name__])
        for one, verdict in zip(matched.due, matched.verdicts, strict=True)
        if not isinstance(verdict, Same | Promoted)
    ]
    later = matched.became_later
    return [(number, later.get(number, verdict)) for number, verdict in own]


def _no_longer_waiting(matched: _Matched) -> list[tuple[int, str, datetime]]:
    later, waiting = matched.became_later, matched.waiting
    return [(one, later[one], waiting[one].sighting.known_at) for one in sorted(later.keys() & waiting.keys())]


def _detected(one: Founded, defect_id: DefectId, batch: Batch) -> DefectDetected:
    return DefectDetected(
        defect_id=defect_id,
        before=None,
        after=DefectState.CANDIDATE,
        class_code=one.first.sighting.class_code,
        batch_id=batch.id,
    )


def _claims(matched: _Matched) -> list[Claim]:
    return [
        Claim(verdict.warranty_id, None, one.id, verdict.why, one.sighting.seen_at)
        for one, verdict in zip(matched.due, matched.verdicts, strict=True)
        if isinstance(verdict, Recall)
    ]
