"""Search over reports, defects and works orders, for the control hub."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.api.deps import STAFF, Asker, Read, requires
from services.api.schemas import Words
from shared.domain.terms import Band, DefectState, OrderState, ReportState
from shared.store.read_models import search

router = APIRouter(prefix="/api/v1/search", tags=["search"])


class Hit(BaseModel):
    reference: str = Field(examples=["R-7K3M-9QXF"])
    found_by: str = Field(description="reference, external id, postcode, street or words", examples=["words"])
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


class SearchResults(BaseModel):
    """Each kind by itself, the surest way first: reference, external id, postcode (nearest first), street, words."""

    reports: list[ReportHit]
    defects: list[DefectHit]
    works_orders: list[OrderHit]


@router.get("")
def search_all(
    tx: Read,
    asker: Annotated[Asker, requires(*STAFF, scope="search")],
    q: Annotated[
        Words,
        Query(
            min_length=2,
            max_length=100,
            description="A reference, whole or a half; an external id; a postcode; a street; words of a description",
            examples=["r7k3m"],
        ),
    ],
    limit: Annotated[int, Query(ge=1, le=50, description="Of each kind")] = 10,
) -> SearchResults:
    """Find reports, defects and works orders by whatever is known of them. Names and contact data are not searched."""
    del asker
    return SearchResults.model_validate(search.search(tx, q, limit), from_attributes=True)
