"""Who may see which feed line, and how much of it: staff all, a contractor its own works, the public plain facts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.domain.public import public_status
from shared.domain.terms import DefectState, ReportState

PUBLIC_KINDS = frozenset(
    {
        "ReportReceived",
        "ReportTriaged",
        "ReportLinked",
        "ReportReferred",
        "ReportResolved",
        "ReportChallenged",
        "ReportWithdrawn",
        "ReportRestored",
        "DefectRecorded",
        "DefectSighted",
        "DefectGraded",
        "DefectStepped",
        "DefectMerged",
        "DefectUnmerged",
        "DefectMadeSafe",
        "DefectOrdered",
        "DefectRepairedTemporarily",
        "RepairClaimed",
        "RepairRejected",
        "RepairVerified",
        "DefectRecalled",
    }
)
"""Kinds of which the public sees something: that it happened, where, and the status in plain words."""

CONTRACTOR_KINDS = frozenset(
    {
        "OrderIssued",
        "OrderStepped",
        "OrderRegraded",
        "OrderRecharged",
        "VisitRecorded",
        "VisitPhotoAdded",
        "WarrantyStarted",
        "WarrantyStepped",
        "RecallProposed",
        "RecallDecided",
    }
)
"""Kinds that the contractor whom they name sees whole, but for which person acted."""

_PUBLIC_FIELDS = ("subject", "reference", "class_code", "area_code", "lat", "lon", "occurred_at", "defect")


@dataclass(frozen=True, slots=True)
class Audience:
    """`contractor_id` is set for a contractor, `staff` for operators and above, neither for the public."""

    staff: bool = False
    contractor_id: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the feed, as it is stored. `hash` and `hash_before` are hex; `at` is ISO 8601 in UTC."""

    number: int
    at: str
    kind: str
    body: Mapping[str, Any]
    area_code: str | None
    class_code: str | None
    state: str | None
    contractor_id: int | None
    public: bool
    hash_before: str
    hash: str


def may_see(line: Line, audience: Audience) -> bool:
    """Whether anything of the line is for this audience."""
    if audience.staff:
        return True
    if audience.contractor_id is not None:
        return line.contractor_id == audience.contractor_id and line.kind in CONTRACTOR_KINDS
    return line.public


def redacted(line: Line, audience: Audience) -> dict[str, Any]:
    """What this audience gets of a line that it may see."""
    if audience.staff:
        body = dict(line.body)
    else:
        body = _plain(line) if audience.contractor_id is None else _by_sides(line)
    return {
        "number": line.number,
        "at": line.at,
        "kind": line.kind,
        **body,
        "hash_before": line.hash_before,
        "hash": line.hash,
    }


def side(actor: str, *, own: bool) -> str:
    """Who acted, for a contractor: "us", "council", or the part of Roadmend. `own`: one of its people or keys."""
    if own:
        return "us"
    return "council" if actor.startswith(("person:", "key:")) else actor


def _by_sides(line: Line) -> dict[str, Any]:
    said = dict(line.body)
    own = said.pop("by_contractor", False)
    return said | {"actor": side(said["actor"], own=own)}


def _plain(line: Line) -> dict[str, Any]:
    said = {name: line.body[name] for name in _PUBLIC_FIELDS if line.body.get(name) is not None}
    status = _status(line)
    return said if status is None else said | {"status": status}


def _status(line: Line) -> str | None:
    if line.state is None:
        return None
    if line.body.get("subject") == "report":
        return public_status(ReportState(line.state)).label
    if line.body.get("subject") == "defect":
        return public_status(DefectState(line.state)).label
    return None
