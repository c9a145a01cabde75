"""The record of the feed as pages of JSON, for whoever looks back: the live feed's own lines, as staff see them."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from services.api.deps import STAFF, Asker, Read, requires
from shared.domain.audience import Audience, redacted
from shared.store.read_models import past_day

router = APIRouter(prefix="/api/v1/feed/lines", tags=["feed"])

_Number = Annotated[int | None, Query(ge=0, le=2**63 - 1)]


class FeedLine(BaseModel):
    """What the live feed sends under the same number; its further fields depend on the kind."""

    model_config = ConfigDict(extra="allow")

    number: int
    kind: str = Field(examples=["DefectRecorded"])
    at: str
    subject: str = Field(examples=["defect"])
    reference: str = Field(examples=["D-7K3M-9QXF"])


class FeedLines(BaseModel):
    lines: list[FeedLine] = Field(description="Oldest first")
    next: int | None = Field(description="`after` of the next page; null when it was not full")


@router.get("", response_model=FeedLines)
def list_lines(
    tx: Read,
    asker: Annotated[Asker, requires(*STAFF, scope="feed")],
    after: _Number = None,
    before: _Number = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> dict[str, Any]:
    """Lines after a number; without `after` the newest, or the newest `before` a number."""
    del asker
    found = past_day.lines(tx, after=after, before=before, most=limit)
    shown = [redacted(line, Audience(staff=True)) for line in found]
    return {"lines": shown, "next": found[-1].number if after is not None and len(found) == limit else None}
