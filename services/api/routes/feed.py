"""The live feed: Server-Sent Events that resume without a gap. The only async route."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import APIRouter, FastAPI, Header, Query, Request
from fastapi.responses import StreamingResponse

from services.api.deps import PUBLIC, STAFF, Asker, Role, requires
from services.api.feed_hub import Hub, Place, stream
from shared.domain.audience import Audience, Line
from shared.errors import SignInNeeded

router = APIRouter(prefix="/api/v1/feed", tags=["feed"])


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """The hub follows the record as long as the API lives."""
    app.state.feed = Hub()
    async with app.state.feed.running():
        yield


SIGNED_IN_SECONDS = 600
"""A stream that shows more than the public's ends after so long and is resumed, so that a revoked right ends too."""

_SAYS = """Server-Sent Events, one a line. `id` is the line's number and the beginning of its hash: send it back as it
is. A beat (an id alone) comes every 15 s, to staff every 2 s. The comment `newest` at the beginning says how far the
record has come. The event `Reset` comes first where the line that the client has read is not in the record, or is
another one: the database was restored to an earlier time. Load anew what you show; lines follow.
"""
_FORM = {
    "schema": {"type": "string"},
    "example": 'id: 7-5f0c9a31\nevent: DefectRecorded\ndata: {"number":7,"reference":"D-7K3M-9QXF"}\n\n',
}
_ID = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        pattern="^[0-9]{1,18}(-[0-9a-f]{8})?$",
        description="The id of the last line that the client has seen; browsers send it by themselves",
    ),
]


@router.get(
    "",
    response_class=StreamingResponse,
    responses={200: {"description": _SAYS, "content": {"text/event-stream": _FORM}}},
)
async def follow_feed(
    request: Request,
    asker: Annotated[Asker, requires(PUBLIC, Role.CONTRACTOR, *STAFF, scope="feed")],
    last_event_id: _ID = None,
    after: Annotated[
        int | None, Query(ge=0, le=2**63 - 1, description="A line's number; 0 begins with the first line")
    ] = None,
    area: Annotated[str | None, Query(max_length=40)] = None,
    class_code: Annotated[str | None, Query(alias="class", max_length=40)] = None,
    state: Annotated[str | None, Query(max_length=40)] = None,
    contractor: Annotated[str | None, Query(max_length=40, description="A contractor's code; staff only")] = None,
    whole: Annotated[bool, Query(description="Refuse who is not staff, where else the public's lines come")] = False,
) -> StreamingResponse:
    """Follow what happens: the public's lines, a contractor's own works, or everything for staff.

    Numbers follow commit order: who has seen line N never later meets a smaller one. Each line carries the hash of
    the line before it.
    """
    hub: Hub = request.app.state.feed
    audience = Audience(staff=asker.is_staff, contractor_id=asker.contractor_id)
    if whole and not audience.staff:
        raise SignInNeeded("The whole feed is for staff. Sign in.")

    def wanted(line: Line) -> bool:
        return (
            (area is None or line.area_code == area)
            and (class_code is None or line.class_code == class_code)
            and (state is None or line.state == state)
            and (contractor is None or (audience.staff and line.body.get("contractor") == contractor))
        )

    filtered = any(given is not None for given in (area, class_code, state, contractor))
    lines = stream(hub, audience, wanted if filtered else None, _start(last_event_id, after))
    if audience != Audience():
        lines = _bounded(lines)
    return StreamingResponse(
        lines,
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def _start(last_event_id: str | None, after: int | None) -> Place | None:
    """Where the client says that it is; None: it wants what happens from now on."""
    if last_event_id is not None:
        number, _, mark = last_event_id.partition("-")
        return Place(int(number), mark)
    return None if after is None else Place(after)


async def _bounded(lines: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """End after SIGNED_IN_SECONDS, at the first line or beat that comes then."""
    ends = time.monotonic() + SIGNED_IN_SECONDS
    async for chunk in lines:
        yield chunk
        if time.monotonic() > ends:
            return
