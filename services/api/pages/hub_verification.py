"""Verification: repairs that wait for a person, photos from after the work beside those from before; and the sample."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from services.api import hub, hub_links
from services.api.dates import Dates
from services.api.deps import Asker, Now, Read
from services.api.hub import Operator
from services.api.routes.verification import Repair
from shared.errors import NotFound
from shared.store import policies, references
from shared.store.engine import ReadTx
from shared.store.read_models import drawn, verification

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

SHOWN = 200
"""So many wait on one page; a person never has more before them."""
SAMPLE_DAYS = 90
Waiting = Literal["", "evidence_ok", "evidence_failed"]


@router.get("/hub/verification")
def verify(
    request: Request,
    asker: Operator,
    tx: Read,
    now: Now,
    state: Waiting = "",
    order: Annotated[str, Query(max_length=20)] = "",
) -> HTMLResponse:
    """The list, and one repair of it: the one that `order` names, whether it waits or not; else the first."""
    page = verification.waiting(tx, verification.Wanted(states=(state,) if state else ()), after=None, most=SHOWN)
    waiting = [Repair.of(row, asker) for row in page.rows]
    shown, gone = _shown(tx, asker, waiting, order)
    return hub.page(
        "verification.html",
        request,
        asker,
        waiting=waiting,
        counts=verification.how_many(tx),
        state=state,
        one=shown,
        gone=gone,
        now=now,
        is_to_verify=shown is not None and shown.state in hub_links.TO_VERIFY,
        **_common(tx, now),
    )


def _shown(tx: ReadTx, asker: Asker, waiting: list[Repair], order: str) -> tuple[Repair | None, str]:
    """The repair to show; and what was asked for, where there is no such."""
    if not order:
        return (waiting[0] if waiting else None), ""
    reference = references.read(order)
    listed = next((one for one in waiting if one.reference == reference), None)
    if listed is not None:
        return listed, ""
    try:
        return Repair.of(verification.one(tx, reference), asker), ""
    except NotFound as refused:
        return None, refused.detail


@router.get("/hub/verification/sample")
def sample(
    request: Request,
    asker: Operator,
    tx: Read,
    now: Now,
    checked: Literal["", "yes", "no"] = "",
    contractor: Annotated[str, Query(max_length=40)] = "",
    after: Annotated[str | None, Query(max_length=80)] = None,
) -> HTMLResponse:
    """Which repairs were drawn for a person's check, by what rule and why; and each contractor's share."""
    since = now - timedelta(days=SAMPLE_DAYS)
    wanted = drawn.Wanted(checked={"yes": True, "no": False}.get(checked), contractor=contractor or None, since=since)
    page = drawn.page(tx, wanted, after=after, most=100)
    return hub.page(
        "verification_sample.html",
        request,
        asker,
        page=page,
        shares=drawn.shares(tx, since),
        checked=checked,
        contractor=contractor,
        days=SAMPLE_DAYS,
        rules=policies.in_force(tx, now).policy.verification,
        **_common(tx, now),
    )


def _common(tx: ReadTx, now: Now) -> dict[str, Any]:
    return {"dates": Dates(policies.in_force(tx, now).policy.calendar.timezone), "link": hub_links}
