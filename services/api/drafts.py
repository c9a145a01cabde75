"""A draft as pages meet it: by a cookie of its own, which no script reads and no other site's form sends along."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import RedirectResponse, Response

from services.api.credentials import refuse_other_sites
from services.api.deps import Now, Read, Write
from shared.domain.drafts import TERM, Answers, Step, next_step
from shared.flows import write_draft
from shared.flows.write_draft import DraftRow
from shared.settings import settings
from shared.store.engine import ReadTx, WriteTx

COOKIE = "roadmend_draft"
PATH = "/report"
"""Of the cookie, and of the first page; the others lie below it."""
DONE = f"{PATH}/done"
_SEVEN_DAYS = int(TERM.total_seconds())
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Writing:
    """Whoever fills in the pages: the secret that the cookie holds, and the draft that it opens, if it opens one."""

    secret: str | None
    row: DraftRow | None

    @property
    def answers(self) -> Answers:
        return Answers() if self.row is None or self.row.is_sent else self.row.answers

    @property
    def is_sent(self) -> bool:
        return self.row is not None and self.row.is_sent


def _to_show(request: Request, tx: Read, now: Now) -> Writing:
    return _found(request, tx, now)


def _to_change(request: Request, tx: Write, now: Now) -> Writing:
    refuse_other_sites(request)
    return _found(request, tx, now)


def _found(request: Request, tx: ReadTx, now: datetime) -> Writing:
    secret = request.cookies.get(COOKIE)
    return Writing(secret, write_draft.find(tx, secret, now) if secret else None)


Shown = Annotated[Writing, Depends(_to_show)]
Changed = Annotated[Writing, Depends(_to_change)]
"""For whatever changes something: in the transaction that does it, and only from a page of ours."""


def address(step: Step) -> str:
    """Where a page is."""
    return PATH if step is Step.START else f"{PATH}/{step}"


def go(step: Step, query: str = "") -> Response:
    """To a page, after a form was taken."""
    return RedirectResponse(f"{address(step)}{query}", 303)


def keep(tx: WriteTx, writing: Writing, answers: Answers, now: datetime, *, to: Step | None = None) -> Response:
    """Keep the answers, in a draft begun now if there is none to go on with; then to the question that is next."""
    where = go(to or next_step(answers))
    if writing.secret is not None and writing.row is not None and not writing.is_sent:
        write_draft.answer(tx, writing.secret, answers, now)
        _remember(where, writing.secret, _SEVEN_DAYS)
    else:
        _remember(where, write_draft.begin(tx, answers, now), _SEVEN_DAYS)
    return where


def go_done(writing: Writing) -> Response:
    """To the last page. The secret opens what was sent from now on, so the browser keeps it until it is closed."""
    where = RedirectResponse(DONE, 303)
    if writing.secret is not None:
        _remember(where, writing.secret, None)
    return where


def _remember(response: Response, secret: str, seconds: int | None) -> None:
    """Let the browser keep the draft's secret; None: until it is closed."""
    response.set_cookie(
        COOKIE,
        secret,
        max_age=seconds,
        httponly=True,
        samesite="lax",
        secure=settings().public_url.startswith("https"),
        path=PATH,
    )


def cleaned(written: str, most: int) -> str:
    """Text as it can be kept: without control characters, no longer than may be. No form is refused for that."""
    return _CONTROL.sub("", written.replace("\r\n", "\n").replace("\r", "\n")).strip()[:most]
