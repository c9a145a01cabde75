"""Recalls: failures inside a warranty are proposed by matching, decided by operators, disputed, and ruled on."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from services.api.deps import STAFF, Asker, Now, Read, Role, Write, requires
from services.api.routes.verification import RepairPhoto
from services.api.schemas import Act, Input, Words
from shared.flows import recall_repair
from shared.flows.recall_repair import Decision
from shared.store.read_models import recall_case
from shared.store.read_models import warranties as read

router = APIRouter(prefix="/api/v1/recalls", tags=["warranties"])

READER = requires(Role.CONTRACTOR, *STAFF, scope="warranties:read")
OPERATOR_READS = requires(*STAFF, scope="warranties:read")
OPERATOR = requires(*STAFF, scope="warranties:write")
CONTRACTOR = requires(Role.CONTRACTOR, scope="warranties:write")
SUPERVISOR = requires(Role.SUPERVISOR, Role.ADMIN, scope="warranties:write")

Reference = Annotated[str, Path(max_length=20, examples=["K-7K3M-9QXF"])]
State = Literal["proposed", "attributable", "not_attributable", "disputed"]


class Recall(BaseModel):
    """A failure that was seen in the footprint of a repair under warranty."""

    reference: str = Field(examples=["K-7K3M-9QXF"])
    state: State
    why: str = Field(description="What was seen, and what the rules make of it")
    proposed_at: datetime
    decided_at: datetime | None
    decided_by: str | None = Field(description="Who; to a contractor only council, or the part of Roadmend")
    decision_why: str | None
    disputed_at: datetime | None
    ruled_at: datetime | None
    ruled_by: str | None
    defect: str = Field(description="The defect whose repair is in question")
    lat: float
    lon: float
    class_code: str
    contractor: str
    contractor_name: str
    street: str | None
    repaired_under: str = Field(description="The works order of the repair")
    warranty_state: str
    ends_on: date = Field(description="The warranty's last day")
    remedial_order: str | None = Field(description="The order by which it is mended again")
    new_defect: str | None = Field(description="The defect that it turned out to be, when it is not the repair's")
    reports: int = Field(description="Reports that wait, or waited, with it")
    detections: int


class SeenRecall(Recall):
    seen: int = Field(description="What to send with a decision that rests on this answer")


class RecallPage(BaseModel):
    recalls: list[SeenRecall]
    next: str | None = Field(description="`after` of the next page; None when there is no more")


class Waiting(BaseModel):
    reference: str = Field(examples=["R-7K3M-9QXF"])
    state: str
    why: str
    at: datetime


class WholeRecall(SeenRecall):
    waiting: list[Waiting] = Field(description="The reports that told of the failure")


@router.get("")
def list_recalls(
    tx: Read,
    asker: Annotated[Asker, READER],
    state: Annotated[list[State] | None, Query()] = None,
    defect: Annotated[str | None, Query(max_length=20)] = None,
    after: Annotated[str | None, Query(max_length=80)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> RecallPage:
    """Recalls, the oldest proposal first. A contractor sees only their own."""
    wanted = read.Wanted(contractor_id=asker.contractor_id, states=state or (), defect=defect)
    page = read.recalls(tx, wanted, after=after, most=limit)
    return RecallPage.model_validate({"recalls": page.rows, "next": page.next})


class Seen(BaseModel):
    """Something that was seen in the footprint since the repair."""

    kind: Literal["report", "detection"]
    reference: str = Field(description="A report's; of a detection its vendor's id", examples=["R-7K3M-9QXF"])
    seen_at: datetime
    class_code: str
    lat: float
    lon: float
    accuracy_m: float = Field(description="Radius that holds the true place 19 times of 20, metres")
    distance_m: float = Field(description="From the footprint; 0 inside it")
    description: str
    danger: bool
    state: str
    confidence: float | None
    why: str = Field(description="Why it is taken to be of this repair")
    photos: list[RepairPhoto]


class RepairInQuestion(BaseModel):
    """What was promised, where, and until when."""

    works_order: str = Field(examples=["W-7K3M-9QXF"])
    band: str
    contractor_name: str
    street: str | None
    repair_type: str
    repaired_at: datetime = Field(description="Physical completion")
    started_at: datetime
    left_at: datetime
    completed_by: str
    verified_at: datetime | None
    verifier: str | None
    length_m: float | None
    width_m: float | None
    note: str
    starts_on: date
    ends_on: date = Field(description="The warranty's last day, to 23:59:59 local time")
    footprint: dict[str, Any] = Field(description="GeoJSON polygon, WGS 84")
    photos: list[RepairPhoto]


class SaidOfIt(BaseModel):
    at: datetime
    decision: Literal["attributable", "not_attributable", "disputed"]
    ruling: bool = Field(description="Whether a supervisor ruled on a dispute")
    why: str
    by: str


class RecallCase(SeenRecall):
    """A recall as the person sees it who decides."""

    repair: RepairInQuestion
    sightings: list[Seen] = Field(description="What was seen in the footprint, the first first")
    said: list[SaidOfIt] = Field(description="What was decided, disputed and ruled, in order")
    version: str = Field(description="Changes whenever something of it has changed")


@router.get("/{reference}/case")
def show_case(reference: Reference, tx: Read, _: Annotated[Asker, OPERATOR_READS]) -> RecallCase:
    """One recall with the repair in question, what was seen since, both places, and what was said of it."""
    return RecallCase.model_validate(recall_case.case(tx, reference), from_attributes=True)


@router.get("/{reference}")
def show_recall(reference: Reference, tx: Read, asker: Annotated[Asker, READER]) -> WholeRecall:
    """One recall with the reports that told of the failure."""
    return WholeRecall.model_validate(read.one_recall(tx, reference, asker.contractor_id))


class Decided(Act):
    decision: Decision = Field(examples=["attributable"])
    why: Annotated[Words, Field(min_length=3, max_length=1000, examples=["The patch has come out whole."])]


@router.post("/{reference}/decide")
def decide_recall(
    reference: Reference, given: Decided, tx: Write, now: Now, asker: Annotated[Asker, OPERATOR]
) -> WholeRecall:
    """Say whether the failure is the repair's: then the same contractor mends it again at no charge."""
    recall_repair.decide(tx, reference, given.decision, given.why, now, given.seen)
    return WholeRecall.model_validate(read.one_recall(tx, reference, asker.contractor_id))


class Disputed(Input):
    why: Annotated[Words, Field(min_length=3, max_length=1000, examples=["A trench was cut through it on 3 Nov."])]


@router.post("/{reference}/dispute")
def dispute_recall(
    reference: Reference, given: Disputed, tx: Write, now: Now, asker: Annotated[Asker, CONTRACTOR]
) -> WholeRecall:
    """The contractor says that the failure is not the repair's. The remedial work goes on; who pays is ruled on."""
    recall_repair.dispute(tx, reference, asker.contractor_id, given.why, now)
    return WholeRecall.model_validate(read.one_recall(tx, reference, asker.contractor_id))


@router.post("/{reference}/rule")
def rule_on_recall(
    reference: Reference, given: Decided, tx: Write, now: Now, asker: Annotated[Asker, SUPERVISOR]
) -> WholeRecall:
    """A supervisor rules on what the contractor disputes; the ruling is final."""
    recall_repair.rule(tx, reference, given.decision, given.why, now, given.seen)
    return WholeRecall.model_validate(read.one_recall(tx, reference, asker.contractor_id))
