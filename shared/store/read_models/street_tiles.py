"""The street network as vector tiles: what `loads.draw_map` drew, cut into squares (docs/decisions/0051)."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select, text

from shared.store.engine import ReadTx
from shared.store.read_models.defect_tiles import Tile
from shared.store.tables import map_drawing

_SQL = Path(__file__).parent.parent / "sql"
_TILE, _BOUNDS = (text((_SQL / f"{name}.sql").read_text()) for name in ("street_tile", "map_bounds"))
DEEPEST = 14
"""A tile of zoom 14 has all that is drawn, to 60 cm: a map draws those of zoom 14 for what is nearer."""
LEVELS = (8, 10, 12)
"""Level 0 is drawn up to zoom 8, level 1 to 10, level 2 to 12, level 3 from there."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """West, south, east and north of all that is drawn, degrees of WGS 84."""

    west: float
    south: float
    east: float
    north: float


def version(tx: ReadTx) -> str:
    """Another one for each drawing."""
    return str(tx.scalar(select(map_drawing.c.version)))


def bounds(tx: ReadTx) -> Bounds | None:
    """Where our area lies (with no areas loaded, where streets do); None where nothing is loaded."""
    row = tx.execute(_BOUNDS).one()
    return None if row.west is None else Bounds(row.west, row.south, row.east, row.north)


def tile(tx: ReadTx, square: Tile) -> bytes:
    """The square, encoded; empty where nothing is. Layers, lowest first: land, edges, streets, names."""
    tx.plan_for_values()
    level = sum(square.zoom > last for last in LEVELS)
    return bytes(tx.scalar(_TILE, {"z": square.zoom, "x": square.x, "y": square.y, "level": level}))
