"""What the links of our messages open: confirm, change or stop a follow; stop the messages about a report.

Mail programs and their scanners open links by themselves, so that opening one changes nothing: a button does.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import PlainTextResponse, Response

from services.api import templates
from services.api.deps import PUBLIC, Asker, Now, Read, Write, requires
from services.api.pages.follow import RHYTHMS
from shared.flows import follow_place, stop_telling
from shared.flows.follow_place import Rhythm
from shared.flows.send_messages import report_of
from shared.store.engine import ReadTx

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

Anybody = Annotated[Asker, requires(PUBLIC)]
Done = Literal["", "confirmed", "changed", "stopped", "again"]


@router.get("/follow/{token}")
def show(token: str, tx: Read, _: Anybody, done: Done = "") -> HTMLResponse:
    """What the link is for, and what can be done about it."""
    report = report_of(token)
    return _of_report(tx, report, done) if report is not None else _of_follow(tx, token, done)


def _of_report(tx: ReadTx, report: str, done: str) -> HTMLResponse:
    told = stop_telling.is_told(tx, report)
    return _private(templates.page("follow_report.html", current="/follow", report=report, told=told, done=done))


def _of_follow(tx: ReadTx, token: str, done: str) -> HTMLResponse:
    row = follow_place.found(tx, token)
    waits = row.confirmed_at is None and row.ended_at is None
    page = templates.page(
        "follow_confirm.html" if waits else "follow_manage.html",
        current="/follow",
        row=row,
        others=follow_place.waiting_with(tx, row) if row.ended_at is None else [],
        rhythms=RHYTHMS,
        done=done,
    )
    return _private(page)


def _private(page: HTMLResponse) -> HTMLResponse:
    """The address is a secret: it goes to nobody with a link that is followed from here, and no search finds it."""
    page.headers["Referrer-Policy"] = "no-referrer"
    page.headers["X-Robots-Tag"] = "noindex"
    return page


@router.post("/follow/{token}")
def act(
    token: str,
    tx: Write,
    now: Now,
    _: Anybody,
    do: Annotated[Literal["confirm", "rhythm", "stop", "again"], Form()],
    rhythm: Annotated[Rhythm, Form()] = Rhythm.INSTANT,
    also: Annotated[list[int] | None, Form(max_length=100)] = None,
) -> Response:
    """Confirm it (with `also`, what waits beside it), change how often, stop, or begin again."""
    report = report_of(token)
    if do == "stop":
        stop_telling.stop(tx, token, now)
    elif report is not None:
        stop_telling.tell_again(tx, report, now)
    elif do == "rhythm":
        follow_place.change_rhythm(tx, token, rhythm, now)
    else:
        follow_place.confirm(tx, token, now, also=also or ())
    done = {"confirm": "confirmed", "rhythm": "changed", "stop": "stopped", "again": "again"}[do]
    return RedirectResponse(f"/follow/{token}?done={done}", 303)


@router.get("/follow/{token}/unsubscribe")
def ask_to_stop(token: str, _: Anybody) -> Response:
    """For who opens by hand what is meant for a mail program: the page with its button."""
    return RedirectResponse(f"/follow/{token}", 303)


@router.post("/follow/{token}/unsubscribe")
def one_click(token: str, tx: Write, now: Now, _: Anybody) -> Response:
    """A mail program's button (RFC 8058): stops at once, without cookies and without asking again."""
    stop_telling.stop(tx, token, now)
    return PlainTextResponse("You will get no more of these messages.\n")
