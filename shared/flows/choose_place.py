"""From what somebody typed to places that a report can be sent for: exact enough, with names that tell them apart.

A long street is offered by the roads that it meets, so that nobody has to say "somewhere on the A6"; a whole district
is not offered at all.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from shared.domain.place import Point
from shared.store import gazetteer, junctions, policies
from shared.store.engine import ReadTx
from shared.store.gazetteer import Found, Place

MOST = 40
"""A list of more is no help to anybody."""
JUNCTION_M = 50.0
"""What "near the junction" means."""
POSTCODE_M = 75.0
"""Half the width of most postcodes; in the country they are wider, and the pin or a house number tells more."""
TYPED_M = 10.0
"""Latitude and longitude that somebody typed come from a map or a telephone."""
_TWO_ROADS = re.compile(r"\s+(?:and|near|by|at|meets|junction with)\s+|\s*[&/]\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Choice:
    """One place to pick. `street` is that of a junction, and `met` the road that it meets there."""

    label: str
    point: Point
    street: str = ""
    met: str = ""


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be picked. `certain`: there is one, and nothing else can be meant.

    `did_you_mean`: nothing is called so, these are spelt alike. `too_wide` are names of what is called so and too large
    to send anybody to; `more`: there were more places than a list can hold.
    """

    places: Sequence[Choice]
    certain: bool = False
    did_you_mean: bool = False
    too_wide: Sequence[str] = ()
    more: bool = False

    @property
    def street(self) -> str:
        """The one street along which all of them lie; empty when they do not."""
        streets = {one.street for one in self.places}
        return streets.pop() if len(streets) == 1 else ""


def choices(tx: ReadTx, typed: str, now: datetime) -> Choices:
    """Places by what was typed: "PR1 2NL", "Fishergate", "A6 and Church Street", "53.7584, -2.7063"."""
    exact_m = policies.in_force(tx, now).policy.place.ask_accuracy_m
    street, _, other = _parted(typed)
    found = gazetteer.find(tx, street)
    listed = _listed(tx, found, other, exact_m)
    if not listed and other:
        found = gazetteer.find(tx, typed)
        listed = _listed(tx, found, "", exact_m)
    wide = [one.label for one in found.places if _is_wide(one)]
    certain = len(listed) == 1 and len(found.places) == 1
    return Choices(listed[:MOST], certain, bool(found.did_you_mean), wide, len(listed) > MOST)


def _parted(typed: str) -> tuple[str, str, str]:
    """ "A6 and Church Street" as the street and the road that it meets."""
    parts = _TWO_ROADS.split(typed.strip(), maxsplit=1)
    return (parts[0], "and", parts[1]) if len(parts) == 2 and all(parts) else (typed, "", "")


def _listed(tx: ReadTx, found: Found, other: str, exact_m: float) -> list[Choice]:
    places = found.places or found.did_you_mean
    each = (one for place in places for one in _of(tx, place, other.lower(), exact_m))
    return list(islice(each, MOST + 1))


def _of(tx: ReadTx, place: Place, other: str, exact_m: float) -> Iterator[Choice]:
    if place.kind == "street":
        yield from _along(tx, place, other, exact_m)
    elif place.kind == "postcode":
        yield Choice(place.label, Point(place.lat, place.lon, min(POSTCODE_M, exact_m)))
    elif place.kind == "point":
        yield Choice(place.label, Point(place.lat, place.lon, TYPED_M))


def _along(tx: ReadTx, place: Place, other: str, exact_m: float) -> Iterator[Choice]:
    """A street as one place if it is short; else by the roads that it meets, or by those that were typed with it."""
    whole = junctions.extent(tx, place.key)
    if whole is not None and whole.radius_m <= exact_m and not other:
        yield Choice(place.label, Point(whole.lat, whole.lon, max(1.0, round(whole.radius_m))))
        return
    near = min(JUNCTION_M, exact_m)
    for met in junctions.along(tx, place.key):
        if met.name.lower().startswith(other):
            label = f"{place.label}: near the junction with {met.name}"
            yield Choice(label, Point(met.lat, met.lon, near), place.label, met.name)


def _is_wide(place: Place) -> bool:
    return place.kind not in ("street", "postcode", "point")
