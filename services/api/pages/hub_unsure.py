"""The matching queue: what the machine was unsure of, one question at a time, answered by a key."""

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from services.api import hub
from services.api.deps import Now, Read
from services.api.hub import Operator
from services.api.routes.questions import QuestionPage, plain
from shared.store import policies
from shared.store.read_models import dedupe, questions

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

AT_ONCE = 20
"""Questions that a page begins with."""


@router.get("/hub/unsure")
def unsure(
    request: Request, asker: Operator, tx: Read, now: Now, report: Annotated[str | None, Query(max_length=20)] = None
) -> HTMLResponse:
    """The first question whole, those behind it by their names; `report` begins with the question about that one."""
    zone = policies.in_force(tx, now).calendar.tz
    page = questions.page(tx, after=None, most=AT_ONCE)
    asked = questions.page(tx, after=None, most=1, report_reference=report).rows if report else []
    rows = [*asked, *(row for row in page.rows if not asked or row["id"] != asked[0]["id"])]
    shown = QuestionPage.model_validate(
        {"questions": [plain(row) for row in rows], "next": page.next, "waiting": page.waiting}
    )
    return hub.page(
        "unsure.html",
        request,
        asker,
        page=shown,
        wanted=report,
        found=bool(asked),
        month=dedupe.answers(tx, _month(now, zone)),
        zone=zone,
    )


def _month(now: datetime, zone: ZoneInfo) -> datetime:
    return now.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
