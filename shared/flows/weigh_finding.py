"""Weighs what a person found of a defect: which steps it takes, which band and clocks follow, and who must agree.

Less urgent than before, and watching or dropping what was confirmed, takes a supervisor other than the one who assessed
it before (DOMAIN 10.3, case 9).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from shared.domain import priority
from shared.domain.events import DefectStepped, Event
from shared.domain.lifecycle import DEFECT
from shared.domain.policy import FLAGS, ZONES
from shared.domain.priority import Grade, NeedsSecond
from shared.domain.terms import OPEN_DEFECT, Band, DefectState
from shared.errors import Invalid, Refusal
from shared.flows.draw_grades import CLOCKED, Graded, assessment, drawn, from_grade
from shared.flows.grade_defects import graded_event
from shared.store.defects import DefectRow
from shared.store.policies import InForce

_D = DefectState
_JUDGED = CLOCKED | {_D.MONITOR, _D.DEFERRED_TO_SCHEME}
"""Its band is what somebody decided, or a rule: a candidate's only hurries the look at it."""
CLEAR_RECHECKS = 2
"""So many looks that find a watched defect no worse end the matter (DOMAIN 10.2)."""


class Decision(StrEnum):
    """What a person says of a defect. `mended`: by its owner or the scheme; `reopen`: there is something after all."""

    CONFIRM = "confirm"
    MONITOR = "monitor"
    NO_DEFECT = "no_defect"
    THIRD_PARTY = "third_party"
    DEFER = "defer"
    MENDED = "mended"
    REOPEN = "reopen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a person saw and decided. None, and a fact that is left out: as it was known before.

    `facts` are flags of the policy (wheel_path, crossing, danger …) and `zone`. `owner`: who mends a third party's.
    `scheme_on`: when a scheme will have mended it; `risk_signed_by`: who accepts the risk until then.
    """

    decision: Decision
    why: str
    depth_mm: float | None = None
    width_mm: float | None = None
    facts: Mapping[str, bool | str] = field(default_factory=dict)
    likelihood: int | None = None
    impact: int | None = None
    owner: str | None = None
    scheme_on: date | None = None
    risk_signed_by: str | None = None

    def __post_init__(self) -> None:
        unknown = sorted(set(self.facts) - FLAGS - {"zone"})
        if unknown:
            known = ", ".join(sorted(FLAGS))
            raise Invalid(f"No such fact: {', '.join(unknown)}. Known: zone, {known}.", {"facts": "is not known"})
        if self.facts.get("zone", "local") not in ZONES:
            raise Invalid(f"A zone is one of {', '.join(sorted(ZONES))}.", {"facts": "zone is not known"})


class BelowLevel(Refusal):
    """What was measured is below the policy's level for repair, so it is not confirmed."""

    code = "below-level"
    title = "Below the level for repair"


@dataclass(frozen=True, slots=True)
class Person:
    """Who says so, and whether that person may agree to something less urgent."""

    actor: str
    supervises: bool


@dataclass(frozen=True, slots=True)
class Settled:
    """What a finding makes of a defect: its row anew, its grade, and the events that tell of it."""

    row: DefectRow
    anew: DefectRow
    graded: Graded
    events: tuple[Event, ...]


def weigh(row: DefectRow, finding: Finding, person: Person, rules: InForce, now: datetime) -> Settled:
    """What a finding makes of a defect. Changes nothing.

    Raises:
        UnlawfulStep, GuardNotMet, NeedsSecond, BelowLevel: it cannot be applied to the defect as it stands.
    """
    way = _way(row, finding)
    _second(row, finding, person)
    anew = _known(row, finding, way[-1] if way else row.state, person, now)
    graded = _graded(row, anew, finding, person, rules, now)
    seconded_by = person.actor if _agrees(row, person) else None
    events = _told(row, way, graded, _facts(anew, finding, person), finding, seconded_by)
    return Settled(row, anew, graded, events)


_WAYS: Mapping[Decision, tuple[DefectState, ...]] = {
    Decision.CONFIRM: (_D.CONFIRMED,),
    Decision.MONITOR: (_D.MONITOR,),
    Decision.NO_DEFECT: (_D.NO_DEFECT,),
    Decision.THIRD_PARTY: (_D.THIRD_PARTY,),
    Decision.DEFER: (_D.DEFERRED_TO_SCHEME,),
    Decision.MENDED: (_D.VERIFIED, _D.CLOSED),
    Decision.REOPEN: (_D.CANDIDATE,),
}


def _way(row: DefectRow, finding: Finding) -> tuple[DefectState, ...]:
    """The steps that a decision takes from the defect's state; none where it only grades anew or looks again."""
    decision = finding.decision
    if row.state is _D.MONITOR and decision in (Decision.MONITOR, Decision.NO_DEFECT):
        over = decision is Decision.NO_DEFECT or _clear(row) >= CLEAR_RECHECKS
        return (_D.CLOSED_NO_ACTION,) if over else ()
    if decision is Decision.CONFIRM and row.state in CLOCKED - {_D.THIRD_PARTY}:
        return ()
    return () if _WAYS[decision] == (row.state,) else _WAYS[decision]


def _clear(row: DefectRow) -> int:
    """How many looks have found it no worse, this one included; a new report starts the count anew."""
    return 1 if row.told_at else int(row.facts.get("clear_rechecks", 0)) + 1


def _second(row: DefectRow, finding: Finding, person: Person) -> None:
    """To drop or watch what was confirmed is the least urgent of all.

    Raises:
        NeedsSecond: no supervisor other than the one who assessed it says so.
    """
    drops = finding.decision in (Decision.MONITOR, Decision.NO_DEFECT) and row.state is _D.CONFIRMED
    if drops and not _agrees(row, person):
        raise NeedsSecond(f"{row.reference} is confirmed: a supervisor other than {row.assessed_by} must agree.")


def _agrees(row: DefectRow, person: Person) -> bool:
    return person.supervises and person.actor != row.assessed_by


def _known(row: DefectRow, finding: Finding, state: DefectState, person: Person, now: datetime) -> DefectRow:
    """The row with what the person found. Danger that was told of stands until a person says that there is none."""
    said_since = row.danger_at is not None or (row.danger and "danger" not in row.facts)
    facts: dict[str, Any] = {**row.facts, **({"danger": True} if said_since else {}), **finding.facts}
    given = {
        "measured_depth_mm": finding.depth_mm,
        "measured_width_mm": finding.width_mm,
        "owner": _owner(row, finding),
        "scheme_on": finding.scheme_on and finding.scheme_on.isoformat(),
        "risk_signed_by": finding.risk_signed_by,
    }
    facts |= {name: value for name, value in given.items() if value is not None}
    if finding.decision is Decision.MONITOR and row.state is _D.MONITOR:
        facts["clear_rechecks"] = _clear(row)
    return replace(
        row,
        state=state,
        facts=facts,
        depth_mm=row.depth_mm if finding.depth_mm is None else finding.depth_mm,
        width_mm=row.width_mm if finding.width_mm is None else finding.width_mm,
        likelihood=finding.likelihood or row.likelihood,
        impact=finding.impact or row.impact,
        assessed_by=person.actor,
        assessed_at=now,
        told_at=None,
        danger_at=None,
    )


def _owner(row: DefectRow, finding: Finding) -> str | None:
    """Whose it is; not knowing it is no reason not to say that it is not the council's (DOMAIN 10.3, case 10)."""
    if finding.decision is Decision.THIRD_PARTY:
        return finding.owner or row.facts.get("owner") or "unknown"
    return finding.owner


def _graded(row: DefectRow, anew: DefectRow, finding: Finding, person: Person, rules: InForce, now: datetime) -> Graded:
    """The band by what is known now, where work is owed; else the band as it was, and when to look again."""
    match finding.decision:
        case Decision.CONFIRM | Decision.THIRD_PARTY:
            return _graded_anew(row, anew, person, rules, now)
        case Decision.REOPEN:
            return drawn(replace(anew, assessed_by=None, assessed_at=None), rules, now)
        case Decision.MONITOR:
            band = Band.M
        case _:
            band = row.band or Band.M
    why = row.band_why if band is row.band else (finding.why,)
    kept = from_grade(anew, Grade(band, anew.impact or 1, anew.likelihood or 1, why), rules)
    return kept if anew.state in OPEN_DEFECT else replace(kept, inspect=None, due_why=())


def _graded_anew(row: DefectRow, anew: DefectRow, person: Person, rules: InForce, now: datetime) -> Graded:
    """Raised, the clocks run from the knowledge that raised it; lowered, a second person agrees.

    What is watched, or left to a scheme, has the band by which somebody left it so.

    Raises:
        BelowLevel: what was measured calls for no repair.
        NeedsSecond: it is less urgent than before, and nobody else agrees.
    """
    found = priority.grade(assessment(anew), rules.policy)
    if found.band is Band.M:
        raise BelowLevel(f"{found.why[0]} Watch it instead, or say the impact and likelihood that you see.")
    changed = priority.regrade(
        row.band if row.state in _JUDGED else None,
        found,
        clock_from=row.clock_from,
        learned_at=min(row.told_at or now, now),
        by=row.assessed_by or person.actor,
        seconded_by=person.actor if person.supervises else None,
    )
    if changed is None:
        return from_grade(anew, found, rules)
    graded = from_grade(replace(anew, clock_from=changed.clock_from), replace(found, why=changed.why), rules)
    return _no_later(graded, row) if changed.raised else graded


def _no_later(graded: Graded, row: DefectRow) -> Graded:
    """A raised band never moves a due time away."""
    safe, mended = (
        min((at for at in pair if at is not None), default=None)
        for pair in ((graded.make_safe, row.make_safe_due_at), (graded.permanent, row.permanent_due_at))
    )
    if (safe, mended) == (graded.make_safe, graded.permanent):
        return graded
    why = (*graded.due_why, "A due time that was sooner before the band was raised stays.")
    return replace(graded, make_safe=safe, permanent=mended, due_why=why)


def _facts(anew: DefectRow, finding: Finding, person: Person) -> dict[str, Any]:
    """What the steps of the lifecycle ask for."""
    return {
        "person": person.actor,
        "reason": finding.why,
        "seconded_by": person.actor if person.supervises else None,
        "owner": anew.facts.get("owner"),
        "scheme_on": anew.facts.get("scheme_on"),
        "risk_signed_by": anew.facts.get("risk_signed_by"),
        "made_safe": anew.made_safe_at is not None,
        "clear_rechecks": anew.facts.get("clear_rechecks"),
        "no_warranty": f"Mended by others: {finding.why}",
    }


def _told(
    row: DefectRow,
    way: tuple[DefectState, ...],
    graded: Graded,
    facts: Mapping[str, Any],
    finding: Finding,
    seconded_by: str | None,
) -> tuple[Event, ...]:
    """The steps, each lawful, and what was graded, where anything changed.

    Raises:
        UnlawfulStep, GuardNotMet: a step is not in the lifecycle, or lacks something.
    """
    events: list[Event] = []
    before = row.state
    for after in way:
        DEFECT.check(before, after, facts)
        events.append(DefectStepped(defect_id=row.id, before=before, after=after, why=finding.why))
        before = after
    if before in OPEN_DEFECT and graded.differs(replace(row, state=before)):
        events.append(graded_event(row, graded, seconded_by))
    return tuple(events)
