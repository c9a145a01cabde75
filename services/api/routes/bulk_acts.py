"""One act on many defects: seen beforehand, held for some seconds, undone or done."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from services.api.bulk_input import GivenAct
from services.api.deps import STAFF, Asker, Now, Read, Write, requires
from services.api.routes.defect_actions import SUPERVISING
from shared.domain.bulk import Act
from shared.domain.terms import Band, DefectState
from shared.errors import NotFound
from shared.flows import bulk_acts, preview_act
from shared.flows.preview_act import Foreseen
from shared.store.read_models import bulk_acts as read

router = APIRouter(prefix="/api/v1", tags=["queue"])

READER = requires(*STAFF, scope="defects:read")
OPERATOR = requires(*STAFF, scope="defects:write")
MOST_SHOWN = 20

ActId = Annotated[int, Path(ge=1, le=2**62)]


class ForeseenOne(BaseModel):
    """What would become of one defect, or why it would be refused."""

    reference: str = Field(examples=["D-7K3M-9QXF"])
    was: DefectState | None
    state: DefectState | None
    band_was: Band | None
    band: Band | None
    contractor: str | None = Field(description="Who would have its order", examples=["alder"])
    make_safe_due_at: datetime | None
    permanent_due_at: datetime | None
    inspect_due_at: datetime | None
    why: list[str]
    people: int = Field(description="Who would be told of it at once")
    problem: str | None = Field(examples=["unlawful-step"])
    detail: str | None

    @classmethod
    def of(cls, one: Foreseen) -> "ForeseenOne":
        names = cls.model_fields.keys() - {"why", "problem", "detail"}
        no = one.refusal
        said = {"why": list(one.why), "problem": no and no.code, "detail": no and no.detail}
        return cls.model_validate({name: getattr(one, name) for name in names} | said)


class Previewed(BaseModel):
    """As things stand now; nothing was written."""

    lawful: int
    refused: int
    people: int = Field(description="Different people who would be told at once")
    words: str | None = Field(description="Of a message: as people would read it")
    defects: list[ForeseenOne]


class Result(BaseModel):
    """What became of one defect."""

    reference: str = Field(examples=["D-7K3M-9QXF"])
    state: str | None = None
    band: str | None = None
    works_order: str | None = None
    problem: str | None = Field(None, examples=["unlawful-step"])
    detail: str | None = None


class BulkActTold(BaseModel):
    """An act of the asker's. `held`: it may be undone until `due_at`."""

    id: int
    kind: Act
    stands: Literal["held", "being done", "done", "undone"]
    defects: list[str]
    done: int
    refused: int
    asked_at: datetime
    due_at: datetime
    results: list[Result]

    @classmethod
    def of(cls, row: Mapping[str, Any], now: datetime) -> "BulkActTold":
        refused = sum("problem" in one for one in row["results"])
        return cls(
            id=row["id"],
            kind=row["kind"],
            stands=_stands(row, now),
            defects=row["defects"],
            done=len(row["results"]) - refused,
            refused=refused,
            asked_at=row["made_at"],
            due_at=row["due_at"],
            results=row["results"],
        )


class BulkActs(BaseModel):
    acts: list[BulkActTold]


def _stands(row: Mapping[str, Any], now: datetime) -> Literal["held", "being done", "done", "undone"]:
    if row["undone_at"] is not None:
        return "undone"
    if row["done_at"] is not None:
        return "done"
    return "being done" if row["results"] or row["due_at"] <= now else "held"


@router.post("/bulk-act-previews")
def preview(given: GivenAct, tx: Read, now: Now, asker: Annotated[Asker, OPERATOR]) -> Previewed:
    """What an act would do to each defect: lawful or why not, whose it becomes, its clocks, and who would be told."""
    asked = given.asked()
    found = preview_act.preview(tx, asked, now, actor=asker.actor, supervises=asker.role in SUPERVISING)
    refused = sum(one.refusal is not None for one in found.defects)
    return Previewed(
        lawful=len(found.defects) - refused,
        refused=refused,
        people=found.people,
        words=asked.body.get("words"),
        defects=[ForeseenOne.of(one) for one in found.defects],
    )


@router.post("/bulk-acts", status_code=202)
def ask(given: GivenAct, tx: Write, now: Now, asker: Annotated[Asker, OPERATOR]) -> BulkActTold:
    """Do it to each defect, after 20 seconds in which `undo` takes it back. Each has its own result."""
    act_id = bulk_acts.ask(tx, given.asked(), now, supervises=asker.role in SUPERVISING)
    return _told(tx, asker, act_id, now)


@router.get("/bulk-acts")
def list_acts(tx: Read, now: Now, asker: Annotated[Asker, READER]) -> BulkActs:
    """The asker's own last acts, the newest first."""
    return BulkActs(acts=[BulkActTold.of(row, now) for row in read.of_actor(tx, asker.actor, MOST_SHOWN)])


@router.get("/bulk-acts/{act}")
def show(act: ActId, tx: Read, now: Now, asker: Annotated[Asker, READER]) -> BulkActTold:
    """One of the asker's own acts, with what became of each defect so far."""
    return _told(tx, asker, act, now)


@router.post("/bulk-acts/{act}/undo")
def undo(act: ActId, tx: Write, now: Now, asker: Annotated[Asker, OPERATOR]) -> BulkActTold:
    """Take back an act that has not begun."""
    bulk_acts.undo(tx, act, now)
    return _told(tx, asker, act, now)


def _told(tx: Read, asker: Asker, act_id: int, now: datetime) -> BulkActTold:
    row = read.one(tx, asker.actor, act_id)
    if row is None:
        raise NotFound(f"You have asked for no act {act_id}.")
    return BulkActTold.of(row, now)
