"""Who holds the tracking link of a report: its secret is taken out of the address and kept in a cookie of that page."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import RedirectResponse, Response

from services.api import credentials
from services.api.rate import count
from shared import bus
from shared.domain.access import Asker
from shared.errors import SignInNeeded
from shared.flows import manage_access
from shared.flows.manage_access import Kind
from shared.settings import settings
from shared.store.engine import ReadTx, WriteTx, transaction

COOKIE = "roadmend_report"


def address(reference: str) -> str:
    """The page of a report."""
    return f"/reports/{reference}"


def see(path: str, done: str = "") -> RedirectResponse:
    """On to a page after something was done, told by a word that the page knows."""
    return RedirectResponse(f"{path}?done={done}" if done else path, 303)


def opened_by(tx: ReadTx, secret: str | None, report_id: int, now: datetime) -> Asker | None:
    """The reporter, where the secret opens this very report."""
    if not secret:
        return None
    try:
        found = manage_access.who(tx, Kind.TRACKING, secret, now)
    except SignInNeeded:
        return None
    return found if found.report_id == report_id else None


def cookie_of(request: Request) -> str | None:
    return request.cookies.get(COOKIE)


def remember(response: Response, reference: str, secret: str) -> None:
    """Keep the secret in the browser until it is closed, for this report's pages alone and out of scripts' reach.

    Not longer, because people report from libraries: the link opens the page anew.
    """
    response.set_cookie(
        COOKIE,
        secret,
        httponly=True,
        samesite="lax",
        secure=settings().public_url.startswith("https"),
        path=address(reference),
    )


def forget(response: Response, reference: str) -> None:
    """The browser does not know the secret any more."""
    response.delete_cookie(COOKIE, path=address(reference))


def act(request: Request, asker: Asker, do: Callable[[WriteTx], object]) -> None:
    """Do what only the reporter may, in one transaction that is committed when this returns.

    Raises:
        NotAllowed: a page of another site made the browser send it.
    """
    credentials.refuse_other_sites(request)
    with transaction(asker.actor) as tx:
        do(tx)
    bus.nudge(tx.woken)


async def _acts(request: Request) -> None:
    await count(request, "act")


ActLimit = Annotated[None, Depends(_acts)]
"""What people do on pages counts with their address."""
