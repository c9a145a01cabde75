"""Who else looks at a thing now: two operators at one defect see each other. A hint, gone after half a minute."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.api.deps import STAFF, Asker, Now, Read, requires
from services.api.presence import Here, View, board
from services.api.schemas import Input, Words, YesNo
from shared.store import references
from shared.store.read_models import access

router = APIRouter(prefix="/api/v1/presence", tags=["operations"])

READER = requires(*STAFF, scope="defects:read")
OPERATOR = requires(*STAFF, scope="defects:write")
Subject = Annotated[Words, Field(min_length=4, max_length=20, description="A reference", examples=["D-7K3M-9QXF"])]
ViewId = Annotated[Words, Field(min_length=1, max_length=40, description="Of the page's own making")]


class Viewed(Input):
    subject: Subject
    view: ViewId = Field(examples=["5f2c7c1e"])


class Viewing(Viewed):
    writing: YesNo = Field(False, description="There are words in it that are not saved yet")


class Person(BaseModel):
    """Somebody else who has it open."""

    name: str = Field(examples=["Ben Carr"])
    since: datetime
    writing: bool


class Others(BaseModel):
    others: list[Person] = Field(description="Who else has it open, the first to come first")


class OthersAt(Others):
    subject: str = Field(examples=["D-7K3M-9QXF"])


@router.post("")
def look_at(given: Viewing, tx: Read, now: Now, asker: Annotated[Asker, OPERATOR]) -> Others:
    """Say that a page about a thing is open, every ten seconds while it is looked at; who else has it open. Only people
    are shown to each other: a key is told who is there, and is not."""
    subject = references.read(given.subject)
    if asker.person_id is None:
        found = board().at([subject], now)[subject]
    else:
        found = board().look(View(subject, asker.person_id, given.view, given.writing), now)
    return Others(others=_named(tx, found, asker))


@router.post("/leave", status_code=204)
def leave_it(given: Viewed, asker: Annotated[Asker, OPERATOR]) -> None:
    """Say that a page is closed. Without this word it counts as closed after half a minute."""
    if asker.person_id is not None:
        board().leave(View(references.read(given.subject), asker.person_id, given.view))


@router.get("")
def who_is_at(
    tx: Read,
    now: Now,
    asker: Annotated[Asker, READER],
    subject: Annotated[list[Annotated[str, Query(max_length=20)]], Query(min_length=1, max_length=100)],
) -> list[OthersAt]:
    """Who else has these things open: those of them that somebody has."""
    found = board().at([references.read(one) for one in subject], now)
    named = {one: _named(tx, here, asker) for one, here in found.items()}
    return [OthersAt(subject=one, others=others) for one, others in named.items() if others]


def _named(tx: Read, found: Sequence[Here], asker: Asker) -> list[Person]:
    others = [one for one in found if one.person_id != asker.person_id]
    names = access.names(tx, [one.person_id for one in others]) if others else {}
    return [
        Person(name=names[one.person_id], since=one.since, writing=one.writing)
        for one in others
        if one.person_id in names
    ]
