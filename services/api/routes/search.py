"""Search over reports, defects, works orders and recalls, for the control hub; and the look-up of a reporter."""

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.api.deps import STAFF, Asker, Now, Read, Write, requires
from services.api.schemas import Input, Words
from shared.domain.terms import Band, DefectState, OrderState, ReportState
from shared.flows import look_up_reporter
from shared.store.read_models import search, search_shown

router = APIRouter(prefix="/api/v1/search", tags=["search"])

READER = requires(*STAFF, scope="search")
WHO_REPORTED = requires(*STAFF, scope="search:reporters")
BY_EMAIL = "e-mail"


class Hit(BaseModel):
    reference: str = Field(examples=["R-7K3M-9QXF"])
    found_by: str = Field(description="reference, external id, postcode, street, words or e-mail", examples=["words"])
    street: str | None = Field(examples=["Fishergate"])


class ReportHit(Hit):
    state: ReportState
    class_code: str = Field(examples=["pothole"])
    description: str = Field(examples=["A deep hole by the kerb."])
    danger: bool
    lat: float
    lon: float
    received_at: datetime
    defects: list[str] = Field(description="What it was found to be", examples=[["D-7K3M-9QXF"]])


class DefectHit(Hit):
    state: DefectState
    class_code: str = Field(examples=["pothole"])
    band: Band | None
    overdue: bool
    reports: int
    lat: float
    lon: float
    opened_at: datetime
    permanent_due_at: datetime | None


class OrderHit(Hit):
    state: OrderState
    kind: str = Field(examples=["repair"])
    band: Band
    contractor: str = Field(examples=["alder"])
    issued_at: datetime
    permanent_due_at: datetime | None
    ended_at: datetime | None
    defects: list[str] = Field(description="What it covers, or covered", examples=[["D-7K3M-9QXF"]])


class RecallHit(Hit):
    state: Literal["proposed", "attributable", "not_attributable", "disputed"]
    class_code: str = Field(examples=["pothole"])
    defect: str = Field(description="The defect whose repair is in question", examples=["D-7K3M-9QXF"])
    contractor: str = Field(examples=["alder"])
    proposed_at: datetime
    ends_on: date = Field(description="The warranty's last day")


class SearchResults(BaseModel):
    """Each kind by itself, the surest way first: reference, external id, postcode (nearest first), street, words."""

    reports: list[ReportHit]
    defects: list[DefectHit]
    works_orders: list[OrderHit]
    recalls: list[RecallHit]


Sought = Annotated[
    Words,
    Field(
        min_length=2,
        max_length=100,
        description="A reference, whole or a half; an external id; a postcode; a street; words of a description",
        examples=["r7k3m"],
    ),
]
Most = Annotated[int, Field(ge=1, le=50, description="Of each kind")]


@router.get("")
def search_all(
    tx: Read, _: Annotated[Asker, READER], q: Annotated[Sought, Query()], limit: Annotated[Most, Query()] = 10
) -> SearchResults:
    """Find reports, defects, works orders and recalls by what is known of them, and not by who reported."""
    return SearchResults.model_validate(search.search(tx, q, limit), from_attributes=True)


class Asked(Input):
    q: Sought
    limit: Most = 10


@router.post("")
def search_unseen(given: Asked, tx: Read, _: Annotated[Asker, READER]) -> SearchResults:
    """The same, asked in the body: for what is half typed, and is to stand in no history and in no log of a proxy."""
    return SearchResults.model_validate(search.search(tx, given.q, given.limit), from_attributes=True)


class Address(Input):
    email: Words = Field(min_length=3, max_length=254, examples=["ada@example.org"])
    limit: Most = 50


class LookedUp(BaseModel):
    """The newest reports of one address, and how many there are."""

    found: int
    reports: list[ReportHit]


@router.post("/reporters")
def look_up_a_reporter(given: Address, tx: Write, now: Now, _: Annotated[Asker, WHO_REPORTED]) -> LookedUp:
    """Find the reports of a whole e-mail address. Who asked and how many were found is recorded; the address is not."""
    told = look_up_reporter.look_up(tx, given.email, given.limit, now)
    shown = search_shown.reports(tx, dict.fromkeys(told.newest, BY_EMAIL))
    return LookedUp.model_validate({"found": told.found, "reports": shown})
