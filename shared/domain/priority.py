"""How urgent is it? The risk matrix and the measured floors; the more urgent decides, and says why (DOMAIN 10.1)."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from shared.domain.policy import FLAGS, HIERARCHIES, ZONES, Floor, Policy
from shared.domain.terms import Band
from shared.errors import Invalid, Refusal


class NeedsSecond(Refusal):
    """A less urgent band takes a second person (DOMAIN 10.3, case 9)."""

    code = "needs-second"
    title = "A second person must agree"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What is known of a defect. None: not known. `depth_mm` of a kerb or slab is how far it moved.

    `impact` and `likelihood` (1 to 4) are given when somebody assessed the risk, else derived from class and hierarchy.
    `assessed_by`: ai, when machines alone saw it; person, when a person reported, measured or confirmed it.
    `measured_by`: who took depth and width. `flags` are of `policy.FLAGS`.
    """

    class_code: str
    assessed_by: Literal["ai", "person"]
    depth_mm: float | None = None
    width_mm: float | None = None
    measured_by: Literal["ai", "person"] | None = None
    hierarchy: str | None = None
    zone: str | None = None
    flags: frozenset[str] = frozenset()
    impact: int | None = None
    likelihood: int | None = None

    def __post_init__(self) -> None:
        _risk_of(impact=self.impact, likelihood=self.likelihood)
        _one_of("hierarchy", self.hierarchy, HIERARCHIES)
        _one_of("zone", self.zone, ZONES)
        for flag in self.flags:
            _one_of("flags", flag, FLAGS)


@dataclass(frozen=True, slots=True)
class Grade:
    """A band, the risk behind it (impact × likelihood, 1 to 16), and the reasons, the deciding one first."""

    band: Band
    impact: int
    likelihood: int
    why: tuple[str, ...]

    @property
    def risk(self) -> int:
        return self.impact * self.likelihood


def _risk_of(**grades: int | None) -> None:
    for name, grade in grades.items():
        if grade is not None and grade not in (1, 2, 3, 4):
            raise Invalid(f"{name} runs from 1 (least) to 4 (worst), not {grade}.", {name: "is not 1 to 4"})


def _one_of(name: str, value: str | None, known: frozenset[str]) -> None:
    if value is not None and value not in known:
        raise Invalid(
            f"{value!r} is no {name} that is known; known: {', '.join(sorted(known))}.", {name: "is not known"}
        )


class SizeSteps(NamedTuple):
    """Sizes in mm, in order, between which no grade changes."""

    depth_mm: tuple[float, ...]
    width_mm: tuple[float, ...]


def steps_over(steps: Sequence[float], known: float, measured: float | None) -> bool:
    """Whether what was measured now reaches a step that what was known did not. Below 0: nothing was known."""
    return measured is not None and measured > known and bisect_right(steps, measured) > bisect_right(steps, known)


def grade(assessed: Assessment, policy: Policy) -> Grade:
    """The band of a defect: the more urgent of the matrix and of every floor that holds.

    Drainage that is no emergency gets band G. Measured below the level of its group, with nobody's own judgement of the
    risk, it is monitored; so is what machines alone see of classes kept for condition. Machines alone never go past the
    policy's `risk.ai_cap`.

    Raises:
        Invalid: the class is not in the policy.
    """
    if assessed.class_code not in policy.classes:
        raise Invalid(f"The policy has no class {assessed.class_code!r}.", {"class_code": "is not known"})
    impact, likelihood = _risk(assessed, policy)
    floors = sorted((floor for floor in policy.floors if _holds(floor, assessed, policy)), key=_urgency)
    by_risk = policy.matrix.band(impact, likelihood)
    if not floors and (watched := _watched(assessed, policy)):
        return Grade(Band.M, impact, likelihood, (watched,))
    band, why = _more_urgent(by_risk, impact, likelihood, floors)
    capped = _cap(band, why, assessed, policy)
    return Grade(capped[0], impact, likelihood, capped[1])


def _risk(assessed: Assessment, policy: Policy) -> tuple[int, int]:
    """Impact and likelihood: as assessed, else derived."""
    impact = assessed.impact
    if impact is None:
        impact = policy.classes[assessed.class_code].impact
        if "danger" in assessed.flags:
            impact = max(impact, policy.risk.danger_impact)
    likelihood = assessed.likelihood
    if likelihood is None:
        likelihood = policy.risk.likelihood.get(assessed.hierarchy or "", policy.risk.likelihood_unknown)
    return impact, likelihood


def _urgency(floor: Floor) -> int:
    return floor.band.urgency


def _more_urgent(by_risk: Band, impact: int, likelihood: int, floors: list[Floor]) -> tuple[Band, tuple[str, ...]]:
    risk = f"Impact {impact} × likelihood {likelihood} = {impact * likelihood}: {by_risk} by the matrix."
    found = tuple(f"{_capital(floor.why)}: at least {floor.band}." for floor in floors)
    if floors and floors[0].band.urgency < by_risk.urgency:
        return floors[0].band, (*found, risk)
    return by_risk, (risk, *found)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _holds(floor: Floor, assessed: Assessment, policy: Policy) -> bool:
    """Whether all that the rule names is so. What is not known does not hold."""
    group = policy.classes[assessed.class_code].group
    return all(
        (
            not floor.groups or group in floor.groups,
            not floor.classes or assessed.class_code in floor.classes,
            not floor.hierarchies or assessed.hierarchy in floor.hierarchies,
            not floor.zones or assessed.zone in floor.zones,
            assessed.flags.issuperset(floor.flags),
            _reaches(assessed.depth_mm, floor.min_depth_mm),
            _reaches(assessed.width_mm, floor.min_width_mm),
        )
    )


def _reaches(measured: float | None, least: float | None) -> bool:
    return least is None or (measured is not None and measured >= least)


def size_steps(policy: Policy) -> SizeSteps:
    """The depths and widths at which any rule for a grade begins to hold, or to hold no more."""
    floors, levels = policy.floors, policy.levels.values()
    depths = {floor.min_depth_mm for floor in floors} | {level.depth_mm for level in levels}
    widths = {floor.min_width_mm for floor in floors} | {level.width_mm for level in levels}
    return SizeSteps(*(tuple(sorted(one for one in sizes if one is not None)) for sizes in (depths, widths)))


def _watched(assessed: Assessment, policy: Policy) -> str | None:
    """Why it is only watched, or None."""
    rule = policy.classes[assessed.class_code]
    if assessed.assessed_by == "ai" and (rule.monitor_if_ai_only or rule.condition_only):
        return f"{rule.title}, seen by machines only: kept for the road's condition."
    if assessed.measured_by != "person" or "danger" in assessed.flags:
        return None
    if assessed.impact is not None:
        return None
    return " ".join(_short_of_level(assessed, policy)) or None


def _short_of_level(assessed: Assessment, policy: Policy) -> Iterator[str]:
    level = policy.levels.get(policy.classes[assessed.class_code].group)
    if level is None:
        return
    if assessed.depth_mm is not None and assessed.depth_mm < level.depth_mm:
        yield f"Measured {assessed.depth_mm:g} mm deep, below the level of {level.depth_mm:g} mm."
    if assessed.width_mm is not None and assessed.width_mm < level.width_mm:
        yield f"Measured {assessed.width_mm:g} mm across, below the level of {level.width_mm:g} mm."


def _cap(band: Band, why: tuple[str, ...], assessed: Assessment, policy: Policy) -> tuple[Band, tuple[str, ...]]:
    """Machines alone never set an emergency; drainage that is none is a gully's matter."""
    cap = policy.risk.ai_cap
    if assessed.assessed_by == "ai" and band.urgency < cap.urgency:
        return cap, (f"Seen by machines only, so no more urgent than {cap} until a person confirms it.", *why)
    if policy.classes[assessed.class_code].group == "drainage" and band.urgency > Band.P2.urgency:
        return Band.G, ("Drainage: the clocks follow flooding and risk.", *why)
    return band, why


@dataclass(frozen=True, slots=True)
class Regrade:
    """A grade that takes the place of another. `clock_from`: the knowledge on which the clocks run from now on."""

    band: Band
    clock_from: datetime
    raised: bool
    why: tuple[str, ...]


def regrade(
    old: Band | None,
    new: Grade,
    *,
    clock_from: datetime,
    learned_at: datetime,
    by: str,
    seconded_by: str | None = None,
    provisional: bool = False,
) -> Regrade | None:
    """What a new grade changes; None when the band stays (DOMAIN 10.3, case 9).

    More urgent: the clocks start anew from `learned_at`, the knowledge that raised it; first knowledge is not touched.
    Less urgent: the clocks still run from `clock_from`, and somebody other than `by` has to agree; not so where the old
    band was `provisional`, a machine's before any person had assessed the defect.

    Raises:
        NeedsSecond: a less urgent band without a second person.
    """
    if old is None:
        return Regrade(new.band, clock_from, raised=False, why=new.why)
    if new.band == old:
        return None
    if new.band.urgency < old.urgency:
        why = f"Raised from {old} to {new.band}: the clocks run from the new knowledge."
        return Regrade(new.band, learned_at, raised=True, why=(why, *new.why))
    agreed = provisional or (seconded_by and seconded_by != by)
    if new.band.urgency > old.urgency and not agreed:
        raise NeedsSecond(
            f"From {old} to {new.band} is less urgent: a second person than {by} must agree.",
            {"seconded_by": "must be another person"},
        )
    return Regrade(new.band, clock_from, raised=False, why=(f"Changed from {old} to {new.band}.", *new.why))
