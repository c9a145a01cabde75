"""Warranties: what each repair promises, where and until when; operators make one void with evidence."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from services.api.deps import STAFF, Asker, Now, Read, Role, Write, requires
from services.api.schemas import Day, Input, Words
from shared.domain.terms import WarrantyState
from shared.flows import end_warranty
from shared.store.read_models import warranties as read

router = APIRouter(prefix="/api/v1/warranties", tags=["warranties"])

READER = requires(Role.CONTRACTOR, *STAFF, scope="warranties:read")
OPERATOR = requires(*STAFF, scope="warranties:write")


class Warranty(BaseModel):
    """One repair's promise. Both dates are local days, and belong to it."""

    defect: str = Field(examples=["D-7K3M-9QXF"])
    works_order: str = Field(examples=["W-7K3M-9QXF"])
    follows: str | None = Field(description="The works order of the failed repair that this one remedies")
    contractor: str = Field(description="A contractor's code", examples=["alder"])
    state: str = Field(examples=["active"])
    class_code: str = Field(examples=["pothole"])
    repair_type: str = Field(examples=["pothole_patch"])
    repaired_at: datetime = Field(description="Physical completion")
    starts_on: date
    ends_on: date = Field(description="The last day, to 23:59:59 local time")
    street_key: str | None
    footprint: dict[str, Any] = Field(description="GeoJSON polygon, WGS 84")
    void_reason: str | None
    updated_at: datetime


class WarrantyPage(BaseModel):
    warranties: list[Warranty]
    next: str | None = Field(description="`after` of the next page; None when there is no more")


@router.get("")
def list_warranties(
    tx: Read,
    asker: Annotated[Asker, READER],
    state: Annotated[list[WarrantyState] | None, Query()] = None,
    defect: Annotated[str | None, Query(max_length=20)] = None,
    ends_before: Annotated[Day | None, Query(description="Whose last day lies before this one")] = None,
    after: Annotated[str | None, Query(max_length=80)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> WarrantyPage:
    """Warranties by their last change, the oldest change first. A contractor sees only their own."""
    wanted = read.Wanted(contractor_id=asker.contractor_id, states=state or (), defect=defect, ends_before=ends_before)
    page = read.warranties(tx, wanted, after=after, most=limit)
    return WarrantyPage.model_validate({"warranties": page.rows, "next": page.next})


class Void(Input):
    reason: Literal["excavated", "resurfaced", "superseded", "never_verified"]
    evidence: Annotated[Words, Field(min_length=3, max_length=1000, examples=["Street works permit LC001-7, 3 Nov."])]


class Voided(BaseModel):
    defect: str
    state: str = Field(examples=["void"])


@router.post("/{reference}/void")
def void_warranty(
    reference: Annotated[str, Path(max_length=20, description="The defect's reference", examples=["D-7K3M-9QXF"])],
    given: Void,
    tx: Write,
    now: Now,
    asker: Annotated[Asker, OPERATOR],
) -> Voided:
    """Others have undone the repair: its warranty is void from now, and the defect is closed."""
    del asker
    end_warranty.void(tx, reference, given.reason, given.evidence, now)
    return Voided(defect=reference, state=WarrantyState.VOID)
