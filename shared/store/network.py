"""Places: where a position is on the grid, in whose area and on which street; streets and postcodes by name."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pyproj import CRS
from sqlalchemy import Double, Integer, Row, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from shared.domain.place import Authority, Located, OnStreet, Point
from shared.domain.policy_sections import PlaceRules
from shared.errors import Unavailable
from shared.settings import settings
from shared.store.engine import Ask, ReadTx, Steps
from shared.store.tables import GRID, deployment, postcode

EDGE_M = 50.0
"""So far off an area's drawn edge a place still counts as in it, if it is in no other."""

ON_GRID = """
    CASE WHEN lat BETWEEN :south AND :north AND lon BETWEEN :west AND :east
         THEN ST_Transform(ST_SetSRID(ST_MakePoint(lon, lat), 4326), :grid) END"""
"""A position on the grid, in SQL; null where the grid does not reach."""
_LINES = (Path(__file__).parent / "sql" / "locate.sql").read_text().splitlines()
LOCATE = " ".join(line.strip() for line in _LINES if not line.startswith("--"))
"""The one statement that places positions: those of the relation "sent_point". Bind `place_params` with it.

Without its comments: psycopg takes a statement of more than 4,096 letters apart anew each time, which took 0.7 ms.
"""

_GIVEN = f"""
    WITH sent_point AS MATERIALIZED (
        SELECT n, lat, lon, accuracy_m, {ON_GRID} AS geom
        FROM unnest((SELECT :lats), (SELECT :lons), (SELECT :accuracies))
            WITH ORDINALITY AS given(lat, lon, accuracy_m, n))
    """
"""The arrays stand in subqueries: so the planner does not count them, and plans once for all. Planning took 2 ms."""
_LOCATE_GIVEN = text(_GIVEN + LOCATE).bindparams(
    *(bindparam(name, type_=ARRAY(Double)) for name in ("lats", "lons", "accuracies"))
)


def locate(tx: ReadTx, points: Sequence[Point], rules: PlaceRules) -> list[Located]:
    """Place positions in one statement, one or a hundred thousand, in their order."""
    return tx.run(locating(points, rules))


def locating(points: Sequence[Point], rules: PlaceRules) -> Steps[list[Located]]:
    """The same in steps."""
    given = {
        "lats": [float(point.lat) for point in points],
        "lons": [float(point.lon) for point in points],
        "accuracies": [float(point.accuracy_m) for point in points],
    }
    rows = yield Ask(_LOCATE_GIVEN, {**given, **place_params(rules)})
    return [located(row) for row in sorted(rows, key=lambda row: row.n)]


def placed_columns() -> dict[str, str]:
    """The columns of `locate.sql` in their order, for a table to keep its rows in."""
    return {
        "n": "int",
        **dict.fromkeys(("lat", "lon", "accuracy_m", "x", "y"), "float8"),
        "geom": f"geometry(POINT, {GRID})",
        "swapped": "boolean",
        "uncharted": "boolean",
        "authority_code": "text",
        "authority_name": "text",
        "authority_served": "boolean",
        "authority_contact": "text",
        "area_code": "text",
        "street_id": "bigint",
        **dict.fromkeys(("street_key", "street_name", "hierarchy", "maintainer"), "text"),
        "level": "smallint",
        "rural": "boolean",
        "distance_m": "float8",
        "side": "text",
    }


def place_params(rules: PlaceRules) -> dict[str, Any]:
    """What `locate.sql` needs beside the positions."""
    return {"grid": GRID, "edge_m": EDGE_M, "snap_m": float(rules.snap_m), **area_of_use()}


def located(row: Row[Any]) -> Located:
    """A row of `locate.sql` as the domain reads it."""
    authority = None
    if row.authority_code is not None:
        authority = Authority(row.authority_code, row.authority_name, row.authority_served, row.authority_contact)
    return Located(
        Point(row.lat, row.lon, row.accuracy_m),
        row.x,
        row.y,
        bool(row.swapped),
        row.uncharted,
        authority,
        row.area_code,
        _on_street(row),
    )


def _on_street(row: Row[Any]) -> OnStreet | None:
    if row.street_id is None:
        return None
    return OnStreet(
        row.street_id,
        row.street_key,
        row.street_name,
        row.hierarchy,
        row.maintainer,
        row.level,
        row.rural,
        row.distance_m,
        row.side,
    )


BEYOND_DEGREES = 1.0
"""A grid is used a little beyond what its register says: that ends EPSG:29902 west of Belfast, which uses it."""


@lru_cache
def area_of_use() -> dict[str, float]:
    """The degrees within which the grid may be used: west, south, east, north."""
    area = CRS.from_epsg(GRID).area_of_use
    if area is None:
        raise ValueError(f"EPSG:{GRID} has no area of use: choose a national grid or a UTM zone.")
    return {
        "west": area.west - BEYOND_DEGREES,
        "south": area.south - BEYOND_DEGREES,
        "east": area.east + BEYOND_DEGREES,
        "north": area.north + BEYOND_DEGREES,
    }


# --- the grid --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KnownPoint:
    """A position whose grid coordinates are published, to hold the server's transformation against."""

    lon: float
    lat: float
    easting: float
    northing: float
    source: str


# ETRS89 is taken for WGS 84, as everywhere here: they part by well under a metre.
KNOWN = {
    27700: (
        KnownPoint(1.716073973, 52.658007833, 651409.804, 313177.450, "OSTN15, worked example: Caister"),
        KnownPoint(-3.040454907, 53.779110257, 331534.564, 431920.794, "OSTN15, test point: Blackpool"),
    ),
}
WITHIN_M = 0.2


class GridUnfit(Unavailable):
    """Metres would be wrong: the database's grid is another, or its shift file is missing."""

    code = "grid-unfit"
    title = "The national grid is not usable"


def grid_error_m(tx: ReadTx) -> float | None:
    """How far the server puts the known points from where they are, at worst; None where none is known of this grid.

    About 2 m means that PostGIS has no OSTN15 file; hundreds of kilometres, that the axes are the wrong way round.
    """
    known = KNOWN.get(GRID)
    if known is None:
        return None
    put = func.ST_Transform(func.ST_SetSRID(func.ST_MakePoint(bindparam("lon"), bindparam("lat")), 4326), GRID)
    true = func.ST_SetSRID(func.ST_MakePoint(bindparam("easting"), bindparam("northing")), GRID)
    off = select(func.ST_Distance(put, true, type_=Double))
    found = (tx.scalar(off, {"lon": p.lon, "lat": p.lat, "easting": p.easting, "northing": p.northing}) for p in known)
    return max(float(metres) for metres in found)


def require_grid(tx: ReadTx, *, exact: bool = True) -> float | None:
    """Refuse to work on a grid that is not the database's, or, when `exact`, on one without its shift file.

    Returns the error in metres (see `grid_error_m`), for those who only warn.

    Raises:
        GridUnfit: says what to install or to set.
    """
    made_on = tx.scalar(select(deployment.c.grid_epsg.cast(Integer)))
    if made_on != settings().grid_epsg:
        raise GridUnfit(
            f"This database was made on the grid EPSG:{made_on}, and ROADMEND_GRID_EPSG says {settings().grid_epsg}. "
            "Set it to what the database was made with, or use another database."
        )
    error = grid_error_m(tx)
    if exact and error is not None and error > WITHIN_M:
        raise GridUnfit(
            f"PostGIS puts a known point {error:.1f} m from where it is: its PROJ has no OSTN15 shift file "
            "(OSTN15_NTv2_OSGBtoETRS.gsb, or uk_os_OSTN15_NTv2_OSGBtoETRS.tif). Put it where the server's PROJ looks "
            "(python -m infra.ostn15 FILE writes it; PROJ_DATA names the folder), or set place.require_grid = false "
            "in the policy and live with the error."
        )
    return error


# --- by name ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Named:
    """A place by its name, in WGS 84."""

    name: str
    lat: float
    lon: float


def postcode_at(tx: ReadTx, written: str) -> Named | None:
    """The middle of a postcode, however it was typed; None when it is not loaded."""
    place = func.ST_Transform(postcode.c.geom, 4326)
    found = select(postcode.c.postcode, func.ST_Y(place).label("lat"), func.ST_X(place).label("lon")).where(
        postcode.c.postcode == "".join(written.upper().split())
    )
    row = tx.execute(found).one_or_none()
    return None if row is None else Named(f"{row.postcode[:-3]} {row.postcode[-3:]}", row.lat, row.lon)
