"""Signing in to the control hub, and out of it. Plain forms: they work where scripts do not."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import Response

from services.api import credentials, hub, templates
from services.api.deps import PUBLIC, Asker, Now, Write, requires
from services.api.rate import SignInLimit, count_sign_in
from shared.errors import SignInNeeded
from shared.flows import manage_access

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

Anybody = Annotated[Asker, requires(PUBLIC)]
Text = Annotated[str, Form(max_length=1000)]


@router.get(hub.SIGN_IN)
def ask(asker: Anybody, next: str = "") -> Response:
    """The form; whoever is signed in already goes on."""
    if asker.is_staff:
        return RedirectResponse(hub.safe_next(next), 303)
    return templates.page("hub/sign_in.html", next=hub.safe_next(next), email="", signed_out=False)


@router.post(hub.SIGN_IN)
def sign_in(
    request: Request,
    tx: Write,
    now: Now,
    _: Anybody,
    _limit: SignInLimit,
    email: Text = "",
    password: Text = "",
    next: Text = "",
) -> Response:
    """Begin a session, and go to what was wanted. A wrong password is told beside the field, with the address kept."""
    credentials.refuse_other_sites(request)
    count_sign_in(email)
    wanted = hub.safe_next(next)
    try:
        began = manage_access.sign_in(tx, email, password, now)
    except SignInNeeded as refused:
        errors = {"email": f"{refused.detail} Check both and try again."}
        return templates.page("hub/sign_in.html", 401, errors=errors, next=wanted, email=email, signed_out=False)
    answer = RedirectResponse(wanted, 303)
    credentials.set_cookie(answer, began.secret)
    return answer


@router.get("/hub/signed-out")
def signed_out(_: Anybody) -> HTMLResponse:
    """Where the hub's sign-out ends."""
    return templates.page("hub/sign_in.html", next=hub.HUB, email="", signed_out=True)
