"""Is it the same defect? Street, side, level and class before distance; then distance, time, and what is there.

`judge` weighs one sighting against what stands near it. It never sees a defect of an incompatible class: who fetches
what stands near leaves those out. Distances are metres on the grid, times aware UTC. The same function decides for one
report and for a hundred thousand detections (`store/matching.py` fetches for both).
"""

from collections.abc import Container, Sequence
from datetime import datetime
from math import hypot
from typing import NamedTuple

from shared.domain.likeness import ago, days_between, metres, reasons, same_street
from shared.domain.policy import DuplicateRules
from shared.domain.terms import DefectId
from shared.domain.verdicts import (
    Candidate,
    Footprint,
    New,
    Place,
    Recall,
    Same,
    Sighting,
    Stale,
    Standing,
    Unsure,
    Verdict,
)

NEVER, MAYBE, SAME = range(3)
MOST_CANDIDATES = 5
"""A person is shown so many at most."""


class _Weighed(NamedTuple):
    grade: int
    distance_m: float
    place: Place


def judge(
    seen: Sighting,
    near: Sequence[Place],
    rules: DuplicateRules,
    footprints: Sequence[Footprint] = (),
    apart: Container[tuple[int, int]] = frozenset(),
) -> Verdict:
    """Say whether the sighting is of one of the defects near it.

    `apart` holds pairs of defects (lower id first) that a person told apart.
    An open defect within the floor distance goes before a warranty; otherwise the nearer of the two decides. A repair
    that is said to have failed is weighed as if it were open: what would join it waits with its recall; whether another
    one under warranty has failed, a person is asked (DOMAIN 10.3, case 6).
    """
    reach = reach_m(rules, machine=seen.machine, rural=seen.rural)
    weighed = [one for place in near if (one := _weigh(seen, place, rules, reach))]
    if not weighed and not footprints:
        return _new(seen, None, rules)
    if len(weighed) == 1 and not footprints and weighed[0].grade == SAME and weighed[0].place.of.opened:
        return _join(seen, weighed[0], weighed, apart)
    standing = [one for one in weighed if one.place.of.opened]
    same = min((one for one in standing if one.grade == SAME), key=_likeliest, default=None)
    finished = min(
        (one for one in weighed if not one.place.of.opened and one.grade == SAME), key=_likeliest, default=None
    )
    failed = [one for one in weighed if one.place.of.claimed and _said_to_have_failed(seen, one.place.of)]
    if (footprints or failed) and (hit := _recall(seen, footprints, failed, same, rules)):
        return hit
    nearest = finished if same is None or (finished and finished.distance_m < same.distance_m) else None
    if nearest and seen_before_repair(seen, nearest.place.of):
        return _older_than_repair(seen, nearest)
    if same:
        return _join(seen, same, standing, apart)
    return _unsure(seen, weighed, [*standing, *failed]) or _new(seen, finished, rules)


def is_same(seen: Sighting, place: Place, rules: DuplicateRules) -> bool:
    """Whether the place alone would make it the same."""
    return _grade(seen, place, hypot(place.x - seen.x, place.y - seen.y), rules) == SAME


def seen_before_repair(seen: Sighting, finished: Standing) -> bool:
    """Whether it tells nothing of what the repair left there."""
    return finished.repaired_at is not None and seen.seen_at < finished.repaired_at


def doubles(
    of: int, places: Sequence[Place], since: datetime, rules: DuplicateRules, apart: Container[tuple[int, int]]
) -> list[DefectId]:
    """Open defects recorded since then that are this one, as people saw them; none that a person told apart from it."""
    own = [place for place in places if place.of.id == of]
    others = [place for place in places if place.of.id != of and place.of.opened and place.of.opened_at >= since]
    found = {other.of.id for other in others if any(is_same(_seen_at(other), place, rules) for place in own)}
    return [DefectId(one) for one in sorted(found) if (min(of, one), max(of, one)) not in apart]


def _seen_at(place: Place) -> Sighting:
    """As if somebody saw there what the place's defect is."""
    of = place.of
    street = (place.street_key, place.street_side, place.level, place.house_number)
    return Sighting(of.class_code, place.x, place.y, place.accuracy_m, of.last_seen_at, of.opened_at, *street)


def _weigh(seen: Sighting, place: Place, rules: DuplicateRules, reach: float) -> _Weighed | None:
    """None when it is never the same, as beyond the reach."""
    distance = hypot(place.x - seen.x, place.y - seen.y)
    if distance > reach:
        return None
    grade = _grade(seen, place, distance, rules)
    return _Weighed(grade, distance, place) if grade else None


def _grade(seen: Sighting, place: Place, distance: float, rules: DuplicateRules) -> int:
    """SAME, MAYBE or NEVER, by street, side and level first."""
    if seen.machine and distance > rules.same_cap_m:
        return NEVER
    if seen.level != place.level or place.survey_pass != _own_pass(seen, place.of):
        return NEVER
    on_street = same_street(seen.street_key, place.street_key)
    close = distance <= radius(seen, place, rules) or (on_street is True and _along(seen, place, distance, rules))
    if (
        close
        and on_street is not False
        and not _opposite(seen, place, distance, rules)
        and _recent(seen, place.of, rules)
    ):
        return SAME
    return MAYBE if not seen.machine and _suggested(seen, place, distance, on_street, close, rules) else NEVER


def radius(seen: Sighting, place: Place, rules: DuplicateRules) -> float:
    """How far apart two positions of one hole may lie: by the worse accuracy, between floor and cap."""
    if place.survey_pass is not None:
        return rules.ai_pass_m
    wide = rules.accuracy_factor * max(seen.accuracy_m, place.accuracy_m)
    return min(rules.same_cap_m, max(rules.same_floor_m, wide))


def _own_pass(seen: Sighting, defect: Standing) -> str | None:
    """The pass by whose places the defect is weighed: the sighting's own, if it saw the defect already.

    Detections of one drive were placed by the same fix: more than a few metres apart, they are two holes (DOMAIN 4).
    """
    return seen.survey_pass if seen.survey_pass in defect.passes else None


def reach_m(rules: DuplicateRules, *, machine: bool, rural: bool = True) -> float:
    """No defect farther than this is ever weighed: how far to fetch. `rural`: wherever the sighting may be."""
    sure = max(rules.same_cap_m, rules.ai_pass_m)
    if machine:
        return sure
    return max(
        sure,
        rules.along_street_m,
        rules.house_numbers_m,
        rules.suggest_rural_m if rural else rules.suggest_m,
        rules.suggest_along_street_m,
        rules.suggest_other_street_m,
    )


def joining_reach_m(rules: DuplicateRules) -> float:
    """No defect farther than this is ever joined by the machine: what has to be locked."""
    numbered = rules.house_numbers_m if rules.house_numbers else 0.0
    return max(rules.same_cap_m, rules.ai_pass_m, rules.along_street_m, numbered)


def _along(seen: Sighting, place: Place, distance: float, rules: DuplicateRules) -> bool:
    """Near along one street, by metres or by house numbers; for people's addresses only."""
    if seen.machine:
        return False
    return distance <= rules.along_street_m or _numbers(seen, place, distance, rules.house_numbers, rules)


def _numbers(seen: Sighting, place: Place, distance: float, most: int, rules: DuplicateRules) -> bool:
    if seen.house_number is None or place.house_number is None or distance > rules.house_numbers_m:
        return False
    return abs(seen.house_number - place.house_number) <= most and most > 0


def _opposite(seen: Sighting, place: Place, distance: float, rules: DuplicateRules) -> bool:
    """On the other side of the street, and the positions are good enough to tell."""
    if seen.street_side is None or place.street_side is None or seen.street_side == place.street_side:
        return False
    accuracy = max(seen.accuracy_m, place.accuracy_m)
    return accuracy <= rules.ignore_side_accuracy_m and distance > accuracy


def _recent(seen: Sighting, defect: Standing, rules: DuplicateRules) -> bool:
    """Seen lately enough to be there still: what two have seen is believed for longer than what one has."""
    if not defect.opened:
        return True
    limit = rules.max_age_days if defect.seen > 1 else rules.lone_max_age_days
    return days_between(defect.last_seen_at, seen.seen_at) <= limit


def _suggested(
    seen: Sighting, place: Place, distance: float, on_street: bool | None, close: bool, rules: DuplicateRules
) -> bool:
    """Worth a person's question. Round a corner the snapping may be wrong, or it is one burst about one spot."""
    days = days_between(place.of.last_seen_at, seen.seen_at)
    if days > rules.suggest_max_age_days:
        return False
    if on_street is False:
        fresh = days <= rules.suggest_other_street_days
        return close or (fresh and distance <= rules.suggest_other_street_m)
    if close or distance <= (rules.suggest_rural_m if seen.rural else rules.suggest_m):
        return True
    if not on_street:
        return False
    numbers = _numbers(seen, place, distance, rules.suggest_house_numbers, rules)
    return numbers or distance <= rules.suggest_along_street_m


def _likeliest(one: _Weighed) -> tuple[float, ...]:
    """Surer first, then nearer, then seen more often, then seen last; the id makes the order total."""
    of = one.place.of
    return (-one.grade, one.distance_m, -of.seen, -of.last_seen_at.timestamp(), of.id)


def _older_than_repair(seen: Sighting, finished: _Weighed) -> Stale | Unsure:
    """Imagery is set aside; what a person saw before the repair and told after it, a person settles."""
    why = f"{metres(finished.distance_m)} away, seen before its repair"
    if seen.machine:
        return Stale(DefectId(finished.place.of.id), f"{why}.")
    candidate = Candidate(DefectId(finished.place.of.id), finished.distance_m, why)
    return Unsure((candidate,), "Seen before the repair of what was here.")


def _said_to_have_failed(seen: Sighting, defect: Standing) -> bool:
    """A recall of its last repair waits to be decided, and this was seen since."""
    return not defect.opened and defect.repaired_at is not None and seen.seen_at >= defect.repaired_at


def _unsure(seen: Sighting, weighed: Sequence[_Weighed], perhaps: Sequence[_Weighed]) -> Unsure | None:
    """A person decides between what may be it, and repairs under warranty that it would be, had they failed."""
    promised = [one for one in weighed if not seen.machine and one.grade == SAME and _is_promised(seen, one.place.of)]
    if not perhaps and not promised:
        return None
    why = "Near a repair under warranty: has it failed?" if promised else "Near what is open, but not surely the same."
    return Unsure(_candidates(seen, sorted([*perhaps, *promised], key=_likeliest)), why)


def _is_promised(seen: Sighting, defect: Standing) -> bool:
    """Repaired under a warranty that nobody has claimed on, and this was seen since."""
    if not defect.promised or defect.claimed:
        return False
    return defect.repaired_at is not None and seen.seen_at >= defect.repaired_at


def _recall(
    seen: Sighting,
    footprints: Sequence[Footprint],
    failed: Sequence[_Weighed],
    same: _Weighed | None,
    rules: DuplicateRules,
) -> Recall | None:
    """The nearest live footprint that the sighting may lie in, else the repair said to have failed that it would join.

    Where patches overlap, the last repair is what is there now. None where an open defect is the better answer.
    """
    hits = [patch for patch in footprints if _in_footprint(seen, patch, rules)]
    patch = min(hits, key=_topmost, default=None)
    beside = min((one for one in failed if one.grade == SAME), key=_likeliest, default=None)
    if patch is not None:
        distance, hit = patch.distance_m, _recall_at(seen, patch)
    elif beside is not None:
        distance, hit = beside.distance_m, _recall_beside(beside)
    else:
        return None
    return None if same is not None and same.distance_m <= max(rules.same_floor_m, distance) else hit


def _topmost(patch: Footprint) -> tuple[float, ...]:
    """The nearest first; of those that lie over one another the last repair; the id makes the order total."""
    return (patch.distance_m, -patch.repaired_at.timestamp(), -patch.warranty_id)


def _recall_at(seen: Sighting, patch: Footprint) -> Recall:
    where = "inside" if patch.distance_m == 0 else f"{metres(patch.distance_m)} from"
    days = ago(days_between(patch.repaired_at, seen.seen_at))
    return Recall(patch.warranty_id, patch.defect_id, f"{where} the patch of a repair under warranty, repaired {days}.")


def _recall_beside(failed: _Weighed) -> Recall:
    of = failed.place.of
    assert of.claimed is not None  # noqa: S101 (narrows a type)
    why = f"{metres(failed.distance_m)} from a repair under warranty that is said to have failed."
    return Recall(of.claimed, DefectId(of.id), why)


def _in_footprint(seen: Sighting, patch: Footprint, rules: DuplicateRules) -> bool:
    """Inside, as far as the sighting's accuracy can tell."""
    if seen.level != patch.level or seen.seen_at < patch.repaired_at:
        return False
    if same_street(seen.street_key, patch.street_key) is False and patch.distance_m > 0:
        return False
    return patch.distance_m <= min(rules.same_cap_m, seen.accuracy_m)


def _join(
    seen: Sighting, same: _Weighed, standing: Sequence[_Weighed], apart: Container[tuple[int, int]]
) -> Same | Unsure:
    """Join the likeliest; but between two that a person told apart, a person decides about a person's report."""
    mine = same.place.of.id
    rivals = [one for one in standing if one.grade == SAME and tuple(sorted((mine, one.place.of.id))) in apart]
    if rivals and not seen.machine:
        return Unsure(_candidates(seen, sorted([same, *rivals], key=_likeliest)), "Near defects that were told apart.")
    return Same(DefectId(mine), reasons(seen, same.place, same.distance_m))


def _candidates(seen: Sighting, likely: Sequence[_Weighed]) -> tuple[Candidate, ...]:
    """Each defect once, by its likeliest place."""
    found: dict[int, Candidate] = {}
    for one in likely:
        defect = DefectId(one.place.of.id)
        found.setdefault(defect, Candidate(defect, round(one.distance_m, 1), reasons(seen, one.place, one.distance_m)))
    return tuple(found.values())[:MOST_CANDIDATES]


def _new(seen: Sighting, finished: _Weighed | None, rules: DuplicateRules) -> New:
    if finished is None:
        within = reach_m(rules, machine=seen.machine)
        return New(f"nothing open of this class within {within:.0f} m that it could be")
    if finished.place.of.promised:
        return New(f"{metres(finished.distance_m)} from a repair under warranty, outside its patch")
    why = f"{metres(finished.distance_m)} from a finished repair that is not under warranty"
    return New(why, DefectId(finished.place.of.id))
