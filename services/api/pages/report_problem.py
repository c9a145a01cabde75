"""The report's middle pages: what it is, how large, what else there is to say, and photos."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import FileResponse
from starlette.responses import HTMLResponse, Response

from services.api import templates
from services.api.deps import PUBLIC, Asker, Now, Read, Write, requires
from services.api.draft_photos import Photos, SentPhotos, take_photos, thumbnails
from services.api.drafts import Changed, Shown, Writing, cleaned, go, keep
from services.api.report_words import common_classes, other_classes
from services.api.turns import PhotoTurn
from shared.domain.drafts import Step, may_show, next_step
from shared.domain.policy import Policy
from shared.domain.sizes import SIZES
from shared.errors import NotFound
from shared.flows import write_draft
from shared.store import photo_files, photos, policies
from shared.store.engine import ReadTx
from shared.store.photo_files import Copy
from shared.store.photos import OfDraft

router = APIRouter(prefix="/report", include_in_schema=False, default_response_class=HTMLResponse)

Anybody = Annotated[Asker, requires(PUBLIC)]
Typed = Annotated[str, Form()]
MOST_WORDS = 1000


# --- what ------------------------------------------------------------------------------------------------------------


@router.get("/what")
def what(draft: Shown, tx: Read, now: Now, _: Anybody) -> Response:
    """What is wrong there, and how large is it?"""
    if not may_show(draft.answers, Step.WHAT):
        return go(next_step(draft.answers))
    told = {"kind": draft.answers.class_code, "size": draft.answers.size, "words": draft.answers.description}
    return _ask_what(draft, policies.in_force(tx, now).policy, told)


@router.post("/what")
def answer_what(
    draft: Changed, tx: Write, now: Now, _: Anybody, kind: Typed = "", size: Typed = "", words: Typed = ""
) -> Response:
    """Take it. The size and the words may be left out."""
    policy = policies.in_force(tx, now).policy
    told = {"kind": kind, "size": size, "words": cleaned(words, 2 * MOST_WORDS)}
    if errors := _wrong(policy, **told):
        return _ask_what(draft, policy, told, errors)
    answers = replace(draft.answers, class_code=kind, size=size if size in SIZES else None, description=told["words"])
    return keep(tx, draft, answers, now)


def _wrong(policy: Policy, kind: str, size: str, words: str) -> Mapping[str, str]:
    del size
    wrong = {}
    if kind not in policy.classes or not policy.classes[kind].public:
        wrong["kind"] = "Select what is wrong"
    if len(words) > MOST_WORDS:
        wrong["words"] = f"What else we should know must be {MOST_WORDS} characters or fewer"
    return wrong


def _ask_what(
    draft: Writing, policy: Policy, told: Mapping[str, str | None], errors: Mapping[str, str] | None = None
) -> Response:
    return templates.page(
        "report/what.html",
        422 if errors else 200,
        current="/report",
        errors=errors or {},
        told=told,
        place=draft.answers.place,
        common=common_classes(policy),
        others=other_classes(policy),
        sizes=SIZES,
        most_words=MOST_WORDS,
    )


# --- photos ----------------------------------------------------------------------------------------------------------


@router.get("/photos")
def ask_photos(draft: Shown, tx: Read, _: Anybody) -> Response:
    """Up to five photos, or none."""
    if not may_show(draft.answers, Step.PHOTOS):
        return go(next_step(draft.answers))
    return _ask_photos(draft, tx)


@router.post("/photos")
def answer_photos(
    sent: SentPhotos, _turn: PhotoTurn, draft: Changed, tx: Write, now: Now, _: Anybody, act: Typed = ""
) -> Response:
    """Take photos, or one out again; a bad one is told, and the good ones are kept."""
    if draft.row is None or draft.is_sent or draft.secret is None:
        return go(next_step(draft.answers))
    if act.startswith("remove:"):
        write_draft.remove_photo(tx, draft.secret, act.removeprefix("remove:"), now)
        return go(Step.PHOTOS)
    if errors := take_photos(tx, draft.secret, sent, now):
        return _ask_photos(draft, tx, errors)
    answers = replace(draft.answers, photos_asked=draft.answers.photos_asked or act != "add")
    return keep(tx, draft, answers, now, to=Step.PHOTOS if act == "add" else None)


def _ask_photos(draft: Writing, tx: ReadTx, errors: Mapping[str, str] | None = None) -> Response:
    shown: Photos = thumbnails(tx, draft)
    return templates.page(
        "report/photos.html", 422 if errors else 200, current="/report", errors=errors or {}, photos=shown
    )


@router.get("/photos/{reference}", response_class=FileResponse)
def show_photo(reference: str, draft: Shown, tx: Read, _: Anybody) -> Response:
    """A photo of the draft, to whoever writes it."""
    known = [] if draft.row is None else [one.reference for one in photos.of(tx, OfDraft(draft.row.hash))]
    if reference not in known:
        raise NotFound("There is no such photo.")
    return FileResponse(
        photo_files.path(reference, Copy.SMALL),
        media_type="image/jpeg",
        headers={"Content-Security-Policy": "sandbox"},
    )
