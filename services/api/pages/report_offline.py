"""A report without signal: the page that the service worker keeps, and the worker itself (docs/decisions/0046)."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from services.api import assets, templates
from services.api.deps import PUBLIC, Asker, Now, Read, requires
from services.api.draft_photos import Photos
from services.api.pages.report_problem import MOST_WORDS
from services.api.report_words import common_classes, other_classes
from shared.domain.drafts import MOST_PHOTOS
from shared.domain.sizes import ACROSS, SIZES
from shared.store import policies

router = APIRouter(include_in_schema=False)

Anybody = Annotated[Asker, requires(PUBLIC)]
_WORKER = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; connect-src 'self'",
}
"""A browser looks for a new worker at each visit; and what a worker may fetch is said by its own answer."""


@router.get("/report/offline", response_class=HTMLResponse)
def offline(tx: Read, now: Now, _: Anybody) -> Response:
    """One form for all of a report. The same for everybody, so that it can be kept."""
    policy = policies.in_force(tx, now).policy
    classes = [*common_classes(policy), *(one for _group, listed in other_classes(policy) for one in listed)]
    return templates.page(
        "report/offline.html",
        current="/report",
        classes=classes,
        sizes=SIZES,
        across=ACROSS,
        most_accuracy_m=policy.place.ask_accuracy_m,
        most_words=MOST_WORDS,
        photos=Photos((), MOST_PHOTOS, None),
    )


@router.get("/sw.js")
def worker(_: Anybody) -> Response:
    """The service worker, at an address whose scope is the whole site. Other assets make it another worker."""
    found = assets.find("sw.js")
    assert found is not None  # noqa: S101 - the build makes it
    named = " ".join(assets.asset(entry) for entry in ("offline.ts", "styles.scss"))
    return Response(found.bodies[""] + f"\n// {named}\n".encode(), 200, _WORKER, found.kind)
