"""The hub's search: one box, one list by kind. A whole reference leads straight to what it names."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from services.api import hub, hub_links
from services.api.dates import Dates
from services.api.deps import Now, Read
from services.api.hub import Operator
from shared.store import policies
from shared.store.engine import ReadTx
from shared.store.read_models import search

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

MOST = 50
_WHOLE = 8
"""Letters and digits of a reference, without its first letter."""


@router.get("/hub/search", response_model=None)
def find(
    request: Request, asker: Operator, tx: Read, now: Now, q: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    """What is found, by kind. An e-mail address is not searched for here: addresses of pages are kept by browsers."""
    typed = " ".join(q.split())
    found = _found(tx, typed) if len(typed) > 1 and "@" not in typed else {}
    hits = [one for kind in found.values() for one in kind]
    if len(hits) == 1 and _is_its_reference(typed, hits[0]):
        return RedirectResponse(hub_links.of(hits[0]), 303)
    return hub.page(
        "search.html",
        request,
        asker,
        q="" if "@" in typed else typed,
        is_address="@" in typed,
        found=found,
        many=len(hits),
        link=hub_links.of,
        dates=Dates(policies.in_force(tx, now).policy.calendar.timezone),
    )


def _found(tx: ReadTx, typed: str) -> dict[str, list[dict[str, Any]]]:
    """By kind, in the order in which they are shown; kinds of which nothing was found are left out."""
    told = asdict(search.search(tx, typed[:100], MOST))
    return {kind: told[kind] for kind in ("defects", "reports", "works_orders", "recalls") if told[kind]}


def _is_its_reference(typed: str, hit: dict[str, Any]) -> bool:
    """Whether all of it was typed, with its first letter or without."""
    letters = [letter for letter in typed if letter.isalnum()]
    return bool(hit["found_by"] == "reference" and len(letters) >= _WHOLE)
