"""How often people and the machine agree on what is one defect, over HTTP."""

from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.api.deps import STAFF, Asker, Now, Read, requires
from services.api.schemas import Day
from shared.domain.kpi import Period
from shared.errors import Invalid
from shared.store import policies
from shared.store.read_models import dedupe as read

router = APIRouter(prefix="/api/v1/dedupe", tags=["figures"])

LONGEST = timedelta(days=366)
DedupeDay = Annotated[Day, Field(ge=date(1900, 1, 1), le=date(2200, 1, 1))]


class Line(BaseModel):
    """A source and its model. `…_against`: a person contradicted it; `…_looked`: somebody said anything of it."""

    source: str = Field(description="A report's channel, or a vendor's fleet", examples=["web"])
    model: str = Field(description="Which made the detections, where the vendor says so; else empty")
    same: int = Field(description="Sightings that the machine joined to a defect")
    same_looked: int
    same_against: int
    new: int = Field(description="Sightings of which the machine made a defect of their own")
    new_looked: int
    new_against: int
    unsure: int = Field(description="Reports of which it asked a person")
    said_same: int
    said_first: int = Field(description="Of those, where it was the machine's first candidate")
    said_different: int
    cannot_tell: int
    otherwise: int = Field(description="The report went another way, such as being withdrawn")
    open: int
    answered: int
    shares: dict[str, float | None] = Field(description="0 to 1; null where there is nothing to count")


class Report(BaseModel):
    first: str = Field(alias="from", examples=["2026-11-01"])
    last: str = Field(alias="to", examples=["2026-11-30"])
    lines: list[Line]
    total: Line
    cautions: list[str] = Field(description="What the figures cannot tell")


@router.get("/report", response_model=Report)
def report_agreement(
    tx: Read,
    now: Now,
    _: Annotated[Asker, requires(*STAFF, scope="reports:read")],
    first: Annotated[DedupeDay | None, Query(alias="from", description="First day; else of the month")] = None,
    last: Annotated[DedupeDay | None, Query(alias="to", description="Last day, inclusive; else today")] = None,
) -> dict[str, Any]:
    """Count the machine's verdicts of a period by source and model, and how many of them people contradicted."""
    zone = policies.in_force(tx, now).calendar.tz
    until = last or now.astimezone(zone).date()
    period = Period(first or until.replace(day=1), until)
    if not period.first <= period.last <= period.first + LONGEST:
        raise Invalid("The last day is not before the first, nor more than a year later.", {"to": "is out of range"})
    return read.agreement(tx, period, zone).plain()
