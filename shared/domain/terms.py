"""The words of the trade: ids, states, bands and roles, each spelt once and used everywhere.

Glossary
    report       what a resident said: "there is a hole here". Reports and defects are N:M.
    detection    what a camera saw: a class, a place, a confidence. Never a decision.
    sighting     a report or a detection, once it is linked to a defect.
    defect       the thing on the ground that the authority records, grades and ends.
    band         how soon it must be mended: E, P2, P5, P10, P20, or M (watch), T (another's), G (gully), R (recall).
    works order  what a contractor is told to do, for one defect or several on one street.
    visit        a contractor's attendance: made safe, temporary, permanent or aborted.
    make safe    the danger is gone, the defect is not: the permanent clock goes on and nothing is warranted.
    verified     somebody other than the completer, or the rules, accept the evidence of a permanent repair.
    warranty     the contractor's promise for one repair, within its footprint, to the end date inclusive.
    recall       a failure inside a warranty, sent back to the same contractor at no charge.
    lot          which contractor covers which area, class and band, from a date to a date.
    knowledge    when the authority first knew of a defect, over all that saw it. It only ever moves earlier.
"""

from enum import StrEnum
from typing import NewType

ReportId = NewType("ReportId", int)
DetectionId = NewType("DetectionId", int)
BatchId = NewType("BatchId", int)
DefectId = NewType("DefectId", int)
OrderId = NewType("OrderId", int)
VisitId = NewType("VisitId", int)
WarrantyId = NewType("WarrantyId", int)
RecallId = NewType("RecallId", int)
ContractorId = NewType("ContractorId", int)
PersonId = NewType("PersonId", int)
StreetId = NewType("StreetId", int)
AreaId = NewType("AreaId", int)
PhotoId = NewType("PhotoId", int)
EventId = NewType("EventId", int)
PolicyVersionId = NewType("PolicyVersionId", int)


class ReportState(StrEnum):
    RECEIVED = "received"
    TRIAGE = "triage"
    NEEDS_INFO = "needs_info"
    LINKED = "linked"
    REFERRED = "referred"
    NO_DEFECT_FOUND = "no_defect_found"
    REJECTED = "rejected"
    RESOLVED = "resolved"
    CHALLENGED = "challenged"
    WITHDRAWN = "withdrawn"


class DefectState(StrEnum):
    CANDIDATE = "candidate"
    CONFIRMED = "confirmed"
    MONITOR = "monitor"
    THIRD_PARTY = "third_party"
    NO_DEFECT = "no_defect"
    DUPLICATE = "duplicate"
    MADE_SAFE = "made_safe"
    ORDERED = "ordered"
    REPAIRED_TEMPORARY = "repaired_temporary"
    REPAIR_CLAIMED = "repair_claimed"
    VERIFIED = "verified"
    REPAIR_REJECTED = "repair_rejected"
    IN_WARRANTY = "in_warranty"
    RECALLED = "recalled"
    CLOSED = "closed"
    CLOSED_NO_ACTION = "closed_no_action"
    DEFERRED_TO_SCHEME = "deferred_to_scheme"


class OrderState(StrEnum):
    DRAFT = "draft"
    ISSUED = "issued"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    SCHEDULED = "scheduled"
    ON_SITE = "on_site"
    MADE_SAFE = "made_safe"
    COMPLETED_TEMPORARY = "completed_temporary"
    COMPLETED_PERMANENT = "completed_permanent"
    ABORTED = "aborted"
    EVIDENCE_OK = "evidence_ok"
    EVIDENCE_FAILED = "evidence_failed"
    VERIFIED = "verified"
    FAILED = "failed"
    REMEDIAL = "remedial"
    PAYABLE = "payable"
    PAID = "paid"
    CANCELLED = "cancelled"


class WarrantyState(StrEnum):
    PENDING = "pending"
    ACTIVE = "active"
    CLAIM_OPEN = "claim_open"
    ATTRIBUTABLE = "attributable"
    NOT_ATTRIBUTABLE = "not_attributable"
    DISPUTED = "disputed"
    REMEDIED = "remedied"
    EXPIRED = "expired"
    VOID = "void"


class Band(StrEnum):
    """Response bands (DOMAIN 10.1). E to P20 are graded by risk; M, T, G and R say why another rule holds."""

    E = "E"
    P2 = "P2"
    P5 = "P5"
    P10 = "P10"
    P20 = "P20"
    M = "M"
    T = "T"
    G = "G"
    R = "R"

    @property
    def urgency(self) -> int:
        """0 is the most urgent; the order in which two bands are compared."""
        return _URGENCY[self]


_URGENCY = {Band.E: 0, Band.P2: 1, Band.P5: 2, Band.R: 3, Band.P10: 3, Band.G: 3, Band.P20: 4, Band.T: 5, Band.M: 6}


class VisitOutcome(StrEnum):
    MADE_SAFE = "made_safe"
    TEMPORARY = "temporary"
    PERMANENT = "permanent"
    ABORTED = "aborted"


class AbortReason(StrEnum):
    PARKED_CAR = "parked_car"
    WEATHER = "weather"
    TRAFFIC_MANAGEMENT = "traffic_management"
    PERMIT = "permit"
    NOT_FOUND = "not_found"
    UNSAFE = "unsafe"
    THIRD_PARTY = "third_party"


class Side(StrEnum):
    """Side of a street, looking along the direction in which its line is drawn."""

    LEFT = "left"
    RIGHT = "right"


class Role(StrEnum):
    PUBLIC = "public"
    REPORTER = "reporter"
    CONTRACTOR = "contractor"
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"
    VENDOR = "vendor"


OPEN_REPORT = frozenset(
    {
        ReportState.RECEIVED,
        ReportState.TRIAGE,
        ReportState.NEEDS_INFO,
        ReportState.LINKED,
        ReportState.CHALLENGED,
    }
)
"""Somebody still has to do something for the reporter; the reporter may withdraw it."""

OPEN_DEFECT = frozenset(
    {
        DefectState.CANDIDATE,
        DefectState.CONFIRMED,
        DefectState.MONITOR,
        DefectState.THIRD_PARTY,
        DefectState.MADE_SAFE,
        DefectState.ORDERED,
        DefectState.REPAIRED_TEMPORARY,
        DefectState.REPAIR_CLAIMED,
        DefectState.REPAIR_REJECTED,
        DefectState.RECALLED,
        DefectState.DEFERRED_TO_SCHEME,
    }
)
"""Not ended: a new sighting may join it, and it may be merged.

Finished work (verified and after) is never joined (DOMAIN 10.3, case 6).
"""

ENDED_DEFECT = frozenset(
    {
        DefectState.VERIFIED,
        DefectState.IN_WARRANTY,
        DefectState.CLOSED,
        DefectState.CLOSED_NO_ACTION,
        DefectState.NO_DEFECT,
        DefectState.MONITOR,
    }
)
"""The reporter's matter is at an end: a report is resolved when all its defects are here (DOMAIN 10.2).

A monitored defect is in both sets: answered for the reporter, still open to what is seen next. A duplicate counts as
its original.
"""

LIVE_WARRANTY = frozenset(
    {
        WarrantyState.ACTIVE,
        WarrantyState.CLAIM_OPEN,
        WarrantyState.DISPUTED,
        WarrantyState.NOT_ATTRIBUTABLE,
    }
)
"""The promise stands: a failure in the footprint is, or may become, a recall."""
