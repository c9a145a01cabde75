"""Streets for staff: one street's pieces, and their hierarchy set by hand."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.api.deps import STAFF, Asker, Now, Read, Role, Write, requires
from services.api.schemas import Input, Words
from shared.errors import NotFound
from shared.flows import set_hierarchy
from shared.store.read_models import streets

router = APIRouter(prefix="/api/v1/streets", tags=["streets"])

KEY = "A street's key, as `GET /api/v1/places` tells it"


class StreetPiece(BaseModel):
    network_id: str = Field(examples=["osgb4000000001"])
    usrn: int | None = Field(examples=[8400123])
    road_class: str = Field(examples=["A Road"])
    hierarchy: str = Field(description="2, 3a, 3b, 4a or 4b", examples=["3a"])
    maintainer: str = Field(description="council, trunk, private or other", examples=["council"])
    rural: bool
    level: int
    length_m: float
    set_by: str | None = Field(description="Who set the hierarchy by hand; nothing where the network's file says it")
    set_at: datetime | None
    line: dict[str, Any] = Field(description="GeoJSON, WGS 84")


class Street(BaseModel):
    key: str
    name: str
    box: tuple[float, float, float, float] = Field(description="West, south, east and north of all of it")
    open_defects: int = Field(description="They keep the hierarchy, the band and the clocks that they were graded with")
    pieces: list[StreetPiece]


class SetHierarchy(Input):
    key: Words = Field(min_length=1, max_length=300, description=KEY)
    hierarchy: Literal["2", "3a", "3b", "4a", "4b"] | None = Field(
        description="Nothing: the next network file says it again"
    )
    why: Words = Field(min_length=3, max_length=2000, examples=["Became the diversion of the A6, decision of 3 March"])
    pieces: list[Annotated[Words, Field(max_length=200)]] = Field(
        default_factory=list, max_length=500, description="Network ids; all pieces of the street when none is named"
    )


class Changed(BaseModel):
    changed: int = Field(description="Pieces whose hierarchy was changed")


@router.get("", responses={404: {"description": "There is no such street"}})
def read_street(
    tx: Read,
    _: Annotated[Asker, requires(*STAFF, scope="streets:read")],
    key: Annotated[Words, Query(min_length=1, max_length=300, description=KEY, examples=["8400123"])],
) -> Street:
    """One street: its pieces with their class, hierarchy, maintainer and line."""
    found = streets.one(tx, key)
    if found is None:
        raise NotFound("There is no such street.")
    return Street.model_validate(found, from_attributes=True)


@router.post("/hierarchy")
def set_street_hierarchy(
    given: SetHierarchy,
    tx: Write,
    now: Now,
    _: Annotated[Asker, requires(Role.SUPERVISOR, Role.ADMIN, scope="streets:write")],
) -> Changed:
    """Set a street's hierarchy by hand. Files that are loaded later leave it; what was graded keeps its clocks."""
    changed = set_hierarchy.set_hierarchy(tx, given.key, given.hierarchy, given.why, now, pieces=given.pieces)
    return Changed(changed=changed)
