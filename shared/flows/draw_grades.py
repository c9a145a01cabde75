"""Draws a defect's grade from its row: the band, the clocks that run, and when a person must look; all with reasons."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Literal

from shared.domain import priority
from shared.domain.clocks import Clocks, clocks_for
from shared.domain.deadlines import END_OF_DAY, Clock, Due, WorkingCalendar, due
from shared.domain.policy import FLAGS, Policy
from shared.domain.priority import Assessment, Grade
from shared.domain.terms import Band, DefectState, PolicyVersionId
from shared.store.defects import DefectRow
from shared.store.policies import InForce

_D = DefectState
CLOCKED = frozenset(
    {
        _D.CONFIRMED,
        _D.THIRD_PARTY,
        _D.MADE_SAFE,
        _D.ORDERED,
        _D.REPAIRED_TEMPORARY,
        _D.REPAIR_REJECTED,
        _D.RECALLED,
    }
)
"""Work is owed on it, so the clocks of its band run."""
_LOOK = "Look again: "


@dataclass(frozen=True, slots=True)
class Graded:
    """What the row of a defect should say. `why` are the reasons of the band, `due_why` those of the clocks."""

    band: Band
    why: tuple[str, ...]
    clock_from: datetime
    make_safe: datetime | None
    permanent: datetime | None
    inspect: datetime | None
    due_why: tuple[str, ...]
    policy_id: PolicyVersionId | None
    state: DefectState

    def differs(self, row: DefectRow) -> bool:
        """Whether anything that somebody acts on has changed."""
        said = (row.band, row.make_safe_due_at, row.permanent_due_at, row.inspect_due_at, row.state)
        return said != (self.band, self.make_safe, self.permanent, self.inspect, self.state)


def drawn(row: DefectRow, rules: InForce, now: datetime) -> Graded:
    """What the row of an open defect should say now."""
    if row.state is _D.CANDIDATE:
        return _provisional(row, rules, now)
    if row.band is None:
        return by_rules(row, rules, now)
    return _followed(row, row.band, rules)


def assessment(row: DefectRow) -> Assessment:
    """What is known of a defect, for the rules. What a person measured counts, not what a machine has guessed since.

    Once a person has looked, it is the assessment that says whether there is danger, not each report's own words.
    """
    flags = {flag for flag in FLAGS if row.facts.get(flag)}
    if row.danger and not _looked_at(row):
        flags.add("danger")
    measured = "measured_depth_mm" in row.facts or "measured_width_mm" in row.facts
    measured_by: Literal["ai", "person"] = "person" if measured else "ai"
    return Assessment(
        class_code=row.class_code,
        assessed_by="person" if _looked_at(row) or row.reports else "ai",
        depth_mm=row.facts.get("measured_depth_mm", row.depth_mm),
        width_mm=row.facts.get("measured_width_mm", row.width_mm),
        measured_by=None if row.depth_mm is None and row.width_mm is None else measured_by,
        hierarchy=row.hierarchy,
        zone=row.facts.get("zone"),
        flags=frozenset(flags),
        impact=row.impact,
        likelihood=row.likelihood,
    )


def _looked_at(row: DefectRow) -> bool:
    return row.assessed_by is not None and not row.assessed_by.startswith("policy:")


def _provisional(row: DefectRow, rules: InForce, now: datetime) -> Graded:
    """A candidate: no repair clock runs, but a band that would be due sooner than the inspection hurries it."""
    known = assessment(row)
    found = _grade(known, rules.policy)
    if found.band is Band.M and not row.reports:
        return from_grade(replace(row, state=_D.MONITOR, assessed_at=now), found, rules)
    triage, make_safe = rules.policy.triage, _make_safe(found.band, known, rules.policy)
    look = [due(row.known_at, clock, rules.calendar) for clock in (triage.inspect, make_safe) if clock is not None]
    if row.danger_at is not None:
        look.append(due(row.danger_at, triage.danger, rules.calendar))
    inspect, why = _first(look)
    return Graded(found.band, found.why, row.clock_from, None, None, inspect, why, rules.id, _D.CANDIDATE)


@lru_cache(maxsize=4096)
def _grade(known: Assessment, policy: Policy) -> Grade:
    """The same is graded the same, and a batch of detections has much that is the same."""
    return priority.grade(known, policy)


def _make_safe(band: Band, known: Assessment, policy: Policy) -> Clock | None:
    if band is Band.G:
        return policy.gully.flooding if "flooding" in known.flags else None
    return policy.bands[band].make_safe


def by_rules(row: DefectRow, rules: InForce, now: datetime) -> Graded:
    """The band that the rules give to what is known, with the clocks of the row's state from its `clock_from`."""
    found = _grade(assessment(row), rules.policy)
    return from_grade(row if row.assessed_at else replace(row, assessed_at=now), found, rules)


def from_grade(row: DefectRow, found: Grade, rules: InForce) -> Graded:
    """A band with the clocks that run for it in the row's state."""
    clocks = _clocks(row, found.band, rules)
    runs = row.state in CLOCKED
    make_safe = clocks.make_safe.at if runs and clocks.make_safe else None
    permanent = clocks.permanent.at if runs and clocks.permanent else None
    inspect, look = _look(row, clocks, rules)
    why = (*(clocks.why if runs else ()), *look)
    return Graded(found.band, found.why, row.clock_from, make_safe, permanent, inspect, why, rules.id, row.state)


def _followed(row: DefectRow, band: Band, rules: InForce) -> Graded:
    """The band stays; a due time follows earlier knowledge, and never moves away."""
    clocks = _clocks(row, band, rules)
    inspect, look = _look(row, clocks, rules)
    make_safe, permanent = row.make_safe_due_at, row.permanent_due_at
    if row.state in CLOCKED:
        make_safe, permanent = _sooner(make_safe, clocks.make_safe), _sooner(permanent, clocks.permanent)
    same = (make_safe, permanent) == (row.make_safe_due_at, row.permanent_due_at)
    kept = tuple(why for why in row.due_why if not why.startswith(_LOOK))
    why = (*(kept if same else clocks.why), *look)
    return Graded(
        band, row.band_why, row.clock_from, make_safe, permanent, inspect, why, row.policy_id or rules.id, row.state
    )


def _clocks(row: DefectRow, band: Band, rules: InForce) -> Clocks:
    """A recheck runs from the last look, every other clock from the knowledge that set the band."""
    start = row.assessed_at if band is Band.M and row.assessed_at else row.clock_from
    return clocks_for(
        band,
        rules.policy,
        start,
        rules.calendar,
        flags=frozenset(flag for flag in FLAGS if row.facts.get(flag)),
        third_party=row.state is _D.THIRD_PARTY,
        recall=row.recalled,
    )


def _look(row: DefectRow, clocks: Clocks, rules: InForce) -> tuple[datetime | None, tuple[str, ...]]:
    """When a person must look again at what a person or a rule has looked at, and why."""
    triage, calendar = rules.policy.triage, rules.calendar
    look = [clocks.chase, clocks.recheck]
    if row.danger_at is not None:
        look.append(due(row.danger_at, triage.danger, calendar))
    if row.told_at is not None and row.state is _D.MONITOR:
        look.append(due(row.told_at, triage.inspect, calendar))
    if row.state is _D.DEFERRED_TO_SCHEME and "scheme_on" in row.facts:
        look.append(scheme_due(date.fromisoformat(row.facts["scheme_on"]), calendar))
    return _first(look)


def scheme_due(scheme_on: date, calendar: WorkingCalendar) -> Due:
    """The end of the day by which a scheme was to have mended it."""
    at = datetime.combine(scheme_on, END_OF_DAY, tzinfo=calendar.tz).astimezone(UTC)
    return Due(at, (f"The scheme is planned for {scheme_on:%d %b %Y}.",))


def _first(clocks: Iterable[Due | None]) -> tuple[datetime | None, tuple[str, ...]]:
    first = min((one for one in clocks if one is not None), key=lambda one: one.at, default=None)
    return (None, ()) if first is None else (first.at, (f"{_LOOK}{' '.join(first.why)}",))


def _sooner(was: datetime | None, computed: Due | None) -> datetime | None:
    times = (was, None if computed is None else computed.at)
    return min((at for at in times if at is not None), default=None)
