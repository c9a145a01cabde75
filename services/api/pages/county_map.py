"""The map of the county at /map: every public defect, the list that says the same, and both without scripts."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from math import log2
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from services.api import templates
from services.api.deps import PUBLIC, Asker, Now, Read, requires
from services.api.map_query import A_PAGE, FURTHEST_PAGE, SINCE, Asked, MapQuery, choices
from services.api.packing import packed
from shared.domain.policy import Policy
from shared.store import gazetteer, policies, references
from shared.store.engine import ReadTx
from shared.store.gazetteer import Place
from shared.store.read_models import map_list, photos
from shared.store.read_models.map_list import Listed, Page

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

ANYBODY = requires(PUBLIC)
ONE_ZOOM = 16.0
"""How near a single defect, a postcode or a spot is looked at."""


@dataclass(frozen=True, slots=True)
class View:
    """What the map begins with: a middle and a zoom, a box, or (all None) the whole county."""

    lat: float | None = None
    lon: float | None = None
    zoom: float | None = None
    box: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """A defect in the list, as it is read."""

    reference: str
    title: str
    where: str
    status: str
    label: str
    words: str
    away: str
    changed: str
    lat: float
    lon: float
    photo: str = ""


@router.get("/map")
def county_map(asked: Asked, request: Request, tx: Read, now: Now, _: Annotated[Asker, ANYBODY]) -> HTMLResponse:
    """The whole page. `near` is looked up; `defect` is a deep link to one."""
    policy = policies.in_force(tx, now).policy
    place, guesses = _sought(tx, asked.near)
    one = _one(tx, asked.defect)
    errors = _errors(asked, place, one)
    view = _view(asked, place, one)
    near = (view.lat, view.lon) if view.lat is not None and view.lon is not None else None
    found = map_list.listed(tx, asked.wanted(now), near, A_PAGE, (asked.page - 1) * A_PAGE)
    page = templates.page(
        "map.html",
        current="/map",
        errors=errors,
        asked=asked,
        view=view,
        choices=choices(),
        classes=_classes(policy),
        since=SINCE,
        place=place,
        guesses=guesses,
        chosen=None if one is None else _item(one, policy),
        **_list(asked, found, policy, ordered=near is not None),
    )
    return packed(page, request)


@router.get("/map/list")
def county_list(asked: Asked, request: Request, tx: Read, now: Now, _: Annotated[Asker, ANYBODY]) -> HTMLResponse:
    """The list alone, for a map that was moved; with `defect`, that one alone."""
    policy = policies.in_force(tx, now).policy
    if asked.defect:
        one = _one(tx, asked.defect)
        found = Page([] if one is None else [one], int(one is not None), False)
        shown = _list(asked, found, policy, ordered=False)
        if one is not None:
            shown["items"] = [replace(shown["items"][0], photo=_photo(tx, one))]
        return packed(templates.page("map_list.html", **shown), request)
    skip = (asked.page - 1) * A_PAGE
    found = map_list.listed(tx, asked.wanted(now), asked.point, A_PAGE, skip)
    page = templates.page("map_list.html", **_list(asked, found, policy, ordered=asked.point is not None))
    return packed(page, request)


def _sought(tx: ReadTx, near: str) -> tuple[Place | None, list[Place]]:
    """The place that is meant, and others that may be."""
    if len(near.strip()) < 2:
        return None, []
    found = gazetteer.find(tx, near, 6)
    return (found.places[0] if found.places else None), [*found.places[1:], *found.did_you_mean]


def _one(tx: ReadTx, reference: str) -> Listed | None:
    return map_list.one(tx, references.read(reference)) if reference else None


def _photo(tx: ReadTx, one: Listed) -> str:
    """The newest photo of it that everybody may see; "" where there is none."""
    found = photos.public_of_defect(tx, one.row.id)
    return str(found[-1].reference) if found else ""


def _errors(asked: MapQuery, place: Place | None, one: Listed | None) -> dict[str, str]:
    errors = {}
    if asked.near.strip() and place is None:
        errors["near"] = f"We know no street, place or postcode called “{asked.near.strip()}”. Check the spelling."
    if asked.defect and one is None:
        errors["near"] = (
            f"There is nothing on the map with the reference {asked.defect}. Check the letters and numbers."
        )
    return errors


def _view(asked: MapQuery, place: Place | None, one: Listed | None) -> View:
    if one is not None:
        return View(one.row.lat, one.row.lon, asked.z or ONE_ZOOM)
    if place is not None:
        zoom = ONE_ZOOM if place.box[0] == place.box[2] else round(min(ONE_ZOOM, _zoom_of(place.box)), 1)
        return View(place.lat, place.lon, zoom, None if place.box[0] == place.box[2] else place.box)
    return View(asked.lat, asked.lon, asked.z if asked.point else None)


def _zoom_of(box: tuple[float, float, float, float]) -> float:
    """The zoom at which a box is about as wide as a map in a page."""
    return log2(360 / max(box[2] - box[0], 1e-6))


def _classes(policy: Policy) -> list[tuple[str, str]]:
    return sorted(((code, rule.title) for code, rule in policy.classes.items()), key=lambda one: one[1])


def _list(asked: MapQuery, found: Page, policy: Policy, *, ordered: bool) -> dict[str, Any]:
    """What the list's template shows; `ordered` by the way from a place."""
    last = min(FURTHEST_PAGE, -(-found.count // A_PAGE)) if not found.many else FURTHEST_PAGE
    return {
        "items": [_item(one, policy) for one in found.found],
        "words": _counted(found, asked.page, ordered=ordered),
        "before": asked.address("/map", page=asked.page - 1) if asked.page > 1 else "",
        "after": asked.address("/map", page=asked.page + 1) if asked.page < last else "",
    }


def _counted(found: Page, page: int, *, ordered: bool) -> str:
    """What a screen reader hears when the list has changed."""
    if not found.found:
        return "No problems here that match."
    number = "1 problem" if found.count == 1 else f"{found.count:,} problems"
    number = f"More than {number}" if found.many else number
    if found.count == 1:
        return f"{number}."
    order = "nearest first" if ordered else "last changed first"
    if found.count <= len(found.found):
        return f"{number}, {order}."
    first = (page - 1) * A_PAGE + 1
    return f"{number}. This list has {first} to {first + len(found.found) - 1}, {order}."


def _item(one: Listed, policy: Policy) -> Item:
    row, rule = one.row, policy.classes.get(one.row.class_code)
    zone = ZoneInfo(policy.calendar.timezone)
    return Item(
        reference=row.reference,
        title=row.class_code if rule is None else rule.title,
        where=", ".join(part for part in (row.street, row.district) if part),
        status=one.status.code,
        label=one.status.label,
        words=one.status.words,
        away=_away(one.metres),
        changed=_day(row.updated_at, zone),
        lat=round(row.lat, 6),
        lon=round(row.lon, 6),
    )


def _away(metres: float | None) -> str:
    """A distance as people say it."""
    if metres is None:
        return ""
    if metres < 10:
        return "less than 10 metres away"
    if metres < 1000:
        return f"about {round(metres, -1):.0f} metres away"
    return f"about {metres / 1609.344:.1f} miles away"


def _day(at: datetime, zone: ZoneInfo) -> str:
    day: date = at.astimezone(zone).date()
    return f"{day.day} {day:%B %Y}"
