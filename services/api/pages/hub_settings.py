"""The hub's settings: what there is to set, for whom."""

from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from services.api import hub
from services.api.deps import Role
from services.api.hub import Operator

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@dataclass(frozen=True, slots=True)
class Section:
    """A page of settings, and who may open it."""

    address: str
    name: str
    words: str
    roles: tuple[Role, ...] = (Role.ADMIN,)


SECTIONS: tuple[Section, ...] = ()


@router.get("/hub/settings")
def settings(request: Request, asker: Operator) -> HTMLResponse:
    """The sections that the asker may open."""
    return hub.page("settings.html", request, asker, sections=[one for one in SECTIONS if asker.role in one.roles])
