"""The gazetteer: streets, areas and postcodes by what people type, and what a spot on the map is called."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Row, TextClause, text

from shared.domain import sought
from shared.domain.place import Located
from shared.domain.sought import Sought
from shared.domain.spots import Spot, side_of
from shared.store.engine import ReadTx
from shared.store.network import area_of_use
from shared.store.tables import GRID

LOOKS = 2000
"""Pieces of streets that one look at the index of names brings up at most."""
LEAST_ALIKE = 0.34
"""Of the three-letter pieces of what was typed, the share that a name must have to be meant perhaps."""
LEAST_ALIKE_AREA = 0.6
"""There are few areas, so that one is a little like anything."""
MOST_AREAS = 3
"""Areas before the streets whose name begins so too; areas of just that name come first of all."""


@dataclass(frozen=True, slots=True)
class Place:
    """One place that is called so.

    `kind`: street, postcode, postcodes (an outward half such as PR1, or PR1 8), point (a position that was typed), or
    the kind of an area: district, division, ward, authority. `key` names it to other functions: a street's
    `street_key`, an area's code, a postcode without its space; "" for a point. `lat` and `lon` lie on the street, in
    the area, at the postcode. `box` is west, south, east, north in degrees of WGS 84, around all of it; a postcode
    and a point have none wider than themselves. `area` is the district (elsewhere the authority; for a ward or a
    division the area above it), `locality` the ward or else the division: they tell one Church Street from another.
    """

    kind: str
    name: str
    key: str
    lat: float
    lon: float
    box: tuple[float, float, float, float]
    area: str | None = None
    locality: str | None = None

    @property
    def label(self) -> str:
        """The name with where it is: "Church Street, Leyland Central, South Ribble"."""
        parts = (self.name, self.locality, self.area)
        return ", ".join(dict.fromkeys(part for part in parts if part))


@dataclass(frozen=True, slots=True)
class Found:
    """`places` are called so, the likeliest first. `did_you_mean`: only where there are none, what is called alike."""

    places: list[Place]
    did_you_mean: list[Place]


def _sql(name: str) -> str:
    return (Path(__file__).parent / "sql" / f"{name}.sql").read_text()


def _of_streets(name: str, order: str) -> TextClause:
    return text(_sql(name) + _sql("drawn_street").replace("{order}", order))


_STREETS = _of_streets("find_streets", "rank, chosen.name")
_ALIKE = _of_streets("find_alike_streets", "likeness DESC")
_AREAS, _POSTCODES = text(_sql("find_areas")), text(_sql("find_postcodes"))
_THRESHOLD = text("SELECT set_config('pg_trgm.word_similarity_threshold', :least, true)")


def find(tx: ReadTx, typed: str, limit: int = 10) -> Found:
    """Places by what was typed: "PR1 2NL", "pr1", "12 fishergate", "High St, Chorley", "Preston", "53.76, -2.70".

    At most `limit` of either kind; `limit` is 1 or more.
    """
    tx.plan_for_values()
    meant = sought.read(typed)
    places = _called(tx, meant, limit)
    if places:
        return Found(places[:limit], [])
    return Found([], _alike(tx, meant, limit)[:limit])


def _called(tx: ReadTx, meant: Sought, most: int) -> list[Place]:
    """What is called so. Street and place apart ("High Street Chorley") only where nothing has the whole name."""
    places = [*_point(meant), *_postcodes(tx, meant, most)]
    if len(meant.name) < 2 or meant.postcode:
        return places
    named = _by_name(tx, meant.name, most)
    for street, place in meant.names if not named else ():
        named = _streets(tx, street, place, most)
        if named:
            break
    return places + named


def _by_name(tx: ReadTx, name: str, most: int) -> list[Place]:
    """Those of just that name first, areas before streets; then those whose name begins so, or has such a word."""
    areas = list(tx.execute(_AREAS, {**_asked(name, MOST_AREAS), "core": "", "least": LEAST_ALIKE}))
    streets = list(tx.execute(_STREETS, {**_asked(name, most), "place": "", "in_place": ""}))
    rows = [(row.rank, number, _place(row, kind)) for number, (row, kind) in enumerate(_in_turn(areas, streets))]
    return [place for _, _, place in sorted(rows, key=lambda one: one[:2])]


def _in_turn(areas: list[Row[Any]], streets: list[Row[Any]]) -> Iterator[tuple[Row[Any], str]]:
    yield from ((row, row.kind) for row in areas)
    yield from ((row, "street") for row in streets)


def _streets(tx: ReadTx, street: str, place: str, most: int) -> list[Place]:
    asked = {**_asked(street, most), "place": place, "in_place": f"{place}%"}
    return [_place(row, "street") for row in tx.execute(_STREETS, asked)]


def _asked(name: str, most: int) -> dict[str, Any]:
    return {
        "typed": name,
        "beginning": f"{name}%",
        "word": f"% {name}%",
        "most": most,
        "looks": LOOKS,
        "grid": GRID,
    }


def _postcodes(tx: ReadTx, meant: Sought, most: int) -> list[Place]:
    """A whole postcode by itself; a part of one as a place of its own, and the first that begin so."""
    outward, inward = (meant.postcode[:-3], meant.postcode[-3:]) if meant.postcode else meant.part or ("", "")
    if not outward:
        return []
    asked = {
        "beginning": f"{outward}{inward}%",
        "outward": outward,
        "inward": inward,
        "sector": bool(inward),
        "most": most,
        "grid": GRID,
    }
    return [_place(row, row.kind) for row in tx.execute(_POSTCODES, asked)]


def _point(meant: Sought) -> Iterator[Place]:
    used = area_of_use()
    if meant.position is not None:
        lat, lon = meant.position
        if used["south"] <= lat <= used["north"] and used["west"] <= lon <= used["east"]:
            yield Place("point", f"{lat:g}, {lon:g}", "", lat, lon, (lon, lat, lon, lat))


def _alike(tx: ReadTx, meant: Sought, most: int) -> list[Place]:
    """Of a postcode that is not known its sector, or else its outward half; of a name those that are spelt alike."""
    if meant.postcode:
        sector = Sought(part=(meant.postcode[:-3], meant.postcode[-3]))
        return _postcodes(tx, sector, most) or _postcodes(tx, Sought(part=(meant.postcode[:-3], "")), most)
    if len(meant.name) < 3:
        return []
    tx.execute(_THRESHOLD, {"least": str(LEAST_ALIKE)})
    asked = {**_asked(meant.respelt, most), "core": meant.core}
    areas = tx.execute(_AREAS, {**asked, "most": MOST_AREAS, "least": LEAST_ALIKE_AREA})
    likely = [_place(row, row.kind) for row in areas]
    return [*likely, *(_place(row, "street") for row in tx.execute(_ALIKE, asked))]


def _place(row: Row[Any], kind: str) -> Place:
    box = (row.west, row.south, row.east, row.north)
    return Place(kind, row.name, row.key, row.lat, row.lon, box, row.area, row.locality)


# --- the other way: what a spot is called ----------------------------------------------------------------------------

REACH_M = 150.0
"""So far away a junction still says where on a street something is."""
FAR_M = 300.0
"""So far away a street still says where something off the streets is."""
_SPOT = text(_sql("name_spot"))


def at(tx: ReadTx, located: Located) -> Spot:
    """What a spot is called: the street, its side by the compass, the nearest junction, the areas around.

    `located` comes from `network.locate`. Off the grid nothing is known.
    """
    if located.x is None:
        return Spot(None)
    tx.plan_for_values()
    street = located.street
    asked = {
        "x": located.x,
        "y": located.y,
        "grid": GRID,
        "street_id": None if street is None else street.id,
        "name": "" if street is None else street.name.lower(),
        "reach": REACH_M,
        "far": FAR_M,
    }
    row = tx.execute(_SPOT, asked).one()
    told = street is not None and street.side is not None and row.bearing is not None
    side = side_of(row.bearing) if told else None
    return Spot(None if street is None else street.name, side, row.near, row.area, row.locality)
