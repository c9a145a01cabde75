"""What is worth telling a resident, and in which message: steps that they would want to know of, no internal ones.

Nothing is ever told as "closed". Made safe is not mended, a claimed repair is not a checked one, and a date that slips
is told with its reason (DOMAIN 9).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.domain.terms import AbortReason, DefectState


class To(StrEnum):
    """Who hears of it. `reporter`: of the one report. `all`: whose report it is, and who follows it or its place."""

    REPORTER = "reporter"
    ALL = "all"
    # Whose report it is, and who follows the defect itself.
    OWN = "own"
    # Whose reports went along with the defect that was merged away, and who follows that one.
    MERGED = "merged"
    # Who follows the place, and nobody else: the others know already.
    PLACE = "place"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """An event, with what its words need: due times are those of the defect now, `was` those of the grade before."""

    kind: str
    at: datetime
    before: str | None = None
    after: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    state: str | None = None
    permanent_due: datetime | None = None
    make_safe_due: datetime | None = None
    inspect_due: datetime | None = None
    permanent_was: datetime | None = None
    make_safe_was: datetime | None = None
    depth_mm: float | None = None
    # Why the last visit to it came to nothing, if one did.
    aborted: str | None = None


@dataclass(frozen=True, slots=True)
class Telling:
    """One message to be. `standing` ones say where a defect stands: several that nobody has been sent yet become one,
    with the newest first. Others (a slip, a question) go by themselves. Values are ISO times and plain words.
    """

    template: str
    to: To
    values: Mapping[str, Any] = field(default_factory=dict)
    standing: bool = True


HEADLINES: Mapping[str, str] = {
    "reported": "Somebody reported it.",
    "confirmed": "We looked at it. It needs mending.",
    "watched": "We looked at it. It does not need mending now.",
    "others": "Its owner has been told to mend it.",
    "no_defect": "We looked and found no defect that needs mending.",
    "planned": "It will be mended in a planned scheme.",
    "made_safe": "It was made safe. It is not mended yet.",
    "ordered": "A crew has been told to mend it.",
    "temporary": "It was repaired for now. The lasting repair is still to come.",
    "claimed": "The crew says it is mended. We are checking.",
    "repair_rejected": "The repair did not pass our check. It will be done again.",
    "verified": "It is mended, and the repair has been checked.",
    "recalled": "The repair failed. It will be done again.",
    "unmerged": "It is a defect of its own after all.",
    "looked_at_again": "We are looking at it again.",
}
"""Standing templates, each with its one line: what an e-mail says of an earlier step that it takes along."""

ABORTED: Mapping[str, str] = {
    AbortReason.PARKED_CAR: "A crew came, and a parked car stood in the way.",
    AbortReason.WEATHER: "A crew came, and the weather did not allow the work.",
    AbortReason.TRAFFIC_MANAGEMENT: "The work needs traffic control that was not in place.",
    AbortReason.PERMIT: "The work needs a permit for the road that was not there yet.",
    AbortReason.NOT_FOUND: "A crew came and did not find it.",
    AbortReason.UNSAFE: "A crew came, and the work was not safe to do.",
    AbortReason.THIRD_PARTY: "A crew came and found that its owner has to act first.",
}
NO_REASON = "The work was not done in time. No reason has been recorded."
SILENT_REJECTIONS = frozenset({"spam", "abuse"})
"""Whoever sends such things gets no answer to learn from."""

_D = DefectState


def tell(fact: Fact) -> Telling | None:
    """The message that an event is worth; None where it is worth none."""
    rule = _RULES.get(fact.kind)
    return None if rule is None else rule(fact)


# --- of a report -----------------------------------------------------------------------------------------------------


def _asked(fact: Fact) -> Telling:
    return Telling("asked", To.REPORTER, {"question": fact.data["question"]}, standing=False)


def _referred(fact: Fact) -> Telling:
    values = {"target": fact.data["target"], "why": fact.data["why"]}
    return Telling("referred", To.REPORTER, values, standing=False)


def _rejected(fact: Fact) -> Telling | None:
    if fact.data["reason"] in SILENT_REJECTIONS:
        return None
    return Telling("rejected", To.REPORTER, {"why": fact.data["why"]}, standing=False)


def _found_nothing(fact: Fact) -> Telling:
    return Telling("no_defect", To.REPORTER, {"why": fact.data["why"]}, standing=False)


def _not_read(fact: Fact) -> Telling:
    values = {"clock": "triage", "due": fact.data["due_at"], "why": "Nobody has decided about it in time."}
    return Telling("missed", To.REPORTER, values, standing=False)


# --- of a defect -----------------------------------------------------------------------------------------------------

_STEPS: Mapping[str, str] = {
    _D.CONFIRMED: "confirmed",
    _D.MONITOR: "watched",
    _D.THIRD_PARTY: "others",
    _D.NO_DEFECT: "no_defect",
    _D.CLOSED_NO_ACTION: "watched",
    _D.DEFERRED_TO_SCHEME: "planned",
    _D.VERIFIED: "verified",
    _D.CANDIDATE: "looked_at_again",
}
"""By the state that a person or a rule brought it to. A warranty that begins or ends is nobody's news."""


def _stepped(fact: Fact) -> Telling | None:
    if fact.before == _D.ORDERED and fact.after == _D.CONFIRMED:
        # Its works order was cancelled: another follows, and a date that slips is told as such.
        return None
    template = _STEPS.get(fact.after or "")
    return None if template is None else Telling(template, To.ALL, _dates(fact))


def _standing(template: str) -> Callable[[Fact], Telling]:
    return lambda fact: Telling(template, To.ALL, _dates(fact))


def _dates(fact: Fact) -> dict[str, Any]:
    """What is promised now, as far as it is."""
    known: dict[str, Any] = {
        "due": fact.permanent_due,
        "make_safe_due": fact.make_safe_due if fact.state != _D.MADE_SAFE else None,
        "look_due": fact.inspect_due if fact.after in (_D.MONITOR, _D.CANDIDATE) else None,
        "depth_mm": fact.depth_mm if fact.after in (_D.MONITOR, _D.NO_DEFECT) else None,
    }
    return {name: _iso(value) for name, value in known.items() if value is not None}


def _iso(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _graded(fact: Fact) -> Telling | None:
    """A later date is a slip, and told; the first grade of a new one is news to who follows the place."""
    due, safe = _when(fact.data.get("permanent_due")), _when(fact.data.get("make_safe_due"))
    for clock, was, now in (("make_safe", fact.make_safe_was, safe), ("permanent", fact.permanent_was, due)):
        if was is not None and now is not None and now > was:
            why = "It was graded anew: " + " ".join(fact.data.get("why", ()))
            values = {"clock": clock, "was": was.isoformat(), "due": now.isoformat(), "why": why}
            return Telling("moved", To.ALL, values, standing=False)
    if fact.data.get("was") is None and fact.state == _D.CANDIDATE:
        return Telling("reported", To.PLACE, {"look_due": _iso(fact.inspect_due)} if fact.inspect_due else {})
    return None


def _when(iso: str | None) -> datetime | None:
    return None if iso is None else datetime.fromisoformat(iso)


def _moved(fact: Fact) -> Telling | None:
    was, due = datetime.fromisoformat(fact.data["was"]), datetime.fromisoformat(fact.data["due_at"])
    if due <= was:
        return None
    values = {"clock": fact.data["clock"], "was": fact.data["was"], "due": fact.data["due_at"], "why": fact.data["why"]}
    return Telling("moved", To.ALL, values, standing=False)


def _missed(fact: Fact) -> Telling | None:
    """The clocks that residents were told of. When a repair is checked was never promised to them."""
    clock = fact.data["clock"]
    told = clock in ("make_safe", "permanent") or (clock == "inspect" and fact.state == _D.CANDIDATE)
    if not told:
        return None
    why = ABORTED.get(fact.aborted or "", NO_REASON)
    return Telling("missed", To.ALL, {"clock": clock, "due": fact.data["due_at"], "why": why}, standing=False)


def _written(fact: Fact) -> Telling:
    return Telling("note", To.OWN, {"words": fact.data["words"]}, standing=False)


def _merged(_: Fact) -> Telling:
    return Telling("merged", To.MERGED, {}, standing=False)


_RULES: Mapping[str, Callable[[Fact], Telling | None]] = {
    "ReportInfoAsked": _asked,
    "ReportReferred": _referred,
    "ReportRejected": _rejected,
    "ReportRestored": lambda _: Telling("looked_at_again", To.REPORTER, {}, standing=False),
    "ReportFoundNoDefect": _found_nothing,
    "TriageMissed": _not_read,
    "DefectStepped": _stepped,
    "DefectGraded": _graded,
    "DefectMadeSafe": _standing("made_safe"),
    "DefectOrdered": _standing("ordered"),
    "DefectRepairedTemporarily": _standing("temporary"),
    "RepairClaimed": _standing("claimed"),
    "RepairRejected": _standing("repair_rejected"),
    "RepairVerified": _standing("verified"),
    "DefectRecalled": _standing("recalled"),
    "DefectUnmerged": _standing("unmerged"),
    "DefectMerged": _merged,
    "DeadlineMissed": _missed,
    "DeadlineMoved": _moved,
    "PeopleTold": _written,
}
"""The kinds of event that may be worth a message; exactly those are delivered to `tell`."""

_KINDS: Mapping[str, str] = {
    "DefectRecorded": HEADLINES["reported"],
    "DefectMadeSafe": HEADLINES["made_safe"],
    "DefectOrdered": HEADLINES["ordered"],
    "DefectRepairedTemporarily": HEADLINES["temporary"],
    "RepairClaimed": HEADLINES["claimed"],
    "RepairRejected": HEADLINES["repair_rejected"],
    "RepairVerified": HEADLINES["verified"],
    "DefectRecalled": HEADLINES["recalled"],
    "DefectMerged": "It turned out to be the same as another.",
    "DefectUnmerged": HEADLINES["unmerged"],
    "DeadlineMoved": "The date that we had said was moved.",
}
_LATE: Mapping[str, str] = {
    "make_safe": "We are late: it is not made safe yet.",
    "permanent": "We are late: it is not mended yet.",
}
NEWS = frozenset(_KINDS) | {"DefectStepped", "DeadlineMissed"}
"""What happened to a defect, for digests and feeds."""


def headline(kind: str, after: str | None, clock: str | None) -> str | None:
    """One line for an event of a defect; None where it is nobody's news. `clock`: of one that was missed."""
    if kind == "DefectStepped":
        template = _STEPS.get(after or "")
        return None if template is None else HEADLINES[template]
    if kind == "DeadlineMissed":
        return _LATE.get(clock or "")
    return _KINDS.get(kind)


@dataclass(frozen=True, slots=True)
class Said:
    """A standing message as it waits; its values say which event, `at` what time, and what was told `earlier`."""

    template: str
    values: Mapping[str, Any]


def together(one: Said, other: Said) -> Said:
    """Two as one: the later event says where things stand, and takes the line of the earlier along."""
    earlier, later = sorted((one, other), key=lambda said: int(said.values["event"]))
    own = {**{name: earlier.values[name] for name in ("event", "at")}, "words": HEADLINES[earlier.template]}
    lines = [*earlier.values.get("earlier", ()), own, *later.values.get("earlier", ())]
    return Said(later.template, {**later.values, "earlier": sorted(lines, key=lambda line: int(line["event"]))})
