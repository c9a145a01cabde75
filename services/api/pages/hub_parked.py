"""The hub's settings of what is parked: deliveries and messages that wait for a person."""

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from services.api import hub, hub_links
from services.api.deps import Asker, Now, Read, Role, requires
from services.api.pages.hub_settings import settings_page
from shared.store.read_models import parked

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

HEARD_BY = {
    "triage": "matching reports",
    "detections": "matching detections",
    "grade": "grading",
    "assign": "works orders",
    "verify": "verification",
    "feed": "the live feed",
    "tell": "telling people",
}
"""What a consumer does, in words."""


@router.get("/hub/settings/parked")
def list_parked(
    request: Request,
    asker: Annotated[Asker, requires(Role.SUPERVISOR, Role.ADMIN, scope=hub.WHOLE)],
    tx: Read,
    now: Now,
) -> HTMLResponse:
    """All that is parked, with what it is about and what went wrong."""
    deliveries, messages = parked.counts(tx)
    return settings_page(
        "parked.html",
        request,
        asker,
        tx,
        now,
        deliveries=parked.deliveries(tx),
        messages=parked.messages(tx),
        many_deliveries=deliveries,
        many_messages=messages,
        heard_by=HEARD_BY,
        links={"report": hub_links.report, "defect": hub_links.defect},
    )
