"""What may be done to a defect or a report now, and what forbids the rest; and what would follow, before it is done."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from services.api.deps import STAFF, Asker, Foresee, Now, Read, Role, requires
from services.api.schemas import Input, Whole, Words
from shared.flows import foresee
from shared.flows.foresee import Foreseen
from shared.flows.weigh_acts import Act, acts_on_defect, acts_on_report
from shared.flows.weigh_finding import Person

router = APIRouter(prefix="/api/v1", tags=["acts"])

SUPERVISING = (Role.SUPERVISOR, Role.ADMIN)
OF_REPORTS = requires(*STAFF, scope="reports")
OPERATOR = requires(*STAFF, scope="defects:write")

Defect = Annotated[str, Path(max_length=20, examples=["D-7K3M-9QXF"])]
Report = Annotated[str, Path(max_length=20, examples=["R-7K3M-9QXF"])]


class ActTold(BaseModel):
    """One act, and what forbids it now."""

    name: str = Field(examples=["merge"])
    lawful: bool
    why_not: str | None = Field(examples=["D-7K3M-9QXF is closed: only an open defect is merged into another."])


class ActsTold(BaseModel):
    acts: list[ActTold]

    @classmethod
    def of(cls, acts: list[Act]) -> "ActsTold":
        return cls(acts=[ActTold(name=one.name, lawful=one.lawful, why_not=one.why_not) for one in acts])


def person(asker: Asker) -> Person:
    """Who asks, as the rules of a second person see them."""
    return Person(asker.actor, asker.role in SUPERVISING)


@router.get("/defects/{reference}/acts")
def show_defect_acts(reference: Defect, tx: Read, now: Now, asker: Annotated[Asker, OPERATOR]) -> ActsTold:
    """Every act on a defect: whether it is lawful for the asker now, whatever else it needs, and why it is not."""
    return ActsTold.of(acts_on_defect(tx, reference, person(asker), now))


@router.get("/reports/{reference}/acts")
def show_report_acts(reference: Report, tx: Read, asker: Annotated[Asker, OF_REPORTS]) -> ActsTold:
    """Every act on a report: whether it is lawful now, whatever else it needs, and why it is not."""
    del asker
    return ActsTold.of(acts_on_report(tx, reference))


class _Shown(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Side(_Shown):
    """A defect as it stands, or would."""

    reference: str
    state: str
    band: str | None
    band_why: list[str]
    lat: float
    lon: float
    accuracy_m: float
    reports: int
    detections: int
    danger: bool
    known_at: datetime
    make_safe_due_at: datetime | None
    permanent_due_at: datetime | None
    inspect_due_at: datetime | None
    due_why: list[str]
    same_as: str | None
    works_order: str | None


class ChangeTold(_Shown):
    before: Side | None = Field(description="None: it is not there yet")
    after: Side
    moved_m: float = Field(description="How far its position goes, metres")


class Moving(_Shown):
    reports: list[str]
    detections: int
    passers_by: int
    unreached: int = Field(description="Of so many of the reports nobody can be told")


class OrderTold(_Shown):
    reference: str
    before: str | None
    after: str


class ToldTo(_Shown):
    """One message, to so many people."""

    template: str = Field(examples=["merged"])
    who: str = Field(description="reporters, followers of the defect, or those of its place", examples=["reporters"])
    by_email: int
    by_text: int
    leaves_at: datetime
    subject: str
    text: str = Field(description="As one of them would read it, without their own links")


class Preview(_Shown):
    """What would follow. Nothing of it is done."""

    stands: str | None = Field(description="Which defect has the sightings then; None: a new one")
    changes: list[ChangeTold]
    moving: Moving
    orders: list[OrderTold]
    told: list[ToldTo] = Field(description="Who would be told what; empty: nobody")

    @classmethod
    def of(cls, seen: Foreseen) -> "Preview":
        return cls.model_validate(asdict(seen))


class Into(Input):
    into: Words = Field(max_length=20, description="The defect that would stay", examples=["D-2P5R-8ABC"])


class Parts(Input):
    reports: list[Annotated[Words, Field(max_length=20)]] = Field(
        default_factory=list, max_length=1000, description="Those that saw the other one", examples=[["R-7K3M-9QXF"]]
    )
    detections: list[Annotated[Whole, Field(ge=1, le=2**62)]] = Field(
        default_factory=list, max_length=1000, description="As the sightings of the defect name them", examples=[[7]]
    )


@router.post("/defects/{reference}/merge/preview")
def preview_merge(reference: Defect, given: Into, tx: Foresee, now: Now, asker: Annotated[Asker, OPERATOR]) -> Preview:
    """What would follow if this one became a duplicate of the other: by doing it and taking it back. Writes nothing."""
    del asker
    return Preview.of(foresee.merge(tx, reference, given.into, now))


@router.post("/defects/{reference}/unmerge/preview")
def preview_unmerge(reference: Defect, tx: Foresee, now: Now, asker: Annotated[Asker, OPERATOR]) -> Preview:
    """What would follow if the merge of this duplicate were undone. Writes nothing."""
    del asker
    return Preview.of(foresee.unmerge(tx, reference, now))


@router.post("/defects/{reference}/split/preview")
def preview_split(reference: Defect, given: Parts, tx: Foresee, now: Now, asker: Annotated[Asker, OPERATOR]) -> Preview:
    """What would follow if these reports and detections saw another defect. Writes nothing."""
    del asker
    return Preview.of(foresee.split(tx, reference, given.reports, given.detections, now))
