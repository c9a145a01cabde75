"""What is parked, for supervisors: deliveries and messages that failed ten times, and trying them again."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.api.deps import Asker, Now, Read, Role, Write, requires
from services.api.schemas import Input, Whole
from shared.domain.events import Consumer
from shared.flows import retry_parked
from shared.store.read_models import parked

router = APIRouter(prefix="/api/v1/parked", tags=["operations"])

READER = requires(Role.SUPERVISOR, Role.ADMIN, scope="parked:read")
WRITER = requires(Role.SUPERVISOR, Role.ADMIN, scope="parked:write")


class Delivery(BaseModel):
    consumer: Consumer
    event_id: int
    kind: str = Field(description="The event", examples=["ReportReceived"])
    subject: str = Field(description="What it is about: report, defect, works_order …", examples=["report"])
    reference: str | None = Field(description="Of what it is about, where that has one", examples=["R-7K3M-9QXF"])
    tries: int
    event_at: datetime
    parked_at: datetime
    error: str = Field(description="Of the last try")


class Message(BaseModel):
    """Who reads it is not told."""

    id: int
    template: str = Field(examples=["confirmed"])
    channel: str = Field(examples=["email"])
    reference: str | None = Field(description="Of the report that it is about", examples=["R-7K3M-9QXF"])
    tries: int
    made_at: datetime
    parked_at: datetime
    error: str


class Counts(BaseModel):
    deliveries: int
    messages: int


class Parked(Counts):
    listed_deliveries: list[Delivery] = Field(description="The oldest, 200 at most")
    listed_messages: list[Message] = Field(description="The oldest, 200 at most")


class RetryDeliveries(Input):
    """All of them, unless one or the other is named."""

    consumer: Consumer | None = None
    event_id: Whole | None = Field(None, ge=1, le=2**62)


class RetryMessages(Input):
    """All of them, unless one is named."""

    id: Whole | None = Field(None, ge=1, le=2**62)


class Retried(BaseModel):
    again: int = Field(description="How many are due again")


@router.get("")
def read_parked(tx: Read, _: Annotated[Asker, READER]) -> Parked:
    """What waits for a person, with what went wrong."""
    deliveries, messages = parked.counts(tx)
    return Parked(
        deliveries=deliveries,
        messages=messages,
        listed_deliveries=[Delivery(**asdict(one)) for one in parked.deliveries(tx)],
        listed_messages=[Message(**asdict(one)) for one in parked.messages(tx)],
    )


@router.get("/counts")
def count_parked(tx: Read, _: Annotated[Asker, READER]) -> Counts:
    """How many, for whoever asks often."""
    deliveries, messages = parked.counts(tx)
    return Counts(deliveries=deliveries, messages=messages)


@router.post("/deliveries/retry")
def retry_deliveries(given: RetryDeliveries, tx: Write, now: Now, _: Annotated[Asker, WRITER]) -> Retried:
    """Make parked deliveries due again, with their tries counted anew."""
    consumer = None if given.consumer is None else given.consumer.value
    return Retried(again=retry_parked.deliveries(tx, now, consumer=consumer, event_id=given.event_id))


@router.post("/messages/retry")
def retry_messages(given: RetryMessages, tx: Write, now: Now, _: Annotated[Asker, WRITER]) -> Retried:
    """Make parked messages due again. One that may have left is asked about first, where its provider can tell."""
    return Retried(again=retry_parked.messages(tx, now, message_id=given.id))
