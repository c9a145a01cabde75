"""Danger that was reported: who works in the hub is called by it until somebody takes it."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from services.api.deps import STAFF, Asker, Now, Read, Write, requires
from shared.flows import take_danger
from shared.flows.take_danger import Taken as Took
from shared.store.read_models import dangers as read

router = APIRouter(prefix="/api/v1", tags=["reports"])

READER = requires(*STAFF, scope="reports:read")
OPERATOR = requires(*STAFF, scope="reports:write")
Reference = Annotated[str, Path(max_length=20, examples=["R-7K3M-9QXF"])]


class Danger(BaseModel):
    """A report of something dangerous that nobody sees to yet."""

    reference: str = Field(examples=["R-7K3M-9QXF"])
    class_code: str = Field(examples=["pothole"])
    state: str = Field(examples=["linked"])
    street: str | None = Field(examples=["Fishergate"])
    address: str | None
    lat: float
    lon: float
    description: str
    received_at: datetime


class Dangers(BaseModel):
    dangers: list[Danger] = Field(description="The newest first")
    total: int = Field(description="How many there are, however many are listed")


class Taken(BaseModel):
    """Who sees to it now."""

    reference: str = Field(examples=["R-7K3M-9QXF"])
    by: str | None = Field(examples=["Ben Carr"])
    at: datetime | None

    @classmethod
    def of(cls, said: Took) -> "Taken":
        return cls(reference=said.reference, by=said.by, at=said.at)


@router.get("/dangers")
def list_dangers(tx: Read, asker: Annotated[Asker, READER], limit: Annotated[int, Query(ge=1, le=200)] = 50) -> Dangers:
    """Reports with danger that nobody has taken. The feed tells of more (ReportReceived, its facts say danger), and of
    those that somebody takes (ReportTaken) or gives back (ReportGivenBack)."""
    del asker
    found = read.untaken(tx, limit)
    return Dangers.model_validate({"dangers": found.rows, "total": found.total})


@router.post("/reports/{reference}/take")
def take_report(reference: Reference, tx: Write, now: Now, asker: Annotated[Asker, OPERATOR]) -> Taken:
    """See to a danger: nobody else is called for it any more. Who comes second is told who has it (409 already-taken).
    `give-back` undoes it."""
    del asker
    return Taken.of(take_danger.take(tx, reference, now))


@router.post("/reports/{reference}/give-back")
def give_report_back(reference: Reference, tx: Write, now: Now, asker: Annotated[Asker, OPERATOR]) -> Taken:
    """See to a danger no longer: everybody is called for it again."""
    del asker
    return Taken.of(take_danger.give_back(tx, reference, now))
