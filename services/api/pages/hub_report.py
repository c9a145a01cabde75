"""A report's page in the hub: what was said, what it was found to be, and what may be decided now."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import Response

from services.api import following, hub, hub_acts
from services.api.deps import Now, Read
from services.api.hub import Operator
from services.api.pages.hub_defect import spot_of
from shared.domain.whereabouts import in_words
from shared.flows.weigh_acts import acts_on_report
from shared.store import policies, references
from shared.store.read_models import access, photos, reports, stories

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/hub/reports/{reference}", response_model=None)
def show(reference: str, request: Request, asker: Operator, tx: Read, now: Now) -> Response:
    """Made anew by each request: the page asks for it again when the feed speaks of the report."""
    known = references.read(reference)
    if known != reference:
        return RedirectResponse(f"/hub/reports/{known}", 303)
    told, rules = reports.told(tx, known), policies.in_force(tx, now)
    row, names = told.row, access.staff_names(tx)
    return hub.page(
        "report.html",
        request,
        asker,
        row=row,
        title=following.title_of(row.class_code, rules),
        public=told.status,
        where=in_words(spot_of(tx, row, rules)),
        photos=photos.staff_of_report(tx, row.id),
        notes=reports.notes(tx, row.id),
        links=reports.links(tx, row.id),
        has_contact=reports.reach(tx, row.id) is not None,
        seen=reports.seen(tx, row.id),
        acts=hub_acts.listed(acts_on_report(tx, known), names, hub_acts.REPORT_TITLES),
        story=stories.of_report(tx, row.id, rules.calendar.tz),
        dates=following.dates_of(rules),
        now=now,
    )
