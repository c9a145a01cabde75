"""The report's first pages: is anyone in danger, where is it, whose is it, is it one of these?"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from math import isfinite
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query
from starlette.responses import HTMLResponse, Response

from services.api import templates
from services.api.deps import PUBLIC, Asker, Now, Read, Write, requires
from services.api.drafts import Changed, Shown, Writing, cleaned, go, keep
from services.api.report_words import near_cards
from shared.domain.drafts import Answers, Place, Step, may_show, next_step
from shared.domain.place import Point
from shared.domain.terms import OPEN_DEFECT
from shared.errors import Invalid, NotFound
from shared.flows import choose_place, name_place
from shared.flows.choose_place import Choices
from shared.flows.name_place import PlaceRefused, PlaceUnclear, Seen
from shared.store import policies
from shared.store.engine import ReadTx

router = APIRouter(prefix="/report", include_in_schema=False, default_response_class=HTMLResponse)

Anybody = Annotated[Asker, requires(PUBLIC)]
Typed = Annotated[str, Form()]
PIN_M = 5.0
"""How well a pin that somebody put, or moved, says where it is."""
MOST_TYPED = 200


# --- danger ----------------------------------------------------------------------------------------------------------


@router.get("")
def start(
    draft: Shown,
    _: Anybody,
    again: Annotated[str, Query(max_length=40)] = "",
    same: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """Is anyone in danger now? `again` and `same`: the defect whose repair failed, or that was seen, from its page."""
    return _start(draft, {"again": again, "same": same})


@router.post("")
def answer_start(
    draft: Changed,
    tx: Write,
    now: Now,
    _: Anybody,
    danger: Typed = "",
    again: Typed = "",
    same: Typed = "",
    begin: Typed = "",
) -> Response:
    """Begin a report, or answer the first question anew. `begin`: asked where an unfinished one is not known."""
    if begin and draft.answers.place is not None:
        return go(Step.START)
    if danger not in ("yes", "no"):
        told = {"again": again, "same": same}
        return _start(draft, told, {"danger": "Select yes if somebody may be hurt before we can come"})
    answers = replace(draft.answers, danger=danger == "yes")
    if written := again or same:
        answers = _of_defect(tx, answers, cleaned(written, 40), now)
    return keep(tx, draft, answers, now)


def _start(draft: Writing, told: Mapping[str, str], errors: Mapping[str, str] | None = None) -> Response:
    return templates.page(
        "report/start.html",
        422 if errors else 200,
        current="/report",
        errors=errors or {},
        danger=draft.answers.danger,
        unfinished=draft.answers.place is not None,
        goes_on=next_step(draft.answers),
        **told,
    )


def _of_defect(tx: ReadTx, answers: Answers, written: str, now: datetime) -> Answers:
    """What somebody who came from the page of a defect need not be asked again.

    Raises:
        NotFound: there is no such defect.
    """
    seen = name_place.the_defect(tx, written)
    return told_of(tx, answers, seen, _place_of(tx, seen, now), now)


def _place_of(tx: ReadTx, seen: Seen, now: datetime) -> Place:
    return name_place.name_place(tx, seen.at, now)


def told_of(tx: ReadTx, answers: Answers, seen: Seen, place: Place, now: datetime) -> Answers:
    """An open defect is "it is this one"; a finished repair has failed again, and its report lies at its patch."""
    if seen.state in OPEN_DEFECT:
        return replace(answers, place=place, same_as=seen.reference, again=None, looked=True)
    rule = policies.in_force(tx, now).policy.classes.get(seen.class_code)
    kind = seen.class_code if rule is not None and rule.public else None
    return replace(answers, place=place, again=seen.reference, same_as=None, looked=True, class_code=kind)


# --- where -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Where:
    """What the page of the place shows: what was typed or came with the link, and what can be picked."""

    q: str = ""
    landmark: str = ""
    pick: str = ""
    point: Point | None = None
    found: Choices | None = None


@router.get("/where")
def where(
    draft: Shown,
    tx: Read,
    now: Now,
    _: Anybody,
    q: Annotated[str, Query(max_length=MOST_TYPED)] = "",
    landmark: Annotated[str, Query(max_length=MOST_TYPED)] = "",
    lat: Annotated[float | None, Query(ge=-90, le=90, allow_inf_nan=False)] = None,
    lon: Annotated[float | None, Query(ge=-180, le=180, allow_inf_nan=False)] = None,
) -> Response:
    """Where is it? Also with what can be picked (`q`), or with a pin that came from the map (`lat`, `lon`)."""
    if lat is not None and lon is not None:
        return _ask_where(draft, _Where(point=Point(lat, lon, PIN_M)))
    if not cleaned(q, MOST_TYPED):
        return _ask_where(draft, _Where())
    found = choose_place.choices(tx, q, now)
    return _ask_where(draft, _Where(q, landmark, found=found), _nothing_found(q, found), status=200)


def _nothing_found(q: str, found: Choices) -> Mapping[str, str]:
    if found.places:
        return {}
    if found.too_wide:
        return {"q": f"{found.too_wide[0]} is too large to find it in. Add a street, such as “High Street, {q}”"}
    return {"q": f"We do not know a place called “{q}”. Check the spelling, or try a postcode or a street nearby"}


@router.post("/where")
def answer_where(
    draft: Changed,
    tx: Write,
    now: Now,
    _: Anybody,
    q: Typed = "",
    landmark: Typed = "",
    pick: Typed = "",
    lat: Typed = "",
    lon: Typed = "",
    accuracy: Typed = "",
    act: Typed = "",
) -> Response:
    """Take what was picked, else what was typed, else the pin: straight on where nothing else can be meant."""
    told = _Where(cleaned(q, MOST_TYPED), cleaned(landmark, MOST_TYPED), pick)
    picked = _read_point(*pick.split(",")) if pick and act != "find" else None
    point = picked or (None if told.q else _read_point(lat, lon, accuracy))
    if point is None and told.q:
        found = choose_place.choices(tx, told.q, now)
        if not found.certain:
            return go(Step.WHERE, "?" + urlencode({"q": told.q, "landmark": told.landmark}))
        point = found.places[0].point
    if point is None:
        return _ask_where(draft, told, {"q": "Enter a street, a place or a postcode"})
    return _placed(draft, tx, now, point, told)


def _placed(draft: Writing, tx: Write, now: datetime, point: Point, told: _Where) -> Response:
    try:
        place = name_place.name_place(tx, point, now, landmark=told.landmark)
    except (PlaceUnclear, PlaceRefused) as refused:
        return _ask_where(draft, replace(told, point=point), {"q": refused.detail})
    return keep(tx, draft, put(tx, draft.answers, place, now), now)


def put(tx: ReadTx, answers: Answers, place: Place, now: datetime) -> Answers:
    """The answers with another place: what is near it is asked anew, unless nothing is."""
    looked = not name_place.around(tx, place, now).near
    return replace(answers, place=place, looked=looked, same_as=None, again=None, carry_on=False)


def _read_point(lat: str = "", lon: str = "", accuracy: str = "", *more: str) -> Point | None:
    """None where there is none. One that cannot be, off the globe too, is not one."""
    del more
    try:
        point = Point(float(lat), float(lon), float(accuracy or PIN_M))
    except ValueError:
        return None
    fits = isfinite(point.accuracy_m) and abs(point.lat) <= 90 and abs(point.lon) <= 180
    return replace(point, accuracy_m=max(1.0, point.accuracy_m)) if fits else None


def _ask_where(
    draft: Writing, told: _Where, errors: Mapping[str, str] | None = None, *, status: int | None = None
) -> Response:
    return templates.page(
        "report/where.html",
        status or (422 if errors else 200),
        current="/report",
        errors=errors or {},
        told=told,
        place=draft.answers.place,
        danger=draft.answers.danger,
    )


# --- whose -----------------------------------------------------------------------------------------------------------


@router.get("/elsewhere")
def elsewhere(draft: Shown, _: Anybody) -> Response:
    """It is another's: whose, and how to reach them."""
    if draft.answers.place is None or draft.answers.place.whose is None:
        return go(next_step(draft.answers))
    return templates.page("report/elsewhere.html", current="/report", place=draft.answers.place)


@router.post("/elsewhere")
def carry_on(draft: Changed, tx: Write, now: Now, _: Anybody) -> Response:
    """Tell us all the same."""
    return keep(tx, draft, replace(draft.answers, carry_on=True), now)


# --- is it one of these? ---------------------------------------------------------------------------------------------


@router.get("/nearby")
def nearby(draft: Shown, tx: Read, now: Now, _: Anybody) -> Response:
    """Up to five defects and repairs that it may be."""
    place = draft.answers.place
    if place is None or not may_show(draft.answers, Step.NEARBY):
        return go(next_step(draft.answers))
    around = name_place.around(tx, place, now)
    titles = policies.in_force(tx, now).policy
    return templates.page(
        "report/nearby.html", current="/report", place=place, cards=near_cards(around, titles, now), errors={}
    )


@router.post("/nearby")
def answer_nearby(draft: Changed, tx: Write, now: Now, _: Anybody, choice: Typed = "") -> Response:
    """It is this one, it has failed again, or it is none of these."""
    kind, reference = choice.partition(":")[::2]
    place = draft.answers.place
    if place is None:
        return go(next_step(draft.answers))
    if kind not in ("same", "again"):
        return keep(tx, draft, replace(draft.answers, looked=True, same_as=None, again=None), now)
    try:
        seen = name_place.the_defect(tx, cleaned(reference, 40))
    except (NotFound, Invalid):
        return go(Step.NEARBY)
    at = place if seen.state in OPEN_DEFECT else _place_of(tx, seen, now)
    return keep(tx, draft, told_of(tx, draft.answers, seen, at, now), now)
