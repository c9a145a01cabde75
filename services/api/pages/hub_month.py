"""The hub's month at a glance, beside the same month a year before; and the same as CSV."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from services.api import hub, month_chart, month_csv
from services.api.deps import Now, Read
from services.api.hub import Operator
from services.api.hub_clock import HubClock
from shared.domain.month import TREND, Month
from shared.errors import Invalid
from shared.store import policies
from shared.store.policies import InForce
from shared.store.read_models import month as read_model

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

Asked = Annotated[str, Query(max_length=7, description="2026-10; else this month")]
CHOICES = 36
"""Months that the page offers; any other is reached by its address."""


@router.get("/hub/month")
def show(request: Request, asker: Operator, tx: Read, now: Now, month: Asked = "") -> HTMLResponse:
    """The figures of a month, and thirteen months of what came, went and stayed."""
    rules = policies.in_force(tx, now)
    this = Month.of(now.astimezone(rules.calendar.tz).date())
    told = read_model.glance(tx, _month(month, this), now, rules)
    return hub.page(
        "month.html",
        request,
        asker,
        told=told,
        this=this,
        choices=[this.later(-back) for back in range(CHOICES)],
        drawn=[month_chart.backlog(told.trend), month_chart.moves(told.trend)],
        many=TREND,
        clock=HubClock(rules.calendar.tz),
    )


@router.get("/hub/month.csv")
def download(_: Operator, tx: Read, now: Now, month: Asked = "") -> Response:
    """The same for a spreadsheet: every figure with its definition."""
    rules: InForce = policies.in_force(tx, now)
    this = Month.of(now.astimezone(rules.calendar.tz).date())
    chosen = _month(month, this)
    text = month_csv.written(read_model.glance(tx, chosen, now, rules))
    headers = {"Content-Disposition": f'attachment; filename="roadmend-month-{chosen}.csv"'}
    return Response(text.encode("utf-8-sig"), media_type="text/csv; charset=utf-8", headers=headers)


def _month(asked: str, this: Month) -> Month:
    chosen = Month.parse(asked) if asked else this
    if chosen > this:
        raise Invalid(f"{chosen} has not begun yet.", {"month": "has not begun yet"})
    return chosen
