"""The report's last pages: check the answers and send them, or say that it is this one; then what happens next."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form
from starlette.responses import HTMLResponse, Response

from services.api import templates
from services.api.dates import Dates
from services.api.deps import PUBLIC, Asker, Now, Read, Write, requires
from services.api.draft_photos import SentPhotos, take_photos, taken_at, thumbnails
from services.api.drafts import PATH, Changed, Shown, Writing, go, go_done, keep
from services.api.pages.report_place import put
from services.api.report_contact import NOTHING, Given, count_reporter, count_sending, read
from services.api.report_words import near_cards
from services.api.turns import PhotoTurn
from shared.domain.drafts import LINK_TERM, Step, next_step
from shared.domain.sizes import SIZES
from shared.flows import name_place, send_draft
from shared.flows.name_place import Around, PlaceRefused, PlaceUnclear
from shared.flows.pass_by import NotOpenAnyMore
from shared.flows.receive_report import tracking_secret
from shared.flows.send_draft import NotFinished, TooQuick
from shared.flows.write_draft import DraftGone
from shared.settings import settings
from shared.store import photos, policies
from shared.store.engine import ReadTx
from shared.store.photos import OfDraft
from shared.store.read_models import sent

router = APIRouter(prefix=PATH, include_in_schema=False, default_response_class=HTMLResponse)

Anybody = Annotated[Asker, requires(PUBLIC)]
Typed = Annotated[str, Form()]
SendLimit = Annotated[None, Depends(count_sending)]


def _given(name: Typed = "", email: Typed = "", phone: Typed = "", website: Typed = "") -> Given:
    return read(name, email, phone, website)


Contact = Annotated[Given, Depends(_given)]


# --- check and send --------------------------------------------------------------------------------------------------


@router.get("/check")
def check(draft: Shown, tx: Read, now: Now, _: Anybody) -> Response:
    """All answers, each to be changed; and how to be reached, which is asked last and kept with no draft."""
    if draft.is_sent:
        return go_done(draft)
    if next_step(draft.answers) is not Step.CHECK:
        return go(next_step(draft.answers))
    return _ask_check(draft, tx, now, NOTHING)


@router.post("/check")
def send(draft: Changed, tx: Write, now: Now, _: Anybody, _limit: SendLimit, given: Contact) -> Response:
    """Send it. Pressed twice, it is one report, and both are told the same reference."""
    if draft.is_sent:
        return go_done(draft)
    if next_step(draft.answers) is not Step.CHECK:
        return go(next_step(draft.answers))
    if given.errors:
        return _ask_check(draft, tx, now, given, given.errors)
    return _sent(draft, tx, now, given) or _ask_check(draft, tx, now, given, _QUICK)


_QUICK = {"send": "That was very quick. Check your answers, then send them again"}


def _sent(draft: Writing, tx: Write, now: datetime, given: Given) -> Response | None:
    """To the last page, or to what is still open; None: it came too quickly, and is to be sent again."""
    count_reporter(given.contact)
    try:
        send_draft.send(tx, draft.secret or "", given.contact, now)
    except TooQuick:
        return None
    except (DraftGone, NotFinished, NotOpenAnyMore):
        return go(next_step(replace(draft.answers, same_as=None)))
    except (PlaceUnclear, PlaceRefused):
        return go(Step.WHERE)
    return go_done(draft)


def _ask_check(
    draft: Writing, tx: ReadTx, now: datetime, given: Given, errors: Mapping[str, str] | None = None
) -> Response:
    answers, policy = draft.answers, policies.in_force(tx, now).policy
    rule = policy.classes.get(answers.class_code or "")
    return templates.page(
        "report/check.html",
        422 if errors else 200,
        current=PATH,
        errors=errors or {},
        answers=answers,
        title=rule.title if rule else "",
        size=SIZES.get(answers.size or "", ""),
        photos=thumbnails(tx, draft),
        given=given,
        months=policy.retention.contact.count,
    )


@router.post("/place")
def use_place_of_photo(draft: Changed, tx: Write, now: Now, _: Anybody, photo: Typed = "") -> Response:
    """Put the pin where a photo says that it was taken."""
    rows = [] if draft.row is None else photos.of(tx, OfDraft(draft.row.hash))
    point = next((taken_at(row) for row in rows if row.reference == photo), None)
    if point is None or draft.is_sent:
        return go(next_step(draft.answers))
    try:
        place = name_place.name_place(tx, point, now)
    except (PlaceUnclear, PlaceRefused):
        return go(Step.WHERE, f"?lat={point.lat:.6f}&lon={point.lon:.6f}")
    return keep(tx, draft, put(tx, draft.answers, place, now), now)


# --- it is this one --------------------------------------------------------------------------------------------------


@router.get("/same")
def same(draft: Shown, tx: Read, now: Now, _: Anybody) -> Response:
    """That's it: with photos, and with an address to be told the news of it."""
    if draft.is_sent:
        return go_done(draft)
    if next_step(draft.answers) is not Step.SAME:
        return go(next_step(draft.answers))
    return _ask_same(draft, tx, now, NOTHING)


@router.post("/same")
def send_same(
    _limit: SendLimit,
    sent: SentPhotos,
    _turn: PhotoTurn,
    draft: Changed,
    tx: Write,
    now: Now,
    _: Anybody,
    given: Contact,
) -> Response:
    """Add a sighting to it, and no second report."""
    if draft.is_sent:
        return go_done(draft)
    if draft.secret is None or next_step(draft.answers) is not Step.SAME:
        return go(next_step(draft.answers))
    wrong = {**take_photos(tx, draft.secret, sent, now), **given.errors}
    if wrong:
        return _ask_same(draft, tx, now, given, wrong)
    return _sent(draft, tx, now, given) or _ask_same(draft, tx, now, given, _QUICK)


def _ask_same(
    draft: Writing, tx: ReadTx, now: datetime, given: Given, errors: Mapping[str, str] | None = None
) -> Response:
    return templates.page(
        "report/same.html",
        422 if errors else 200,
        current=PATH,
        errors=errors or {},
        answers=draft.answers,
        card=_card(draft, tx, now),
        photos=thumbnails(tx, draft),
        given=given,
    )


def _card(draft: Writing, tx: ReadTx, now: datetime) -> Any:
    """The defect that it is, as it was shown; None when it is not shown near the place (it came with a link)."""
    place = draft.answers.place
    around = name_place.around(tx, place, now) if place else Around((), None)
    cards = near_cards(around, policies.in_force(tx, now).policy, now)
    return next((one for one in cards if one.reference == draft.answers.same_as), None)


# --- done ------------------------------------------------------------------------------------------------------------


@router.get("/done")
def done(draft: Shown, tx: Read, now: Now, _: Anybody) -> Response:
    """The reference, what happens next and by when, and for a while the link to follow it."""
    if draft.row is None or not draft.row.is_sent:
        return go(next_step(draft.answers))
    dates = Dates(policies.in_force(tx, now).policy.calendar.timezone)
    if draft.row.sighting_id is not None:
        seen = sent.sent_sighting(tx, draft.row.sighting_id)
        look_by = dates.by(seen.look_by) if seen.look_by and seen.look_by > now else None
        return templates.page(
            "report/done_same.html", current=PATH, seen=seen, look_by=look_by, news=draft.row.answers.news
        )
    assert draft.row.report_id is not None  # noqa: S101 - it was sent
    told = sent.sent_report(tx, draft.row.report_id)
    shows_link = now - draft.row.updated_at < LINK_TERM
    return templates.page(
        "report/done.html",
        current=PATH,
        report=told,
        place=draft.row.answers.place,
        again=draft.row.answers.again,
        news=draft.row.answers.news,
        look_by=dates.by(told.look_by),
        link=_link(told.reference) if shows_link else None,
    )


def _link(reference: str) -> str:
    return f"{settings().public_url}/reports/{reference}?token={tracking_secret(reference)}"
