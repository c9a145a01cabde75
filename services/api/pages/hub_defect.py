"""A defect's page in the hub: all that is known of it, why each machine decided so, and what may be done now."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import Response

from services.api import following, hub, hub_acts
from services.api.deps import Now, Read
from services.api.hub import Operator
from services.api.routes.acts import person
from shared.domain.place import Point
from shared.domain.spots import Spot
from shared.domain.terms import OPEN_DEFECT, DefectState
from shared.domain.whereabouts import in_words
from shared.flows.weigh_acts import acts_on_defect
from shared.store import gazetteer, network, policies, references
from shared.store.engine import ReadTx
from shared.store.policies import InForce
from shared.store.read_models import access, defects, neighbours, stories

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/hub/defects/{reference}", response_model=None)
def show(reference: str, request: Request, asker: Operator, tx: Read, now: Now) -> Response:
    """Made anew by each request: the page asks for it again when the feed speaks of the defect."""
    known = references.read(reference)
    if known != reference:
        return RedirectResponse(f"/hub/defects/{known}", 303)
    told, rules = defects.told(tx, known), policies.in_force(tx, now)
    row, whole = told.row, defects.whole(tx, told.row.id)
    names, acts = access.staff_names(tx), acts_on_defect(tx, known, person(asker), now)
    return hub.page(
        "defect.html",
        request,
        asker,
        row=row,
        title=following.title_of(row.class_code, rules),
        titles={code: kind.title for code, kind in rules.policy.classes.items()},
        public=told.status,
        is_open=row.state in OPEN_DEFECT,
        where=in_words(spot_of(tx, row, rules)),
        whole=whole,
        photos=by_kind(whole["photos"]),
        acts=hub_acts.listed(acts, names, _titles(row.state)),
        duplicates=neighbours.duplicates(tx, row.id),
        story=stories.of_defect(tx, row.id, rules.calendar.tz),
        who=lambda actor: names.get(actor) or stories.actor_words(actor),
        dates=following.dates_of(rules),
        now=now,
    )


def _titles(state: str) -> Mapping[str, str]:
    return {} if state in (DefectState.CANDIDATE, DefectState.MONITOR) else {"confirm": "Grade anew"}


def spot_of(tx: ReadTx, row: Any, rules: InForce) -> Spot:
    """What the place of a defect or a report is called."""
    (located,) = network.locate(tx, [Point(row.lat, row.lon, row.accuracy_m)], rules.policy.place)
    return gazetteer.at(tx, located)


def by_kind(photos: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Photos of people who told of it, and from before and after the work."""
    return {role: [one for one in photos if one["role"] == role] for role in ("report", "before", "after")}
