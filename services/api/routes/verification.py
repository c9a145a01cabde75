"""Repairs that wait for a person's verdict, and the sample: which were drawn for one, by what rule, and why."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from services.api.deps import STAFF, Asker, Read, requires
from services.api.schemas import Since
from shared.domain.terms import Band, OrderState
from shared.store import references
from shared.store.read_models import drawn, repair_photos, verification

router = APIRouter(prefix="/api/v1/verification", tags=["works orders"])

READER = requires(*STAFF, scope="works")
Contractor = Annotated[str | None, Query(max_length=40, description="A contractor's code")]
Waiting = Literal["evidence_ok", "evidence_failed"]


class RepairPhoto(BaseModel):
    reference: str
    url: str = Field(examples=["/api/v1/photos/9f1c3a5e7b2d4c6e8f0a1b2c3d4e5f60"])
    label: str = Field(description="What it is called where reasons speak of it", examples=["After 1"])
    role: Literal["report", "before", "after"]
    taken_at: datetime | None = Field(description="As the photo itself says; None, when it does not")
    received_at: datetime
    distance_m: float | None = Field(description="From where it says it was taken to the nearest defect of the order")


class Mended(BaseModel):
    reference: str = Field(examples=["D-7K3M-9QXF"])
    class_code: str = Field(examples=["pothole"])
    state: str
    lat: float
    lon: float
    danger: bool
    reports: int
    depth_mm: float | None
    width_mm: float | None
    street_side: str | None


class Finding(BaseModel):
    code: str = Field(examples=["photo_too_far"])
    sentence: str = Field(examples=["Photo after 1 was taken 120 m from the defect."])


class Evidence(BaseModel):
    verdict: Literal["ok", "failed"]
    why: list[str]
    missing: list[Finding] = Field(description="What is missing or wrong")
    flags: list[Finding] = Field(description="What does not fail it, but a person should know")


class Drawing(BaseModel):
    """How the repair was drawn for a person's check, or was not."""

    checked: bool = Field(description="True: a person checks it; False: the rules alone verify")
    why: str = Field(examples=["Drawn: 10% of such repairs are checked."])
    at: datetime
    number: float | None = Field(description="Made of the order's reference and the policy: anybody can draw it again")
    share: float | None = Field(description="Below it, the number is drawn, where no other rule has it checked")
    policy: str | None = Field(description="The policy that decided then", examples=["lancashire"])


class Repair(BaseModel):
    """A repair that a crew says is done, with all that a verdict on it is about."""

    reference: str = Field(examples=["W-7K3M-9QXF"])
    state: OrderState
    kind: str = Field(examples=["repair"])
    band: Band
    charge_to: Literal["council", "contractor"]
    contractor: str = Field(examples=["alder"])
    contractor_name: str
    street: str | None
    issued_at: datetime
    permanent_due_at: datetime | None
    completed_at: datetime | None
    verify_due_at: datetime | None = Field(description="By when a person decides; None where the evidence is lacking")
    verified_at: datetime | None
    verifier: str | None
    completed_by: str | None = Field(description="Who did it, by name: nobody verifies their own work")
    may_verify: bool = Field(description="Whether the asker may: not who did it, nor their company")
    outcome: str | None
    repair_type: str | None
    note: str | None
    started_at: datetime | None
    left_at: datetime | None = Field(description="When the crew left")
    received_at: datetime | None
    distance_m: float | None = Field(description="From the phone to the nearest defect of the order")
    accuracy_m: float | None
    length_m: float | None
    width_m: float | None
    evidence: Evidence | None = Field(description="None: not judged yet")
    drawing: Drawing | None = Field(description="None: its evidence has not passed")
    defects: list[Mended]
    photos: list[RepairPhoto]
    seen: int = Field(description="What to send with a verdict that rests on this answer")
    updated_at: datetime

    @classmethod
    def of(cls, row: Mapping[str, Any], asker: Asker) -> "Repair":
        return cls.model_validate(
            {**row, "evidence": _evidence(row), "may_verify": row["completer"] != asker.actor}, from_attributes=True
        )


def _evidence(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """With the photos' labels in its sentences for their long names."""
    judged = row["evidence"]
    if judged is None:
        return None

    def named(findings: list[dict[str, str]]) -> list[dict[str, str]]:
        return [{**one, "sentence": repair_photos.in_words(one["sentence"], row["photos"])} for one in findings]

    return {**judged, "missing": named(judged["missing"]), "flags": named(judged["flags"])}


class RepairPage(BaseModel):
    repairs: list[Repair]
    waiting: dict[str, int] = Field(description="How many there are of each state", examples=[{"evidence_ok": 4}])
    next: str | None = Field(description="`after` of the next page; None when there is no more")


@router.get("")
def list_repairs(
    tx: Read,
    asker: Annotated[Asker, READER],
    state: Annotated[list[Waiting] | None, Query()] = None,
    contractor: Contractor = None,
    after: Annotated[str | None, Query(max_length=80)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> RepairPage:
    """Repairs that wait for a person, the soonest due first; those whose evidence is lacking come last."""
    wanted = verification.Wanted(states=state or (), contractor=contractor)
    page = verification.waiting(tx, wanted, after=after, most=limit)
    repairs = [Repair.of(row, asker) for row in page.rows]
    return RepairPage(repairs=repairs, waiting=verification.how_many(tx), next=page.next)


class SampleLine(Drawing):
    reference: str = Field(examples=["W-7K3M-9QXF"])
    band: Band
    kind: str
    state: OrderState
    contractor: str
    contractor_name: str


class SamplePage(BaseModel):
    sample: list[SampleLine]
    next: str | None = Field(description="`after` of the next page; None when there is no more")


@router.get("/sample")
def list_sample(
    tx: Read,
    _: Annotated[Asker, READER],
    checked: Annotated[bool | None, Query(description="Only those that a person checks, or only the others")] = None,
    contractor: Contractor = None,
    since: Since | None = None,
    after: Annotated[str | None, Query(max_length=80)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> SamplePage:
    """Every repair whose evidence passed, the newest first: whether a person checks it, by what rule, and why."""
    wanted = drawn.Wanted(checked=checked, contractor=contractor, since=since)
    page = drawn.page(tx, wanted, after=after, most=limit)
    return SamplePage.model_validate({"sample": page.rows, "next": page.next})


@router.get("/{reference}")
def show_repair(
    reference: Annotated[str, Path(max_length=20, examples=["W-7K3M-9QXF"])],
    tx: Read,
    asker: Annotated[Asker, READER],
) -> Repair:
    """One completed repair with all that a verdict is about, whether it waits for one or not."""
    return Repair.of(verification.one(tx, references.read(reference)), asker)
