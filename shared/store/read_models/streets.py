"""A street as staff see it: its pieces with their lines, who set their hierarchy, and what happened to it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import String, cast, func, select
from sqlalchemy.types import JSON

from shared.domain.terms import OPEN_DEFECT
from shared.store.engine import ReadTx
from shared.store.tables import defect, event, person, street

MOST = 500
"""Pieces of one street that are shown: the longest road of a county has fewer."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One street. Each piece: id, network_id, usrn, class, hierarchy, maintainer, rural, level, length_m (grid metres),
    set_by and set_at (None: as the file says), line (GeoJSON, WGS 84). `box`: west, south, east, north in degrees."""

    key: str
    name: str
    pieces: list[dict[str, Any]]
    box: tuple[float, float, float, float]
    open_defects: int


def one(tx: ReadTx, key: str) -> Shown | None:
    """A street by its key; None when there is none."""
    set_by = func.coalesce(person.c.name, street.c.hierarchy_by)
    wgs84 = func.ST_Transform(street.c.geom, 4326)
    columns = [
        street.c[name] for name in ("id", "network_id", "usrn", "name", "hierarchy", "maintainer", "rural", "level")
    ]
    rows = (
        select(
            *columns,
            street.c["class"].label("road_class"),
            func.ST_Length(street.c.geom).label("length_m"),
            set_by.label("set_by"),
            street.c.hierarchy_at.label("set_at"),
            cast(func.ST_AsGeoJSON(wgs84, 6), JSON).label("line"),
            *(edge(wgs84).label(name) for name, edge in _EDGES.items()),
        )
        .outerjoin(person, street.c.hierarchy_by == func.concat("person:", cast(person.c.id, String)))
        .where(street.c.street_key == key)
        .order_by(street.c.id)
        .limit(MOST)
    )
    pieces = [dict(row._mapping) for row in tx.execute(rows)]
    if not pieces:
        return None
    least, most = (min, min, max, max), tuple([piece.pop(edge) for piece in pieces] for edge in _EDGES)
    west, south, east, north = (pick(values) for pick, values in zip(least, most, strict=True))
    return Shown(key, pieces[0]["name"], pieces, (west, south, east, north), _open_defects(tx, key))


_EDGES = {"west": func.ST_XMin, "south": func.ST_YMin, "east": func.ST_XMax, "north": func.ST_YMax}


def _open_defects(tx: ReadTx, key: str) -> int:
    here = select(func.count()).where(defect.c.street_key == key, defect.c.state.in_(sorted(OPEN_DEFECT)))
    return int(tx.scalar(here))


@dataclass(frozen=True, slots=True)
class Setting:
    """A hierarchy that was set: of so many pieces at once."""

    at: datetime
    by: str
    hierarchy: str
    was: str
    by_hand: bool
    why: str
    pieces: int


def settings(tx: ReadTx, pieces: list[dict[str, Any]], most: int = 50) -> list[Setting]:
    """What was set by hand on these pieces, the newest first; one line for what was set at once."""
    data = event.c.data
    said = [data[name].astext.label(name) for name in ("hierarchy", "was", "why")]
    said.append((data["by_hand"].astext == "true").label("by_hand"))
    by = func.coalesce(person.c.name, event.c.actor).label("by")
    rows = (
        select(event.c.at, by, *said, func.count().label("pieces"))
        .outerjoin(person, event.c.actor == func.concat("person:", cast(person.c.id, String)))
        .where(event.c.subject == "street", event.c.subject_id == func.any([piece["id"] for piece in pieces]))
        .group_by(event.c.at, by, *said)
        .order_by(event.c.at.desc())
        .limit(most)
    )
    return [Setting(**row._mapping) for row in tx.execute(rows)]
