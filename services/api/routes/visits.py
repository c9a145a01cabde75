"""Visits: a crew's phone tells of them, perhaps late, twice or out of order; nothing it tells is lost."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Response
from pydantic import BaseModel, Field

from services.api.deps import Asker, Now, Role, Write, requires
from services.api.routes.photos import Photo, PhotoFile
from services.api.schemas import Input, Instant, Number, Words
from services.api.turns import PhotoTurn
from shared.domain.terms import AbortReason, OrderState, VisitOutcome
from shared.domain.visits import VisitTold
from shared.errors import NotAllowed
from shared.flows import record_visit
from shared.flows.add_visit_photo import add as add_photo
from shared.store import references

router = APIRouter(prefix="/api/v1/visits", tags=["works orders"])

CONTRACTOR = requires(Role.CONTRACTOR, scope="works")


class NewVisit(Input):
    client_id: UUID = Field(description="Made by the phone. The same visit again gets the same answer")
    order: Words = Field(max_length=20, examples=["W-7K3M-9QXF"])
    outcome: VisitOutcome
    started_at: Instant = Field(examples=["2026-12-01T09:05:00Z"])
    ended_at: Instant = Field(examples=["2026-12-01T09:40:00Z"])
    sent_at: Instant | None = Field(
        None, description="The phone's clock as it sends; shows a clock that is wrong, which is then set right"
    )
    reason: AbortReason | None = Field(None, description="For an aborted visit, and only then")
    note: Words = Field("", max_length=4000)
    repair_type: Words | None = Field(None, max_length=60, examples=["pothole_patch"])
    lat: Number | None = Field(None, ge=-90, le=90)
    lon: Number | None = Field(None, ge=-180, le=180)
    accuracy_m: Number | None = Field(None, ge=0, le=100_000)
    length_m: Number | None = Field(None, gt=0, le=200, description="Of the patch, along the road")
    width_m: Number | None = Field(None, gt=0, le=200, description="Of the patch, across the road")
    defects: list[Annotated[Words, Field(max_length=20)]] = Field(
        default_factory=list,
        max_length=200,
        description="Those of the order that the visit was about; all, when left out. The others get an order of "
        "their own, because each repair is proved for itself",
        examples=[["D-7K3M-9QXF"]],
    )


class VisitAnswer(BaseModel):
    client_id: UUID
    order: str = Field(description="The order that it counts to; a later one, when the first has passed on")
    order_state: OrderState
    new: bool = Field(description="False when it was told before")
    applied: bool = Field(description="Whether it moved the order. A visit is always kept on record")
    why: str = Field(description="Why it moved nothing")


@router.post(
    "",
    status_code=201,
    responses={200: {"description": "It was told before"}, 409: {"description": "Another visit has this client_id"}},
)
def tell_visit(
    given: NewVisit, tx: Write, now: Now, asker: Annotated[Asker, CONTRACTOR], response: Response
) -> VisitAnswer:
    """Tell of a visit to one of your own orders. Send it again until it is answered: it counts once."""
    told = record_visit.record(tx, _told(given), company(asker), now)
    response.status_code = 201 if told.new else 200
    return VisitAnswer(
        client_id=given.client_id,
        order=told.order,
        order_state=OrderState(told.order_state),
        new=told.new,
        applied=told.applied,
        why=told.why,
    )


@router.post(
    "/{client_id}/photos",
    status_code=201,
    responses={
        200: {"description": "These very bytes came before"},
        413: {"description": "More bytes or pixels than the limits"},
        422: {"description": "Not a photo that can be read"},
        503: {"description": "No room for photos now"},
    },
)
def add_visit_photo(
    client_id: UUID,
    role: Annotated[Literal["before", "after"], Form(description="Taken before or after the work")],
    photo: PhotoFile,
    asker: Annotated[Asker, CONTRACTOR],
    _turn: PhotoTurn,
    tx: Write,
    now: Now,
    response: Response,
) -> Photo:
    """Send a photo of a visit, whether or not the visit is told yet. Send the original: it proves time and place."""
    taken = add_photo(tx, photo.file.read(), company(asker), client_id, role, now)
    response.status_code = 200 if taken.repeated else 201
    return Photo.of(taken)


def _told(given: NewVisit) -> VisitTold:
    words = given.model_dump(exclude={"order", "defects"})
    defects = sorted({references.read(one) for one in given.defects})
    return VisitTold(**words, order=references.read(given.order), defects=tuple(defects))


def company(asker: Asker) -> int:
    """The contractor for whom somebody asks."""
    if asker.contractor_id is None:
        raise NotAllowed("This is for a contractor's own people.")
    return asker.contractor_id
