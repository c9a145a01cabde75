"""The hub's settings of streets: a street found by its name, its hierarchy, and setting it by hand."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from services.api.deps import Now, Read
from services.api.hub import Operator
from services.api.pages.hub_settings import RULERS, settings_page
from services.api.schemas import Words
from shared.store import gazetteer
from shared.store.read_models import streets

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

MOST = 20
HIERARCHIES = {
    "2": "strategic route",
    "3a": "main distributor",
    "3b": "secondary distributor",
    "4a": "link road",
    "4b": "local access",
}


@router.get("/hub/settings/streets")
def find_street(
    request: Request,
    asker: Operator,
    tx: Read,
    now: Now,
    q: Annotated[Words, Query(max_length=100)] = "",
    key: Annotated[Words, Query(max_length=300)] = "",
) -> HTMLResponse:
    """Streets that are called so, and the one that was chosen."""
    found = gazetteer.find(tx, q, MOST) if len(q.strip()) >= 2 else None
    named = [] if found is None else [one for one in (found.places or found.did_you_mean) if one.kind == "street"]
    chosen = streets.one(tx, key) if key else None
    return settings_page(
        "streets.html",
        request,
        asker,
        tx,
        now,
        q=q,
        streets=named,
        guessed=found is not None and not found.places,
        key=key,
        chosen=chosen,
        settings=streets.settings(tx, chosen.pieces) if chosen else [],
        hierarchies=HIERARCHIES,
        may_set=asker.role in RULERS,
    )
