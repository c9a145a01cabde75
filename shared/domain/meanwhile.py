"""What happened to a thing between somebody's look at it and their save: whether it stands against the save, in words.

What a person decided does, and what changes the ground that a save stands on: state, band, merges, orders. That a
machine saw the thing once more does not, however often it comes.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from shared.domain.events import KINDS, Step

_TELLING = {"DefectGraded", "DefectSplit", "OrderRegraded", "OrderRecharged", "VisitRecorded", "VisitPhotoAdded"}
_TELLING |= {"RecallProposed", "RecallDecided", "ReportTaken", "ReportGivenBack", "ReportWordsShown"}
GROUND = frozenset({name for name, kind in KINDS.items() if issubclass(kind, Step)} | _TELLING)
"""Kinds that can stand against a save whoever caused them. All are recorded while their subject's row is locked, so
that the newest of them tells how a subject stood for whoever read it."""

_REGRADED = {"DefectGraded", "OrderRegraded"}
_EVERY_TIME = {"ReportLinked", "ReportUnlinked"}
"""Steps that may end where they began, and change what a report is of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """An event about a thing, or about another that was merged into it or taken out of it again (`of_other`).

    `reference` is the thing's, `other` that of the defect that the event names beside it. `actor` as it stands in the
    record, `name` where that is a person or a key.
    """

    id: int
    reference: str
    at: datetime
    kind: str
    actor: str
    name: str | None = None
    before: str | None = None
    after: str | None = None
    data: Mapping[str, Any]
    other: str | None = None
    of_other: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What one actor did to a thing at once, in words: "Ben Carr", "confirmed it as P5"."""

    reference: str
    by: str
    did: str
    at: datetime
    by_person: bool


def stands_against(one: Happened, actor: str) -> bool:
    """Whether an event stands against what this actor is about to save. What a person did themselves, they know."""
    if is_person(one.actor):
        return one.actor != actor
    if one.kind in _REGRADED:
        return bool(one.data.get("band") != one.data.get("was"))
    if one.kind in _EVERY_TIME or one.kind not in GROUND:
        return one.kind in _EVERY_TIME
    return one.after is None or one.before != one.after


def is_person(actor: str) -> bool:
    """Whether somebody with an account acted."""
    return actor.startswith("person:")


def changes(happened: Iterable[Happened], actor: str) -> tuple[Change, ...]:
    """What stands against the save, oldest first; nothing: it may go on. What came in one act is told as one.

    `happened` may be of several things that one save is about.
    """
    standing = sorted((one for one in happened if stands_against(one, actor)), key=lambda one: one.id)
    acts = (list(act) for _, act in groupby(standing, key=lambda one: (one.actor, one.at, one.reference)))
    return tuple(Change(act[0].reference, _who(act[0]), _done(act), act[0].at, is_person(act[0].actor)) for act in acts)


def in_words(found: Sequence[Change], now: datetime) -> str:
    """Who did what when, the newest decision of a person before anything that followed on it; and what to do."""
    told = next((one for one in reversed(found) if one.by_person), found[-1])
    more = "" if len(found) == 1 else f" It is one of {len(found)} changes since you looked."
    return f"{told.by} {told.did} {ago(now - told.at)}.{more} Look at it again before you save."


_NUMBERS = ("", "a", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def ago(passed: timedelta) -> str:
    """ "just now", "two minutes ago", "an hour ago", "12 days ago"."""
    minutes = int(passed.total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 60:
        return _some(minutes, "minute")
    if minutes < 48 * 60:
        return _some(minutes // 60, "hour").replace("a hour", "an hour")
    return _some(minutes // 1440, "day")


def _some(count: int, unit: str) -> str:
    number = _NUMBERS[count] if count < len(_NUMBERS) else str(count)
    return f"{number} {unit}{'' if count == 1 else 's'} ago"


def _who(one: Happened) -> str:
    if one.name:
        return one.name
    kind = one.actor.partition(":")[0]
    known = {"person": "Somebody", "key": "A program", "reporter": "The reporter", "public": "The reporter"}
    return known.get(kind, "A rule")


def _done(act: Sequence[Happened]) -> str:
    """ "confirmed it as P5": a step and the grade that came with it are one thing to whoever did it."""
    graded = next((one for one in act if one.kind == "DefectGraded"), None)
    others = [one for one in act if one is not graded]
    said = list(dict.fromkeys(_words(one) for one in others))
    if graded is None:
        return " and ".join(said)
    band = str(graded.data.get("band"))
    if "confirmed it" in said:
        said[said.index("confirmed it")] = f"confirmed it as {band}"
    else:
        said.append(f"graded it {band}")
    return " and ".join(said)


def _words(one: Happened) -> str:
    found = _SAID.get(one.kind, "changed it")
    return found if isinstance(found, str) else found(one)


_STEPPED = {
    "confirmed": "confirmed it",
    "monitor": "put it under watch",
    "third_party": "handed it to its owner",
    "no_defect": "found that there is no defect",
    "deferred_to_scheme": "left it to a scheme",
    "closed": "closed it",
    "closed_no_action": "closed it without a repair",
}


_ORDER = {
    "issued": "issued it",
    "accepted": "accepted it",
    "declined": "declined it",
    "scheduled": "scheduled it",
    "on_site": "went there",
    "made_safe": "made it safe",
    "completed_temporary": "repaired it for the time being",
    "completed_permanent": "told that it is repaired",
    "aborted": "could not do it",
    "evidence_ok": "found its evidence complete",
    "evidence_failed": "found its evidence lacking",
    "verified": "passed the repair",
    "failed": "rejected the repair",
    "remedial": "sent the crew again",
    "payable": "made it payable",
    "paid": "paid it",
    "cancelled": "withdrew it",
}


def _stepped(one: Happened) -> str:
    return _STEPPED.get(one.after or "", f"made it {(one.after or 'another').replace('_', ' ')}")


def _merged(one: Happened) -> str:
    return f"merged {one.other} into it" if one.of_other else f"merged it into {one.other}"


def _unmerged(one: Happened) -> str:
    return f"took {one.other} out of it again" if one.of_other else f"took it out of {one.other} again"


def _decided(one: Happened) -> str:
    ours = one.data.get("decision") == "attributable"
    if one.data.get("decision") == "disputed":
        return "disputed it"
    verb = "ruled" if one.data.get("ruling") else "decided"
    return f"{verb} that the failure is {'' if ours else 'not '}the repair's"


_SAID: Mapping[str, str | Callable[[Happened], str]] = {
    "DefectStepped": _stepped,
    "DefectMerged": _merged,
    "DefectUnmerged": _unmerged,
    "DefectSplit": lambda one: f"split {one.other} off it",
    "DefectSighted": lambda one: f"{'linked' if one.data.get('reports') else 'unlinked'} a report",
    "DefectMadeSafe": "made it safe",
    "DefectOrdered": "ordered its repair",
    "DefectRepairedTemporarily": "repaired it for the time being",
    "RepairClaimed": "told that it is repaired",
    "RepairRejected": "rejected its repair",
    "RepairVerified": "verified its repair",
    "DefectRecalled": "called its repair back",
    "ReportTriaged": "looked at it",
    "ReportLinked": lambda one: f"linked it to {one.other}",
    "ReportUnlinked": lambda one: f"unlinked it from {one.other}",
    "ReportInfoAsked": "asked the reporter",
    "ReportReferred": lambda one: f"referred it to {one.data.get('target')}",
    "ReportRejected": "rejected it",
    "ReportRestored": "took its rejection back",
    "ReportWordsShown": "changed what everybody sees of its words",
    "ReportFoundNoDefect": "found that there is no defect",
    "ReportResolved": "resolved it",
    "ReportChallenged": "said that it is not settled",
    "ReportWithdrawn": "withdrew it",
    "ReportTaken": "took it",
    "ReportGivenBack": "gave it back",
    "OrderIssued": "issued it",
    "OrderStepped": lambda one: _ORDER.get(one.after or "", "changed it"),
    "OrderRegraded": lambda one: f"graded it {one.data.get('band')}",
    "OrderRecharged": lambda one: f"charged it to the {one.data.get('charge_to')}",
    "VisitRecorded": "told of a visit",
    "VisitPhotoAdded": "sent a photo of the repair",
    "RecallProposed": "proposed it",
    "RecallDecided": _decided,
}
