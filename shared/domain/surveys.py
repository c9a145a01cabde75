"""What becomes of machines' detections: they join what is open, and found a candidate when they are sure or agree.

One of high confidence founds alone; less sure ones wait until so many distinct survey passes have seen the same place;
below the policy's level, and classes that only tell of the road's condition, are kept and found nothing (DOMAIN 3.3).
"""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from shared.domain.board import Board
from shared.domain.dedupe import is_same, judge, seen_before_repair
from shared.domain.policy import DuplicateRules
from shared.domain.policy_sections import DetectionRules
from shared.domain.verdicts import Footprint, New, Recall, Same, Seen, Sighting, Verdict


@dataclass(frozen=True, slots=True)
class Detected(Seen):
    """A detection to be settled. `condition_only`: its class founds no defect."""

    confidence: float = 0.0
    condition_only: bool = False

    @property
    def survey(self) -> str:
        """The pass that saw it; without one, the day counts as a pass."""
        return self.sighting.survey_pass or f"day {self.sighting.seen_at.date().isoformat()}"


@dataclass(frozen=True, slots=True)
class Kept:
    """For the record of the road's condition only."""

    why: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Another pass must see it too."""

    why: str


@dataclass(frozen=True, slots=True)
class Promoted:
    """It founds a defect, together with the earlier ones that waited at the same place."""

    number: int
    members: tuple[int, ...]
    why: str
    recurrence_of: int | None = None


SurveyVerdict = Verdict | Kept | Waiting | Promoted


@dataclass(slots=True)
class Queue:
    """Detections that wait for another pass, by their ids, on a board of their own.

    `mended` holds the finished repairs that they could be of. `outdated` are those that wait no longer, since what they
    saw has been repaired meanwhile.
    """

    board: Board
    mended: Board
    members: dict[int, Detected] = field(default_factory=dict)
    outdated: set[int] = field(default_factory=set)

    def add(self, one: Detected) -> None:
        """It waits from now on."""
        self.board.found(one.sighting, one.id)
        self.members[one.id] = one

    def like(self, one: Detected, rules: Callable[[str], DuplicateRules]) -> list[Detected]:
        """Those that wait where this one is, in the order of their ids. What is outdated among them waits no longer."""
        own = rules(one.sighting.class_code)
        near = (place for place in self.board.near(one.sighting) if place.of.id in self.members)
        found = [self.members[number] for number in sorted({p.of.id for p in near if is_same(one.sighting, p, own)})]
        outdated = {other.id for other in found if self._is_outdated(other.sighting, rules)}
        self.outdated |= outdated
        self.leave(outdated)
        return [other for other in found if other.id not in outdated]

    def leave(self, ids: Iterable[int]) -> None:
        """These wait no longer."""
        for number in ids:
            del self.members[number]

    def _is_outdated(self, seen: Sighting, rules: Callable[[str], DuplicateRules]) -> bool:
        own = rules(seen.class_code)
        return any(seen_before_repair(seen, place.of) and is_same(seen, place, own) for place in self.mended.near(seen))


def settle_survey(
    board: Board,
    queue: Queue,
    detected: Sequence[Detected],
    rules: Callable[[str], DuplicateRules],
    limits: DetectionRules,
    footprints: Mapping[int, Sequence[Footprint]],
    apart: Container[tuple[int, int]] = frozenset(),
) -> list[SurveyVerdict]:
    """One verdict for each detection, in their order. A `Promoted` at position n has the number -(n + 1) for now."""
    verdicts: list[SurveyVerdict] = []
    for position, one in enumerate(detected):
        verdict: SurveyVerdict = _kept(one, limits) or judge(
            one.sighting, board.near(one.sighting), rules(one.sighting.class_code), footprints.get(position, ()), apart
        )
        if isinstance(verdict, Same):
            board.join(one.sighting, board.standing[verdict.defect_id])
        elif isinstance(verdict, Recall):
            board.claim(one.sighting, verdict)
        elif isinstance(verdict, New):
            verdict = _promote(board, queue, one, -(position + 1), verdict, rules, limits)
        verdicts.append(verdict)
    return verdicts


def _kept(one: Detected, limits: DetectionRules) -> Kept | None:
    if one.condition_only:
        return Kept("its class tells of the road's condition only")
    if one.confidence < limits.min_confidence_queue:
        return Kept(f"confidence {one.confidence:.2f} is below {limits.min_confidence_queue:.2f}")
    return None


def _promote(
    board: Board,
    queue: Queue,
    one: Detected,
    number: int,
    new: New,
    rules: Callable[[str], DuplicateRules],
    limits: DetectionRules,
) -> Promoted | Waiting:
    others = queue.like(one, rules)
    passes = {other.survey for other in (*others, one)}
    if one.confidence < limits.auto_candidate and len(passes) < limits.passes:
        queue.add(one)
        return Waiting(f"confidence {one.confidence:.2f}, seen in {len(passes)} of {limits.passes} passes")
    first, *rest = (*others, one)
    defect = board.found(first.sighting, number)
    for other in rest:
        board.join(other.sighting, defect)
    queue.leave(other.id for other in others)
    if one.confidence >= limits.auto_candidate:
        why = f"confidence {one.confidence:.2f}; {new.why}"
    else:
        why = f"seen in {len(passes)} passes; {new.why}"
    return Promoted(number, tuple(other.id for other in others), why, new.recurrence_of)
