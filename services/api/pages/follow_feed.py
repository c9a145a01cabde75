"""Feeds for feed readers (Atom, RFC 4287): news of a defect, a report, a street, an area or a postcode.

Public facts only, without an account. An answer is the same for everybody and holds for five minutes.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Annotated
from urllib.parse import urlencode, urlsplit
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from services.api.deps import PUBLIC, Asker, Now, Read, requires
from services.api.schemas import Words
from shared.domain.follows import Kind
from shared.domain.telling import headline
from shared.errors import Invalid, NotFound
from shared.settings import settings
from shared.store import news, policies
from shared.store.engine import ReadTx
from shared.store.follows import Subject
from shared.store.news import Entry
from shared.store.read_models import followable

router = APIRouter(include_in_schema=False)

ATOM = "http://www.w3.org/2005/Atom"
GEORSS = "http://www.georss.org/georss"
DAYS = 30
MOST = 100
HOLDS_SECONDS = 300
FIRST_DAY = "2026"
"""Of our names for entries, as tag URIs want it (RFC 4151)."""

register_namespace("", ATOM)
register_namespace("georss", GEORSS)
Name = Annotated[Words, Query(max_length=200)]


@router.get("/follow/feed.atom")
def feed(
    request: Request,
    tx: Read,
    now: Now,
    _: Annotated[Asker, requires(PUBLIC)],
    street: Name = "",
    area: Name = "",
    postcode: Name = "",
    radius: Annotated[int, Query(ge=50, le=20_000)] = 1000,
    defect: Name = "",
    report: Name = "",
) -> Response:
    """What happened in the last 30 days, the newest first."""
    asked = {"street": street, "area": area, "postcode": postcode, "defect": defect, "report": report}
    given = {name: value for name, value in asked.items() if value.strip()}
    place = _place(tx, given, radius)
    # In steps of the time that an answer holds, so that it is the same for all who ask meanwhile.
    until = datetime.fromtimestamp(now.timestamp() // HOLDS_SECONDS * HOLDS_SECONDS, UTC)
    happened = news.of_place(tx, place, until - timedelta(days=DAYS), now, MOST)
    entries = [(one, words) for one in happened if (words := headline(one.kind, one.after, one.clock)) is not None]
    titles = {code: kind.title for code, kind in policies.in_force(tx, now).policy.classes.items()}
    query = urlencode(given | ({"radius": str(radius)} if postcode else {}))
    return _answer(request, _written(place, entries, titles, query), entries)


def _place(tx: ReadTx, given: Mapping[str, str], radius: int) -> Subject:
    """Raises:
    Invalid: not exactly one thing is named.
    NotFound: there is no such thing.
    """
    if len(given) != 1:
        raise Invalid("Name one of: street, area, postcode, defect, report.")
    ((name, value),) = given.items()
    found = followable.near_postcode(tx, value, radius) if name == "postcode" else _FOUND[name](tx, value)
    if found is None:
        raise NotFound(f"There is no {name} of this name.")
    return found


_FOUND: Mapping[str, Callable[[ReadTx, str], Subject | None]] = {
    "street": followable.the_street,
    "area": followable.the_area,
    "defect": followable.the_defect,
    "report": followable.of_report,
}


def _answer(request: Request, body: bytes, entries: Sequence[tuple[Entry, str]]) -> Response:
    tag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
    headers = {"ETag": tag, "Cache-Control": f"public, max-age={HOLDS_SECONDS}"}
    if entries:
        headers["Last-Modified"] = format_datetime(entries[0][0].at.astimezone(UTC), usegmt=True)
    if _is_known(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/atom+xml; charset=utf-8")


def _is_known(request: Request, tag: str) -> bool:
    known = request.headers.get("if-none-match", "")
    return tag in [one.strip().removeprefix("W/") for one in known.split(",")]


# --- as RFC 4287 wants it --------------------------------------------------------------------------------------------


def _written(place: Subject, entries: Sequence[tuple[Entry, str]], titles: Mapping[str, str], query: str) -> bytes:
    url = settings().public_url
    made = Element(f"{{{ATOM}}}feed", {"{http://www.w3.org/XML/1998/namespace}lang": "en-GB"})
    _text(made, "id", f"{url}/follow/feed.atom?{query}")
    _text(made, "title", f"Road defects: {place.name}" if place.kind is not Kind.DEFECT else place.name)
    # A feed without entries has been so since we began: a time of now would make it new at each look.
    _text(made, "updated", _iso(entries[0][0].at) if entries else f"{FIRST_DAY}-01-01T00:00:00Z")
    _link(made, "self", f"{url}/follow/feed.atom?{query}", "application/atom+xml")
    _link(made, "alternate", f"{url}/map", "text/html")
    _text(SubElement(made, f"{{{ATOM}}}author"), "name", "Roadmend")
    for one, words in entries:
        _entry(made, one, words, titles)
    return ('<?xml version="1.0" encoding="utf-8"?>\n' + tostring(made, encoding="unicode")).encode()


def _entry(made: Element, one: Entry, words: str, titles: Mapping[str, str]) -> None:
    url = settings().public_url
    what = titles.get(one.class_code, "Defect") + (f" on {one.street}" if one.street else "")
    entry = SubElement(made, f"{{{ATOM}}}entry")
    _text(entry, "id", f"tag:{urlsplit(url).hostname},{FIRST_DAY}:{one.defect}/{one.event_id}")
    _text(entry, "title", f"{what}: {words}")
    _text(entry, "updated", _iso(one.at))
    _text(entry, "published", _iso(one.at))
    _link(entry, "alternate", f"{url}/defects/{one.defect}", "text/html")
    _text(entry, "summary", f"{what} ({one.defect}). {words}")
    SubElement(entry, f"{{{GEORSS}}}point").text = f"{one.lat:.6f} {one.lon:.6f}"


def _text(parent: Element, name: str, words: str) -> None:
    SubElement(parent, f"{{{ATOM}}}{name}").text = words


def _link(parent: Element, rel: str, href: str, kind: str) -> None:
    SubElement(parent, f"{{{ATOM}}}link", {"rel": rel, "href": href, "type": kind})


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
