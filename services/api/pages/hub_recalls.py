"""Recalls: failed repairs that a person attributes or not, and disputes that a supervisor rules on."""

from datetime import date
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from services.api import hub
from services.api.dates import Dates
from services.api.deps import Now, Read, Role
from services.api.hub import Operator
from services.api.routes.recalls import RecallCase
from shared.errors import NotFound
from shared.store import policies
from shared.store.engine import ReadTx
from shared.store.read_models import recall_case
from shared.store.read_models import warranties as read

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

SHOWN = 200
OPEN = ("disputed", "proposed")
State = Literal["", "proposed", "disputed", "attributable", "not_attributable"]
RULES = (Role.SUPERVISOR, Role.ADMIN)


@router.get("/hub/recalls")
def recalls(
    request: Request,
    asker: Operator,
    tx: Read,
    now: Now,
    state: State = "",
    recall: Annotated[str, Query(max_length=20)] = "",
    after: Annotated[str | None, Query(max_length=80)] = None,
) -> HTMLResponse:
    """The list, those to be decided unless `state` says otherwise; and one: that of `recall`, else the first."""
    page = read.recalls(tx, read.Wanted(states=(state,) if state else OPEN), after=after, most=SHOWN)
    wanted = recall or (page.rows[0]["reference"] if page.rows else "")
    shown, gone = _shown(tx, wanted)
    policy = policies.in_force(tx, now).policy
    return hub.page(
        "recalls.html",
        request,
        asker,
        recalls=page.rows,
        older=page.next,
        counts=read.recalls_by_state(tx),
        open_states=OPEN,
        state=state,
        one=shown,
        gone=gone,
        may_rule=asker.role in RULES,
        today=_today(now, policy.calendar.timezone),
        dates=Dates(policy.calendar.timezone),
    )


def _shown(tx: ReadTx, reference: str) -> tuple[RecallCase | None, str]:
    """The recall to show; and what is said where there is none such."""
    if not reference:
        return None, ""
    try:
        return RecallCase.model_validate(recall_case.case(tx, reference), from_attributes=True), ""
    except NotFound as refused:
        return None, refused.detail


def _today(now: Now, zone: str) -> date:
    return now.astimezone(ZoneInfo(zone)).date()
