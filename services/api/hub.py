"""What every page of the control hub is given: who reads it, the token of its acts, and the places one can go to."""

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import Response
from starlette.types import Scope

from services.api import credentials, templates
from services.api.deps import STAFF, Asker, Rule

HUB = "/hub"
SIGN_IN = "/hub/sign-in"


class _OfHub(Rule):
    """Staff. Notes how far the feed had come before anything was read for the page: its script hears what follows."""

    async def __call__(self, request: Request) -> Asker:
        request.state.place = _newest(request)
        return await super().__call__(request)


WHOLE = "*"
"""The scope of every page of the hub: each shows much of everything, so a key that is limited opens none."""

Operator = Annotated[Asker, Depends(_OfHub(STAFF, WHOLE))]
"""Whoever works in the hub."""


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of the navigation. `key` is pressed after g: g q goes to the queue."""

    address: str
    name: str
    key: str


PLACES = (
    Place("/hub", "Board", "b"),
    Place("/hub/queue", "Queue", "q"),
    Place("/hub/unsure", "Unsure", "u"),
    Place("/hub/verification", "Verification", "v"),
    Place("/hub/recalls", "Recalls", "r"),
    Place("/hub/month", "Month", "m"),
    Place("/hub/settings", "Settings", "s"),
)


def page(name: str, request: Request, asker: Asker, status: int = 200, **values: Any) -> HTMLResponse:
    """A page of the hub. `values` are the template's; the frame's own are added here."""
    secret = credentials.session_secret(request)
    frame = {
        "asker": asker,
        "csrf": credentials.csrf_token(secret) if secret and asker.person_id is not None else "",
        "places": PLACES,
        "here": request.url.path,
        "place": getattr(request.state, "place", None) or _newest(request),
    }
    return templates.page(f"hub/{name}", status, **{**frame, **values})


def _newest(request: Request) -> str:
    """The newest line of the feed, as it is sent and comes back."""
    place: bytes = request.app.state.feed.newest.id()
    return place.decode()


def is_hub(scope: Scope) -> bool:
    """Whether this is an address of the hub."""
    path: str = scope["path"]
    return path == HUB or path.startswith(f"{HUB}/")


def to_sign_in(scope: Scope) -> Response:
    """To the form, and from there back to what was asked for."""
    query = scope["query_string"].decode("latin-1")
    wanted = scope["path"] + (f"?{query}" if query else "")
    return RedirectResponse(f"{SIGN_IN}?next={quote(wanted, safe='')}", 303)


def safe_next(wanted: str) -> str:
    """Where to go after signing in: an address of the hub, else its board. Another site's is never gone to."""
    inside = wanted == HUB or wanted.startswith((f"{HUB}/", f"{HUB}?"))
    return wanted if inside and "\\" not in wanted and "\n" not in wanted and not wanted.startswith(SIGN_IN) else HUB
