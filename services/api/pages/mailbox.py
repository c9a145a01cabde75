"""The mailbox of this machine, where nothing is sent out: what residents would have got, the newest first.

It shows addresses and links that only their owners should have, so it is there only where the provider is `mailbox`.
"""

from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from services.api import templates
from services.api.deps import PUBLIC, Asker, requires
from shared.errors import NotFound
from shared.settings import settings
from shared.store import mailbox
from shared.store.mailbox import Kept

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

Anybody = Annotated[Asker, requires(PUBLIC)]
_AS_IN_A_MAIL_PROGRAM = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)


@router.get("/mailbox")
def inbox(_: Anybody) -> HTMLResponse:
    """Every message that is here."""
    _check()
    return _private(templates.page("mailbox.html", messages=mailbox.newest(settings().mailbox_dir)))


@router.get("/mailbox/{name}")
def message(name: str, _: Anybody) -> HTMLResponse:
    """One message, as text and as a mail program would show it."""
    page = templates.page("mailbox_message.html", message=_found(name))
    policy = page.headers["Content-Security-Policy"]
    page.headers["Content-Security-Policy"] = f"{policy}; frame-src 'self'"
    return _private(page)


@router.get("/mailbox/{name}/html")
def html(name: str, _: Anybody) -> Response:
    """Its HTML alone, for the frame: no script runs there, and nothing is loaded."""
    body = _found(name).html.replace("<head>", '<head><base target="_blank">', 1)
    headers = {"Content-Security-Policy": _AS_IN_A_MAIL_PROGRAM, "X-Frame-Options": "SAMEORIGIN"}
    return HTMLResponse(body, headers=headers)


def _found(name: str) -> Kept:
    _check()
    found = mailbox.find(settings().mailbox_dir, name)
    if found is None:
        raise NotFound("There is no such message in the mailbox.")
    return found


def _check() -> None:
    if "mailbox" not in (settings().mail_provider, settings().sms_provider):
        raise NotFound("Messages leave by their provider here. There is no mailbox to look into.")


def _private(page: HTMLResponse) -> HTMLResponse:
    page.headers["Referrer-Policy"] = "no-referrer"
    return page
