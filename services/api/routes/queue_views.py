"""Views of the queue: filters under a name. Each person has their own."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from services.api import queue_views
from services.api.deps import STAFF, Asker, Now, Read, Write, requires
from services.api.queue_filters import tidied
from services.api.schemas import Input, Words
from shared.domain.terms import PersonId
from shared.errors import NotAllowed
from shared.flows import save_view

router = APIRouter(prefix="/api/v1/queue/views", tags=["queue"])

READER = requires(*STAFF, scope="defects:read")
OPERATOR = requires(*STAFF, scope="defects:write")

Name = Annotated[Words, Field(min_length=1, max_length=60, examples=["Preston, next two days"])]
Query = Annotated[Words, Field(min_length=1, max_length=2000, examples=["area=E07000123&band=E&band=P2"])]
ViewId = Annotated[int, Path(ge=1, le=2**62)]


class ShippedView(BaseModel):
    name: str = Field(examples=["Overdue"])
    query: str = Field(examples=["overdue=true"])


class SavedView(BaseModel):
    id: int
    name: str
    query: str = Field(description="As the queue's address has it", examples=["area=E07000123&band=E"])
    made_at: datetime


class Views(BaseModel):
    shipped: list[ShippedView]
    own: list[SavedView] = Field(description="Of the person who asks; an API key has none")


class NewView(Input):
    name: Name
    query: Query


class Change(Input):
    name: Name | None = None
    query: Query | None = None


class Made(BaseModel):
    id: int


@router.get("")
def list_views(tx: Read, asker: Annotated[Asker, READER]) -> Views:
    """The views that come with the queue, and those of the person who asks."""
    return Views.model_validate(
        {"shipped": queue_views.SHIPPED, "own": queue_views.own(tx, asker)}, from_attributes=True
    )


@router.post("", status_code=201)
def save(given: NewView, tx: Write, now: Now, asker: Annotated[Asker, OPERATOR]) -> Made:
    """Keep filters of the queue under a name."""
    return Made(id=save_view.save(tx, _person(asker), given.name.strip(), tidied(given.query), now))


@router.put("/{view}", status_code=204)
def change(view: ViewId, given: Change, tx: Write, asker: Annotated[Asker, OPERATOR]) -> None:
    """Rename a view, or give it other filters."""
    query = None if given.query is None else tidied(given.query)
    save_view.change(tx, _person(asker), view, given.name and given.name.strip(), query)


@router.delete("/{view}", status_code=204)
def remove(view: ViewId, tx: Write, asker: Annotated[Asker, OPERATOR]) -> None:
    """Delete a view."""
    save_view.remove(tx, _person(asker), view)


def _person(asker: Asker) -> PersonId:
    if asker.person_id is None:
        raise NotAllowed("Views are a person's own. Sign in; a key keeps the query itself.")
    return asker.person_id
