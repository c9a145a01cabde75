"""The page of a defect: where it stands, what was promised and kept, and ways to follow it or to say that it failed."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse

from services.api import credentials, following, templates, tracking
from services.api.deps import Now, Read, for_everybody
from services.api.tracking import ActLimit
from shared import bus
from shared.errors import Invalid
from shared.flows import follow_place
from shared.store import policies, references
from shared.store.engine import ReadTx, reading, transaction

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

DONE = {"follow": "Check your e-mail. Follow the link in it, and we will tell you what becomes of this."}


@router.get("/defects/{reference}", response_model=None)
@for_everybody
def show(reference: str, tx: Read, now: Now, done: Annotated[str, Query(max_length=20)] = "") -> Response:
    """For everybody: nothing private is in it."""
    known = references.read(reference)
    if known != reference:
        return tracking.see(f"/defects/{known}")
    return _page(tx, known, now, done=done)


def _page(tx: ReadTx, reference: str, now: datetime, *, done: str = "", typed: str = "", wrong: str = "") -> Response:
    rules = policies.in_force(tx, now)
    page = templates.page(
        "defect.html",
        422 if wrong else 200,
        found=following.found(tx, reference, rules),
        dates=following.dates_of(rules),
        tags=following.TAGS,
        done=DONE.get(done),
        typed=typed,
        errors={"email": wrong} if wrong else {},
    )
    page.headers.update(following.PRIVATE if done or wrong else following.PUBLIC)
    return page


@router.post("/defects/{reference}/follow", response_model=None)
@for_everybody
def follow(
    reference: str,
    request: Request,
    now: Now,
    _limit: ActLimit,
    email: Annotated[str, Form(max_length=300)] = "",
) -> Response:
    """Follow this defect by e-mail. The answer is the same whether the address follows it already or not."""
    credentials.refuse_other_sites(request)
    known = references.read(reference)
    with reading() as tx:
        defect_id = following.found(tx, known, policies.in_force(tx, now)).row.id
    try:
        with transaction("public") as writing:
            follow_place.follow_defect(writing, defect_id, email=email, now=now)
    except Invalid as no:
        with reading() as tx:
            return _page(tx, known, now, typed=email, wrong=no.detail)
    bus.nudge(writing.woken)
    return tracking.see(f"/defects/{known}", "follow")
