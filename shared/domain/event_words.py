"""The record in plain words, for people who work with it: one sentence an event, without who and when."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any


@dataclass(frozen=True, slots=True)
class Said:
    """An event as it is told. `names` are references: of the report, the works order, the recall, the other defect.

    `data` holds what the event says beside ids; times in it are ISO.
    """

    kind: str
    before: str | None
    after: str | None
    data: Mapping[str, Any]
    names: Mapping[str, str] = field(default_factory=dict)
    zone: tzinfo | None = None

    def name(self, of: str) -> str:
        return self.names.get(of) or {"other": "another defect"}.get(of, f"a {of.replace('_', ' ')}")

    def time(self, field: str) -> str:
        written = self.data.get(field)
        if not written:
            return "no time"
        at = datetime.fromisoformat(written).astimezone(self.zone)
        return f"{at:%a} {at.day} {at:%b %Y %H:%M}"


@dataclass(frozen=True, slots=True)
class Sentence:
    """`words` say what happened, `why` the reasons that stand with it."""

    words: str
    why: str = ""


def sentence(said: Said) -> Sentence:
    """What an event says. One whose kind is not known is told by its kind, never left out."""
    rule = _RULES.get(said.kind)
    return Sentence(f"{said.kind}.") if rule is None else rule(said)


def spelt(code: str | None) -> str:
    """repair_claimed is "repair claimed"."""
    return (code or "").replace("_", " ")


def _why(said: Said) -> str:
    why = said.data.get("why") or ""
    return " ".join(why) if isinstance(why, list | tuple) else str(why)


_Rule = Callable[[Said], Sentence]


def _plain(words: str) -> _Rule:
    return lambda said: Sentence(words, _why(said))


def _of_report(words: str) -> _Rule:
    return lambda said: Sentence(words.format(report=said.name("report")), _why(said))


def _of_order(words: str) -> _Rule:
    return lambda said: Sentence(words.format(order=said.name("works_order")), _why(said))


def _of_other(words: str) -> _Rule:
    return lambda said: Sentence(words.format(other=said.name("other")), _why(said))


def _sighted(said: Said) -> Sentence:
    seen = [(said.data.get("reports"), "report"), (said.data.get("detections"), "detection")]
    seen.append((said.data.get("passers_by"), "passer-by"))
    told = [f"{count} {word}{'s' if count != 1 and word != 'passer-by' else ''}" for count, word in seen if count]
    danger = " Danger was told of." if said.data.get("danger") else ""
    return Sentence(f"Seen again: {', '.join(told)}.{danger}" if told else "What saw it has changed.")


def _graded(said: Said) -> Sentence:
    was, band = said.data.get("was"), said.data.get("band")
    words = f"Graded {band}." if was in (None, band) else f"Graded {band}; it was {was}."
    due = [
        f"{name} by {said.time(field)}"
        for name, field in (("safe", "make_safe_due"), ("mended", "permanent_due"), ("looked at", "inspect_due"))
        if said.data.get(field)
    ]
    return Sentence(f"{words} To be {', '.join(due)}." if due else words, _why(said))


def _stepped(said: Said) -> Sentence:
    if said.before is None:
        return Sentence(f"Is {spelt(said.after)}.", _why(said))
    return Sentence(f"From {spelt(said.before)} to {spelt(said.after)}.", _why(said))


def _recorded(said: Said) -> Sentence:
    again = f" {said.name('other')} was here before." if said.names.get("other") else ""
    return Sentence(f"Recorded as {spelt(said.data.get('class_code'))}, {spelt(said.after)}.{again}")


def _missed(said: Said) -> Sentence:
    clock = {"make_safe": "make safe", "permanent": "mend", "inspect": "look at it", "verify": "check the repair"}
    what = clock.get(str(said.data.get("clock")), "read the report")
    return Sentence(f"Late: the time to {what} ran out at {said.time('due_at')}.")


def _moved(said: Said) -> Sentence:
    clock = spelt(said.data.get("clock"))
    return Sentence(f"The {clock} time moved from {said.time('was')} to {said.time('due_at')}.", _why(said))


def _issued(said: Said) -> Sentence:
    whose = "at the contractor's own cost" if said.data.get("charge_to") == "contractor" else "paid by the council"
    return Sentence(f"{said.name('works_order')} was issued, {whose}.", _why(said))


def _order_stepped(said: Said) -> Sentence:
    return Sentence(f"{said.name('works_order')} is {spelt(said.after)}.", _why(said))


def _order_graded(said: Said) -> Sentence:
    return Sentence(f"{said.name('works_order')} is {said.data.get('band')} now.", _why(said))


def _visited(said: Said) -> Sentence:
    reason = f" ({spelt(said.data['reason'])})" if said.data.get("reason") else ""
    return Sentence(f"A crew came for {said.name('works_order')}: {spelt(said.data.get('outcome'))}{reason}.")


def _warranted(said: Said) -> Sentence:
    return Sentence(f"The repair is under warranty from {said.data.get('starts_on')} to {said.data.get('ends_on')}.")


def _decided(said: Said) -> Sentence:
    ruled = "A supervisor ruled on" if said.data.get("ruling") else "Decided on"
    return Sentence(f"{ruled} {said.name('recall')}: {spelt(said.data.get('decision'))}.", _why(said))


def _asked(said: Said) -> Sentence:
    return Sentence("The reporter was asked.", str(said.data.get("question", "")))


def _linked(said: Said) -> Sentence:
    to = f" to {said.name('other')}" if said.names.get("other") else ""
    return Sentence(f"{said.name('report')} was linked{to}.", _why(said))


def _unlinked(said: Said) -> Sentence:
    which = said.names.get("other") or "this one"
    return Sentence(f"{said.name('report')} is not of {which} any more.", _why(said))


def _referred(said: Said) -> Sentence:
    return Sentence(f"Passed on to {said.data.get('target')}.", _why(said))


_RULES: Mapping[str, _Rule] = {
    "ReportReceived": _of_report("{report} came in."),
    "ReportPhotoAdded": _plain("A photo was added to the report."),
    "ReportTriaged": _plain("The report waits for a person."),
    "ReportLinked": _linked,
    "ReportUnlinked": _unlinked,
    "ReportInfoAsked": _asked,
    "ReportReferred": _referred,
    "ReportRejected": lambda said: Sentence(f"Rejected: {spelt(said.data.get('reason'))}.", _why(said)),
    "ReportRestored": _plain("The rejection was taken back."),
    "ReportWordsShown": lambda said: Sentence(f"Its words are {said.data.get('shown')} for the public.", _why(said)),
    "ReportTaken": _plain("Somebody sees to the danger."),
    "ReportGivenBack": _plain("Nobody sees to the danger after all."),
    "ContactForgotten": _plain("The reporter had the contact details deleted."),
    "ContactShown": _plain("The contact details were looked at."),
    "ReportFoundNoDefect": _plain("Somebody looked, and found nothing that needs mending."),
    "ReportResolved": _of_report("{report} is answered."),
    "ReportChallenged": _of_report("{report}: the reporter says that it is not settled."),
    "ReportWithdrawn": _of_report("{report} was withdrawn by its reporter."),
    "TriageMissed": _missed,
    "DefectRecorded": _recorded,
    "DefectDetected": lambda said: Sentence(f"Machines saw it: {spelt(said.data.get('class_code'))}."),
    "DefectSighted": _sighted,
    "DefectGraded": _graded,
    "DefectStepped": _stepped,
    "DefectMerged": _of_other("Found to be the same as {other}."),
    "DefectUnmerged": _of_other("Found to be another than {other} after all."),
    "DefectSplit": _of_other("{other} was split off."),
    "DefectMadeSafe": _plain("Made safe. It is not mended."),
    "DefectOrdered": _of_order("{order} covers it."),
    "DefectRepairedTemporarily": _plain("Repaired for the time being."),
    "RepairClaimed": _plain("The crew says that it is mended."),
    "RepairRejected": _of_order("The repair of {order} did not pass."),
    "RepairVerified": _of_order("The repair of {order} is verified."),
    "DefectRecalled": _plain("The repair failed under its warranty: it goes back to who did it."),
    "PeopleTold": lambda said: Sentence("Who reported or follows it was written to.", str(said.data.get("words", ""))),
    "DeadlineMissed": _missed,
    "DeadlineMoved": _moved,
    "OrderIssued": _issued,
    "OrderStepped": _order_stepped,
    "OrderRegraded": _order_graded,
    "OrderRecharged": lambda said: Sentence(
        f"{said.name('works_order')} is charged to the {said.data.get('charge_to')}.", _why(said)
    ),
    "VisitRecorded": _visited,
    "VisitPhotoAdded": lambda said: Sentence(f"A photo from {said.data.get('role')} the work came."),
    "WarrantyStarted": _warranted,
    "WarrantyStepped": lambda said: Sentence(f"The warranty is {spelt(said.after)}.", _why(said)),
    "RecallProposed": lambda said: Sentence(f"{said.name('recall')}: the repair may have failed.", _why(said)),
    "RecallDecided": _decided,
    "PhotoReleased": _plain("A photo was released: everybody may see it."),
    "PhotoWithheld": _plain("A photo was withheld from the public."),
}
TOLD = frozenset(_RULES)
"""The kinds that have words."""
