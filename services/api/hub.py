"""What every page of the control hub is given: who reads it, the token of its acts, and the places one can go to."""

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import Response
from starlette.types import Scope

from services.api import credentials, templates
from services.api.deps import STAFF, Asker, requires
from shared.domain.events import LISTENERS, Consumer

HUB = "/hub"
SIGN_IN = "/hub/sign-in"

Operator = Annotated[Asker, requires(*STAFF)]
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

_KINDS = " ".join(kind.__name__ for kind, heard_by in LISTENERS.items() if Consumer.FEED in heard_by)
"""What lines of the feed are called: a browser hears an event by its name only."""


def page(name: str, request: Request, asker: Asker, status: int = 200, **values: Any) -> HTMLResponse:
    """A page of the hub. `values` are the template's; the frame's own are added here."""
    secret = credentials.session_secret(request)
    frame = {
        "asker": asker,
        "csrf": credentials.csrf_token(secret) if secret and asker.person_id is not None else "",
        "places": PLACES,
        "here": request.url.path,
        "kinds": _KINDS,
    }
    return templates.page(f"hub/{name}", status, **{**frame, **values})


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
