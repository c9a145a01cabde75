"""The hub's settings: what there is to set, for whom, and the frame around each section."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from services.api import hub
from services.api.deps import STAFF, Asker, Role
from services.api.hub import Operator
from services.api.hub_clock import clock
from shared.store.engine import ReadTx

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

RULERS = (Role.SUPERVISOR, Role.ADMIN)


@dataclass(frozen=True, slots=True)
class Section:
    """A page of settings, and who may open it."""

    address: str
    name: str
    words: str
    roles: tuple[Role, ...] = (Role.ADMIN,)


SECTIONS: tuple[Section, ...] = (
    Section("/hub/settings/people", "People and roles", "Who may sign in, as what; passwords and sessions."),
    Section("/hub/settings/keys", "API keys", "What other systems call Roadmend with."),
    Section("/hub/settings/policy", "Policy", "The versions of the rules, what changed, and the next one.", STAFF),
    Section("/hub/settings/lots", "Contractors and lots", "Who mends what, where, and what is open with each.", STAFF),
    Section("/hub/settings/streets", "Streets", "The hierarchy by which a street's defects are graded.", STAFF),
    Section("/hub/settings/parked", "Parked", "What could not be delivered or sent, and trying it again.", RULERS),
    Section("/hub/settings/password", "Your password", "Change the password that you sign in with.", STAFF),
)


def settings_page(name: str, request: Request, asker: Asker, tx: ReadTx, now: datetime, **values: Any) -> HTMLResponse:
    """A section's page, with the others beside it; times are written by `clock`, and it is `now`."""
    frame: dict[str, Any] = {"sections": _open_to(asker), "clock": clock(tx, now), "now": now}
    return hub.page(f"settings/{name}", request, asker, **frame, **values)


def _open_to(asker: Asker) -> list[Section]:
    return [one for one in SECTIONS if asker.role in one.roles]


@router.get("/hub/settings")
def settings(request: Request, asker: Operator) -> HTMLResponse:
    """The sections that the asker may open."""
    return hub.page("settings.html", request, asker, sections=_open_to(asker))
