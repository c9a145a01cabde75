"""What happened: every event in the past tense, as data, and in one table who listens to it.

An event names its subject (`SUBJECT`, whose id is the field `<subject>_id`). One that changes the subject's state
carries `before` and `after`; the last `after` of a subject is its state, which `roadmend doctor` holds against the row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar


class Consumer(StrEnum):
    """Who takes deliveries. Each has its own queue and its own flow."""

    TRIAGE = "triage"
    DETECTIONS = "detections"
    GRADE = "grade"
    ASSIGN = "assign"
    VERIFY = "verify"
    FEED = "feed"
    TELL = "tell"
    ACTS = "acts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A fact. Subclasses hold ids, states, plain words and ISO times; never personal data."""

    SUBJECT: ClassVar[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Event):
    """An event that moves its subject through its lifecycle. `before` is None for the first."""

    before: str | None
    after: str


# --- reports ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportReceived(Step):
    SUBJECT = "report"
    report_id: int
    class_code: str
    danger: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPhotoAdded(Event):
    SUBJECT = "report"
    report_id: int
    photo_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportTriaged(Step):
    """The report waits for a person: `why` says for what."""

    SUBJECT = "report"
    report_id: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportLinked(Step):
    """`verdict`: same, new, recall or person; reopened when a defect that had ended is open again."""

    SUBJECT = "report"
    report_id: int
    defect_id: int
    verdict: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportUnlinked(Step):
    SUBJECT = "report"
    report_id: int
    defect_id: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportInfoAsked(Step):
    SUBJECT = "report"
    report_id: int
    question: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportReferred(Step):
    SUBJECT = "report"
    report_id: int
    target: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRejected(Step):
    SUBJECT = "report"
    report_id: int
    reason: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRestored(Step):
    """Its rejection was undone: it waits for a person again."""

    SUBJECT = "report"
    report_id: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportWordsShown(Event):
    """What everybody sees of its words from now on. `shown`: screened, released (as they stand), withheld."""

    SUBJECT = "report"
    report_id: int
    shown: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportTaken(Event):
    """Somebody sees to the danger that it told of: nobody else is called for it any more."""

    SUBJECT = "report"
    report_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportGivenBack(Event):
    """Who had taken its danger does not see to it after all: everybody is called again."""

    SUBJECT = "report"
    report_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactForgotten(Event):
    """The reporter had the contact details deleted. Nobody can be told of this report any more."""

    SUBJECT = "report"
    report_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactShown(Event):
    """Somebody who works here looked at how to reach the reporter. Who, and when, is what matters of it."""

    SUBJECT = "report"
    report_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFoundNoDefect(Step):
    SUBJECT = "report"
    report_id: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportResolved(Step):
    SUBJECT = "report"
    report_id: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportChallenged(Step):
    SUBJECT = "report"
    report_id: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportWithdrawn(Step):
    SUBJECT = "report"
    report_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TriageMissed(Event):
    """Nobody decided about the report by the time that the policy names."""

    SUBJECT = "report"
    report_id: int
    due_at: datetime


# --- detections ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionsReceived(Event):
    SUBJECT = "batch"
    batch_id: int
    accepted: int
    repeated: int
    refused: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionsMatched(Event):
    SUBJECT = "batch"
    batch_id: int
    joined: int
    founded: int
    recalled: int
    stale: int
    kept: int


# --- defects ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class DefectRecorded(Step):
    SUBJECT = "defect"
    defect_id: int
    class_code: str
    recurrence_of: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DefectDetected(Step):
    """Machines founded a candidate. They come by the ten thousand, so nobody listens to each: the feed is told of the
    batch (`DetectionsMatched`), and the candidate is graded when a person or a report speaks of it.
    """

    SUBJECT = "defect"
    defect_id: int
    class_code: str
    batch_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DefectSighted(Event):
    """The defect was seen again: by so many reports, detections and passers-by, `danger` when one said so.

    Detections that join a defect and change nothing that a grade looks at have no event, only their sighting rows.
    """

    SUBJECT = "defect"
    defect_id: int
    reports: int = 0
    detections: int = 0
    passers_by: int = 0
    danger: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DefectGraded(Event):
    """`was` is the earlier band; due times are ISO or None; `why` holds the reasons, one sentence each."""

    SUBJECT = "defect"
    defect_id: int
    band: str
    was: str | None
    why: tuple[str, ...]
    make_safe_due: str | None = None
    permanent_due: str | None = None
    inspect_due: str | None = None
    seconded_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DefectStepped(Step):
    """A move that a person or a rule made: confirmed, monitor, third_party, no_defect, deferred_to_scheme, closed …"""

    SUBJECT = "defect"
    defect_id: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DefectMerged(Step):
    SUBJECT = "defect"
    defect_id: int
    into_id: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DefectUnmerged(Step):
    SUBJECT = "defect"
    defect_id: int
    from_id: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DefectSplit(Event):
    """`defect_id` gave sightings to `new_id`; the pair is never joined by a machine again."""

    SUBJECT = "defect"
    defect_id: int
    new_id: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DefectMadeSafe(Step):
    SUBJECT = "defect"
    defect_id: int
    visit_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DefectOrdered(Step):
    SUBJECT = "defect"
    defect_id: int
    works_order_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DefectRepairedTemporarily(Step):
    SUBJECT = "defect"
    defect_id: int
    visit_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairClaimed(Step):
    SUBJECT = "defect"
    defect_id: int
    visit_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairRejected(Step):
    SUBJECT = "defect"
    defect_id: int
    works_order_id: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairVerified(Step):
    SUBJECT = "defect"
    defect_id: int
    works_order_id: int
    visit_id: int
    verifier: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DefectRecalled(Step):
    SUBJECT = "defect"
    defect_id: int
    recall_id: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineMissed(Event):
    """`clock`: make_safe, permanent or verify. An unread report's clock is told by `TriageMissed`."""

    SUBJECT = "defect"
    defect_id: int
    clock: str
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineMoved(Event):
    """A due time was computed anew (a holiday announced late); the old one is kept here."""

    SUBJECT = "defect"
    defect_id: int
    clock: str
    was: datetime
    due_at: datetime
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleTold(Event):
    """An operator wrote to those who reported or follow the defect: `words` as they read them, screened."""

    SUBJECT = "defect"
    defect_id: int
    words: str


# --- works -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderIssued(Step):
    """`charge_to`: council or contractor (a remedial order costs the council nothing)."""

    SUBJECT = "works_order"
    works_order_id: int
    contractor_id: int
    defect_ids: tuple[int, ...]
    charge_to: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStepped(Step):
    """accepted, declined, scheduled, on_site, evidence_ok, verified, payable, paid, cancelled …"""

    SUBJECT = "works_order"
    works_order_id: int
    contractor_id: int
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRegraded(Event):
    """A defect of the order was graded anew, joined it or left it; band and due times (ISO or None) moved with it."""

    SUBJECT = "works_order"
    works_order_id: int
    contractor_id: int
    band: str
    was: str
    make_safe_due: str | None
    permanent_due: str | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRecharged(Event):
    """Who pays for an order has changed: a supervisor ruled on the recall that it came from."""

    SUBJECT = "works_order"
    works_order_id: int
    contractor_id: int
    charge_to: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitRecorded(Event):
    """`late` counts seconds between the end of the visit and its arrival here."""

    SUBJECT = "works_order"
    works_order_id: int
    contractor_id: int
    visit_id: int
    outcome: str
    reason: str | None
    late: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitPhotoAdded(Event):
    """A photo of a visit that is already known: its evidence is judged anew. `role`: before or after."""

    SUBJECT = "works_order"
    works_order_id: int
    contractor_id: int
    visit_id: int
    photo_id: int
    role: str


# --- warranty --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class WarrantyStarted(Step):
    SUBJECT = "warranty"
    warranty_id: int
    defect_id: int
    contractor_id: int
    starts_on: date
    ends_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class WarrantyStepped(Step):
    """claim_open, attributable, not_attributable, disputed, remedied, active, expired, void."""

    SUBJECT = "warranty"
    warranty_id: int
    defect_id: int
    contractor_id: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallProposed(Event):
    SUBJECT = "recall"
    recall_id: int
    warranty_id: int
    defect_id: int
    contractor_id: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallDecided(Event):
    """`decision`: attributable, not_attributable, disputed; `ruling` True when a supervisor ruled on a dispute."""

    SUBJECT = "recall"
    recall_id: int
    warranty_id: int
    defect_id: int
    contractor_id: int
    decision: str
    ruling: bool
    why: str


# --- what the public sees, and what is forgotten ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoReleased(Event):
    """Everybody may see it. Photos of a repair are released by its verification, without an event of their own."""

    SUBJECT = "photo"
    photo_id: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoWithheld(Event):
    """Only those whom it concerns may see it; no machine releases it again."""

    SUBJECT = "photo"
    photo_id: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DataErased(Event):
    """Personal data was forgotten, by the policy's terms or because somebody asked. Only so many of each: naming the
    reports would tell which of them were one person's.
    """

    SUBJECT = "deployment"
    deployment_id: int
    why: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReporterLookedUp(Event):
    """Staff searched for the reports of an e-mail address. `address_mark` is a keyed hash: two look-ups of one address
    have the same, and nobody can tell from it whose it is."""

    SUBJECT = "deployment"
    deployment_id: int
    address_mark: str
    reports: int


# --- the house -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyAdopted(Event):
    SUBJECT = "policy"
    policy_id: int
    name: str
    sha256: str
    approver: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StreetHierarchySet(Event):
    """A person set the hierarchy of a piece of street, or (`by_hand` False) left it to the next file again."""

    SUBJECT = "street"
    street_id: int
    hierarchy: str
    was: str
    by_hand: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessChanged(Event):
    """A person or a session was made, changed or ended. `what` says which, without a secret."""

    SUBJECT = "person"
    person_id: int
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChanged(Event):
    """An API key was made or revoked. `prefix` is the part of it that lists show."""

    SUBJECT = "key"
    key_id: int
    prefix: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FiguresFrozen(Event):
    """A quarter's figures were frozen, or stated anew because late facts changed them."""

    SUBJECT = "snapshot"
    snapshot_id: int
    quarter: str
    restated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkActAsked(Event):
    """An operator asked for one act on many defects; it is held until `due_at`, and may be undone until then."""

    SUBJECT = "bulk_act"
    bulk_act_id: int
    act: str
    defects: int
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkActUndone(Event):
    SUBJECT = "bulk_act"
    bulk_act_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkActDone(Event):
    """It was done to so many of its defects, and refused for so many."""

    SUBJECT = "bulk_act"
    bulk_act_id: int
    done: int
    refused: int


_FEED = (Consumer.FEED,)
_TOLD = (Consumer.FEED, Consumer.TELL)

LISTENERS: Mapping[type[Event], tuple[Consumer, ...]] = {
    ReportReceived: (Consumer.TRIAGE, Consumer.FEED),
    ReportPhotoAdded: (),
    ReportTriaged: _FEED,
    ReportLinked: _FEED,
    ReportUnlinked: _FEED,
    ReportInfoAsked: _TOLD,
    ReportReferred: _TOLD,
    ReportRejected: _TOLD,
    ReportRestored: _TOLD,
    ReportWordsShown: (),
    ReportTaken: _FEED,
    ReportGivenBack: _FEED,
    ContactForgotten: (),
    ContactShown: (),
    ReportFoundNoDefect: _TOLD,
    ReportResolved: _FEED,
    ReportChallenged: _FEED,
    ReportWithdrawn: _FEED,
    TriageMissed: _TOLD,
    DetectionsReceived: (Consumer.DETECTIONS, Consumer.FEED),
    DetectionsMatched: _FEED,
    DefectRecorded: (Consumer.GRADE, Consumer.FEED),
    DefectDetected: (),
    DefectSighted: (Consumer.GRADE, Consumer.FEED),
    DefectGraded: (Consumer.ASSIGN, *_TOLD),
    DefectStepped: (Consumer.GRADE, *_TOLD),
    DefectMerged: (Consumer.GRADE, Consumer.ASSIGN, *_TOLD),
    DefectUnmerged: (Consumer.GRADE, Consumer.ASSIGN, *_TOLD),
    DefectSplit: (Consumer.GRADE, Consumer.FEED),
    DefectMadeSafe: _TOLD,
    DefectOrdered: _TOLD,
    DefectRepairedTemporarily: (Consumer.ASSIGN, *_TOLD),
    RepairClaimed: _TOLD,
    RepairRejected: _TOLD,
    RepairVerified: _TOLD,
    DefectRecalled: (Consumer.ASSIGN, *_TOLD),
    DeadlineMissed: _TOLD,
    DeadlineMoved: _TOLD,
    PeopleTold: _TOLD,
    OrderIssued: _FEED,
    OrderStepped: _FEED,
    OrderRegraded: _FEED,
    OrderRecharged: _FEED,
    VisitRecorded: (Consumer.VERIFY, Consumer.FEED),
    VisitPhotoAdded: (Consumer.VERIFY, Consumer.FEED),
    WarrantyStarted: _FEED,
    WarrantyStepped: _FEED,
    RecallProposed: _FEED,
    RecallDecided: (Consumer.ASSIGN, Consumer.FEED),
    PhotoReleased: _FEED,
    PhotoWithheld: _FEED,
    DataErased: (),
    ReporterLookedUp: (),
    PolicyAdopted: (),
    StreetHierarchySet: (),
    AccessChanged: (),
    KeyChanged: (),
    FiguresFrozen: (),
    BulkActAsked: (Consumer.ACTS,),
    BulkActUndone: (),
    BulkActDone: _FEED,
}

KINDS: Mapping[str, type[Event]] = {kind.__name__: kind for kind in LISTENERS}


def listeners(kind: str) -> tuple[Consumer, ...]:
    """Who takes a delivery of an event of this kind."""
    return LISTENERS[KINDS[kind]]
