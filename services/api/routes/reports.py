"""Reports: residents send them and follow them, operators read them all."""

import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal

import orjson
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError
from starlette.exceptions import HTTPException

from services.api.deps import Asker, for_everybody, known
from services.api.express import express, whole_body
from services.api.intake import Intake
from services.api.rate import count
from services.api.report_contact import count_contact
from services.api.schemas import Email, Input, Instant, Place, Status, Words, YesNo
from shared.domain.public import PublicStatus
from shared.errors import Invalid
from shared.flows.receive_report import Contact, Draft, Key, Received, Referred
from shared.settings import settings


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """The writers of the intake live as long as the API."""
    app.state.intake = Intake()
    app.state.intake.start()
    try:
        yield
    finally:
        await app.state.intake.stop()


router = APIRouter(prefix="/api/v1/reports", tags=["reports"])


class ContactGiven(Input):
    """How to reach the reporter. Kept apart from the report, shown to staff only, and forgotten in time."""

    name: Words | None = Field(None, max_length=200, examples=["Sam Lee"])
    email: Email | None = Field(None, examples=["sam@example.org"])
    phone: Words | None = Field(None, max_length=40, examples=["01772 000000"])


class NewReport(Input):
    category: Words = Field(max_length=60, description="As GET /api/v1/categories lists them", examples=["pothole"])
    location: Place
    address: Words | None = Field(None, max_length=300, examples=["12 Fishergate, Preston"])
    description: Words = Field("", max_length=4000, examples=["A hole by the kerb, outside the bakery."])
    danger: YesNo = Field(False, description="Somebody may be hurt before it is mended")
    observed_at: Instant | None = Field(None, description="When it was seen; now, when left out")
    contact: ContactGiven | None = None
    channel: Literal["web", "app", "phone", "email", "in_person"] = "web"


class Tracking(BaseModel):
    link: str = Field(description="For the reporter alone: it shows and does what only the reporter may")
    secret: str = Field(description="The secret of the link, to be sent as a Bearer token")


class ReferredTo(BaseModel):
    name: str = Field(examples=["Blackpool Borough Council"])
    contact: str | None
    why: str


class NewReportAnswer(BaseModel):
    reference: str = Field(examples=["R-7K3M-9QXF"])
    status: Status
    tracking: Tracking
    next: str = Field(description="What happens next, in plain words", examples=["Somebody reads it by …"])
    look_by: datetime | None = Field(description="By when somebody reads it")
    referred_to: ReferredTo | None = None


_HEADER = "Idempotency-Key"
_KEY = re.compile(r"[!-~]{8,200}")
_DOCUMENT = {
    "parameters": [
        {
            "name": _HEADER,
            "in": "header",
            "required": False,
            "description": "A key of the client's own, such as a UUID: the same body sent again gets the same answer",
            "schema": {"type": "string", "pattern": f"^{_KEY.pattern}$"},
            "example": "0191f3a4-6f0e-7cc3-98c4-dc0c0c07398f",
        }
    ],
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/NewReport"}}},
    },
}


@router.post(
    "",
    status_code=201,
    response_model=NewReportAnswer,
    openapi_extra=_DOCUMENT,
    responses={
        409: {"description": "The Idempotency-Key came before with another body"},
        415: {"description": "Only application/json is taken"},
        422: {"description": "A field is wrong, or the place is not one that we can act on: `type` tells which"},
        429: {
            "description": "This address sends too many, or too many have one e-mail address or number as their "
            "contact; come again after `Retry-After` seconds"
        },
    },
)
@express
@for_everybody
async def send_report(request: Request) -> Response:
    """Report a defect. No account is needed; the tracking link in the answer is shown here only.

    Body and key are read here and not by the framework, whose way of finding them cost a request 200 µs of 440.
    """
    await count(request, "report")
    written = await whole_body(request)
    asker = await known(request)
    key = _key(request, asker, written)
    draft = _draft(_given(request, written), asker, key)
    if not asker.is_staff:
        await count_contact(draft.contact)
    intake: Intake = request.app.state.intake
    told = await intake.take(draft, asker.actor)
    location = {"Location": f"/api/v1/reports/{told.reference}"}
    return Response(_written(told), 201, location, "application/json")


def _given(request: Request, written: bytes) -> NewReport:
    if "json" not in request.headers.get("content-type", ""):
        raise HTTPException(415, "Send the report as application/json.")
    try:
        return NewReport.model_validate_json(written)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in faults]) from error


def _key(request: Request, asker: Asker, written: bytes) -> Key | None:
    told = request.headers.get(_HEADER)
    if told is None:
        return None
    if not _KEY.fullmatch(told):
        wrong = {_HEADER: "has 8 to 200 visible letters, without spaces"}
        raise Invalid(f"The {_HEADER} is 8 to 200 visible letters; a UUID is a good one.", wrong)
    return Key(f"reports:{asker.actor}", told, hashlib.sha256(written).digest())


def _draft(given: NewReport, asker: Asker, key: Key | None) -> Draft:
    contact = given.contact
    return Draft(
        class_code=given.category,
        lat=given.location.lat,
        lon=given.location.lon,
        accuracy_m=given.location.accuracy_m,
        address=given.address,
        description=given.description,
        danger=given.danger,
        observed_at=given.observed_at,
        contact=Contact() if contact is None else Contact(contact.name, contact.email, contact.phone),
        channel=given.channel,
        by_staff=asker.is_staff,
        key=key,
    )


def _written(told: Received) -> bytes:
    """The answer in JSON. What it shares with others of its group is made once, because it took 20 µs of each."""
    if told.referred is not None:
        return _answer(told).model_dump_json().encode()
    answer = _shared(told.status, told.look_by, told.danger)
    return orjson.dumps({"reference": told.reference, "tracking": _tracking(told), **answer})


@lru_cache(maxsize=64)
def _shared(status: PublicStatus, look_by: datetime, danger: bool) -> dict[str, Any]:
    any_one = Received(reference="", secret="", status=status, look_by=look_by, danger=danger)
    return _answer(any_one).model_dump(mode="json", exclude={"reference", "tracking"})


def _tracking(told: Received) -> dict[str, str]:
    return {"link": f"{settings().public_url}/reports/{told.reference}?token={told.secret}", "secret": told.secret}


def _answer(told: Received) -> NewReportAnswer:
    referred = told.referred
    return NewReportAnswer(
        reference=told.reference,
        status=Status.of(told.status),
        tracking=Tracking(**_tracking(told)),
        next=_referred_next(referred) if referred else _next(told.look_by, told.danger),
        look_by=None if referred else told.look_by,
        referred_to=ReferredTo(name=referred.name, contact=referred.contact, why=referred.why) if referred else None,
    )


def _referred_next(referred: Referred) -> str:
    return f"We have kept your report. {referred.why}"


@lru_cache(maxsize=64)
def _next(look_by: datetime, danger: bool) -> str:
    by = f"{look_by:%H:%M on %A} {look_by.day} {look_by:%B %Y}"
    if danger:
        return f"It sounds dangerous: somebody reads it by {by}, day or night. In danger to life call 999."
    return f"Somebody reads it by {by}. Follow it with the link, which is yours alone."
