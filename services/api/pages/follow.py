"""Follow a place: it is found by what is typed, and chosen with how often; an e-mail then asks to confirm it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import orjson
from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import Response

from services.api import templates
from services.api.deps import PUBLIC, Asker, Now, Read, Write, requires
from services.api.rate import FollowLimit
from services.api.schemas import Words
from shared.errors import Invalid, NotFound
from shared.flows import follow_place
from shared.flows.follow_place import Rhythm
from shared.store import gazetteer, network
from shared.store.engine import ReadTx, WriteTx
from shared.store.gazetteer import Place
from shared.store.read_models import followable

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

RADII = {250: "250 metres", 500: "500 metres", 1000: "1 kilometre", 2000: "2 kilometres", 5000: "5 kilometres"}
RHYTHMS: Mapping[str, tuple[str, str]] = {
    Rhythm.INSTANT: ("As it happens", "An email soon after each step"),
    Rhythm.DAILY: ("Every day", "At 7am, if something happened"),
    Rhythm.WEEKLY: ("Every week", "On Monday at 7am, if something happened"),
}
_KINDS = {"street": "street", "postcode": "postcode", "district": "area", "division": "area", "ward": "area"}
CHOOSE = "Choose what you want to follow"

Anybody = Annotated[Asker, requires(PUBLIC)]
Field = Annotated[Words, Form(max_length=300)]
"""A field of a form."""


@dataclass(frozen=True)
class Asked:
    """The form as it was filled in. `place` is street:KEY, area:CODE, postcode:PR18XJ, defect:D-… or shape."""

    q: str = ""
    place: str = ""
    radius: str = "1000"
    rhythm: str = Rhythm.INSTANT
    email: str = ""
    shape: str = ""

    @property
    def key(self) -> str:
        return self.place.partition(":")[2]


@router.get("/follow")
def search(
    tx: Read,
    _: Anybody,
    q: Annotated[Words, Query(max_length=100)] = "",
    defect: Annotated[Words, Query(max_length=20)] = "",
) -> HTMLResponse:
    """What is to be followed: a place that is typed, or the defect that a link came from."""
    return _page(tx, Asked(q=q, place=f"defect:{defect}" if defect else ""))


@router.get("/follow/draw")
def draw(_: Anybody) -> HTMLResponse:
    """Draw an area on a map; without scripts the page says what else there is."""
    return _drawing(Asked(place="shape"), {})


@router.post("/follow")
def ask(
    tx: Write,
    now: Now,
    _: Anybody,
    limit: FollowLimit,
    place: Field = "",
    radius: Field = "1000",
    rhythm: Field = Rhythm.INSTANT,
    email: Field = "",
    q: Field = "",
    shape: Annotated[str, Form(max_length=20_000)] = "",
) -> Response:
    """Whoever fills it in is told to look into the mail, whether the address follows it already or not."""
    del limit
    asked = Asked(q, place, radius, rhythm, email, shape)
    try:
        _follow(tx, asked, now)
    except Invalid as no:
        wrong = {_FIELDS.get(name, name): _sentence(why, no) for name, why in no.errors.items()}
        return _drawing(asked, wrong) if asked.place == "shape" else _page(tx, asked, wrong)
    return RedirectResponse("/follow/sent", 303)


def _sentence(why: str, no: Invalid) -> str:
    """A field's own words where they are a sentence; else what the refusal says."""
    return why if why[:1].isupper() else no.detail


def _follow(tx: WriteTx, asked: Asked, now: datetime) -> None:
    """Raises:
    Invalid: something is missing or wrong, by field.
    """
    act = _ACTS.get(asked.place.partition(":")[0])
    if act is None:
        raise Invalid(CHOOSE, {"place": CHOOSE})
    if asked.rhythm not in RHYTHMS:
        raise Invalid("Choose how often.", {"rhythm": "Choose how often we write to you"})
    try:
        act(tx, asked, now)
    except NotFound:
        raise Invalid(CHOOSE, {"place": CHOOSE}) from None


def _street(tx: WriteTx, asked: Asked, now: datetime) -> None:
    follow_place.follow_street(tx, asked.key, email=asked.email, rhythm=Rhythm(asked.rhythm), now=now)


def _area(tx: WriteTx, asked: Asked, now: datetime) -> None:
    follow_place.follow_area(tx, asked.key, email=asked.email, rhythm=Rhythm(asked.rhythm), now=now)


def _postcode(tx: WriteTx, asked: Asked, now: datetime) -> None:
    found = network.postcode_at(tx, asked.key)
    if found is None or asked.radius not in map(str, RADII):
        raise NotFound(CHOOSE)
    where = (found.name, found.lat, found.lon, float(asked.radius))
    follow_place.follow_circle(tx, *where, email=asked.email, rhythm=Rhythm(asked.rhythm), now=now)


def _defect(tx: WriteTx, asked: Asked, now: datetime) -> None:
    found = followable.defect_named(tx, asked.key)
    if found is None:
        raise NotFound(CHOOSE)
    follow_place.follow_defect(tx, found.id, email=asked.email, rhythm=Rhythm(asked.rhythm), now=now)


def _shape(tx: WriteTx, asked: Asked, now: datetime) -> None:
    corners = _corners(asked.shape)
    follow_place.follow_shape(tx, corners, email=asked.email, rhythm=Rhythm(asked.rhythm), now=now)


def _corners(written: str) -> list[tuple[float, float]]:
    """The outer ring of a GeoJSON polygon.

    Raises:
        Invalid: it is none.
    """
    try:
        told = orjson.loads(written)
        return [(float(lon), float(lat)) for lon, lat, *_ in told["coordinates"][0]]
    except (orjson.JSONDecodeError, KeyError, IndexError, TypeError, ValueError):
        raise Invalid("Draw an area on the map.", {"place": "Draw an area on the map"}) from None


_ACTS: Mapping[str, Callable[[WriteTx, Asked, datetime], None]] = {
    "street": _street,
    "area": _area,
    "postcode": _postcode,
    "defect": _defect,
    "shape": _shape,
}


_FIELDS = {"radius": "place", "shape": "place"}
"""Where the form shows what is wrong with these."""


@router.get("/follow/sent")
def sent(_: Anybody) -> HTMLResponse:
    """Look into your mail."""
    return templates.page("follow_sent.html", current="/follow")


# --- the form --------------------------------------------------------------------------------------------------------


def _page(tx: ReadTx, asked: Asked, errors: Mapping[str, str] | None = None) -> HTMLResponse:
    typed = asked.q.strip()
    found = gazetteer.find(tx, typed) if typed else None
    choices = [_choice(one) for one in (found.places or found.did_you_mean) if one.kind in _KINDS] if found else []
    wrong = dict(errors or {})
    if typed and not choices:
        wrong["q"] = f"We found nothing that is called “{typed}”. Try a postcode, or another spelling."
    known = followable.defect_named(tx, asked.key) if asked.place.startswith("defect:") else None
    return templates.page(
        "follow.html",
        status=422 if errors else 200,
        current="/follow",
        errors=wrong,
        asked=asked,
        choices=choices,
        guessed=bool(found and not found.places and choices),
        defect=known,
        radii=RADII,
        rhythms=RHYTHMS,
    )


def _drawing(asked: Asked, errors: Mapping[str, str]) -> HTMLResponse:
    known = {"current": "/follow", "asked": asked, "rhythms": RHYTHMS, "errors": errors}
    return templates.page("follow_draw.html", status=422 if errors else 200, **known)


def _choice(one: Place) -> dict[str, str]:
    """A place as the form lists it, and its feed."""
    kind = _KINDS[one.kind]
    hint = {"street": "Street", "postcode": "What is near this postcode"}.get(one.kind, one.kind.capitalize())
    return {"value": f"{kind}:{one.key}", "text": one.label, "hint": hint, "feed": f"{kind}={one.key}"}
