"""The map of defects as vector tiles: counted in squares from afar, one by one from near (docs/decisions/0042)."""

from dataclasses import dataclass, replace
from functools import lru_cache
from math import atan, degrees, pi, sinh
from pathlib import Path
from typing import Any

from sqlalchemy import text

from shared.domain.public import public_status
from shared.domain.terms import OPEN_DEFECT, DefectState
from shared.errors import Invalid
from shared.store.engine import ReadTx
from shared.store.read_models import defect_map
from shared.store.read_models.defect_map import Box, Wanted
from shared.store.tables import SQUARE_ZOOM

_AFAR, _NEAR = (
    (Path(__file__).parent.parent / "sql" / f"defect_tile_{name}.sql").read_text() for name in ("afar", "near")
)
UNITS = 4096
"""Of a tile's side."""
DEEPEST = 22
EACH_FROM = SQUARE_ZOOM + 1
"""From this zoom each defect stands by itself: a tile is 1.5 km wide at England's latitude."""
SQUARES_FROM = 8
"""Before it a tile is larger than a county, and has more than a thousand squares: the index is read whole."""
ENDED_FROM = 12
"""From this zoom what has ended may be asked for: it is many times what is open, 300 ms of work a tile from afar."""
CELL = 256
"""Before it, squares of so many units are counted together: 16 by 16 a tile, which a map draws 32 pixels wide."""
_MARGIN_DEGREES = 1e-9
"""The box finds; the tile's own units decide. Rounding must not lose what lies on the edge."""
_OF_MANY = "cells.overdue, cells.danger,"
_OF_ONE = "defect.overdue::integer AS overdue, defect.danger::integer AS danger,"
_STAFF_COLUMNS = """
    defect.state, defect.band, defect.area_code AS area,
    floor(extract(epoch FROM least(CASE WHEN defect.made_safe_at IS NULL THEN defect.make_safe_due_at END,
                                   defect.permanent_due_at)))::bigint AS due_at,
"""


@dataclass(frozen=True, slots=True)
class Tile:
    """A square of the web's map: zoom 0 is the world, each zoom halves the side; x counts eastwards, y southwards."""

    zoom: int
    x: int
    y: int

    @property
    def exists(self) -> bool:
        """Whether the zoom has such a tile, and is one that is drawn here."""
        side = 1 << self.zoom if 0 <= self.zoom <= DEEPEST else 0
        return 0 <= self.x < side and 0 <= self.y < side

    @property
    def squares(self) -> list[int]:
        """The squares of SQUARE_ZOOM that it is made of, as `tables.SQUARE` numbers them; it must not be nearer."""
        side = 1 << (SQUARE_ZOOM - self.zoom)
        rows, columns = (range(place * side, (place + 1) * side) for place in (self.y, self.x))
        return [row * (1 << SQUARE_ZOOM) + column for row in rows for column in columns]

    @property
    def box(self) -> Box:
        """Its edges in degrees."""
        side: int = 1 << self.zoom
        west, east = ((self.x + step) / side * 360 - 180 for step in (0, 1))
        north, south = (degrees(atan(sinh(pi * (1 - 2 * (self.y + step) / side)))) for step in (0, 1))
        margin = _MARGIN_DEGREES
        return Box(west - margin, south - margin, east + margin, north + margin)


def tile(tx: ReadTx, square: Tile, wanted: Wanted, *, staff: bool) -> bytes:
    """The tile, encoded; empty where nothing is.

    A feature is a square's defects: `count` of them, in their middle, for staff with how many are overdue or
    dangerous. One that stands alone has its reference and what the asker may see of it beside.

    Raises:
        Invalid: what has ended is asked for from too far.
    """
    tx.plan_for_values()
    conditions, params = defect_map.conditions(_in(square, wanted))
    units: int = UNITS << square.zoom
    params |= {"units": units, "west_unit": square.x * UNITS, "north_unit": square.y * UNITS, **_told()}
    if square.zoom < EACH_FROM:
        statement, counts = _AFAR, _OF_MANY
        params["cell"] = CELL
    else:
        statement, counts = _NEAR, _OF_ONE
    columns = counts + _STAFF_COLUMNS if staff else ""
    statement = statement.replace("{columns}", columns).replace("{filters}", conditions)
    return bytes(tx.scalar(text(statement), params))


def _in(square: Tile, wanted: Wanted) -> Wanted:
    """From afar an index holds all that a tile counts of open defects, by the tile's squares."""
    if wanted.states is None or not set(wanted.states) <= OPEN_DEFECT:
        if square.zoom < ENDED_FROM:
            raise Invalid(f"What has ended is drawn from zoom {ENDED_FROM}.", {"z": f"is less than {ENDED_FROM}"})
        return replace(wanted, around=square.box)
    if square.zoom >= EACH_FROM:
        return replace(wanted, around=square.box)
    return replace(wanted, squares=square.squares) if square.zoom >= SQUARES_FROM else wanted


@lru_cache
def _told() -> dict[str, list[Any]]:
    """What the public is told of each state, as columns."""
    told = {state: public_status(state) for state in DefectState}
    return {
        "states_told": [state.value for state in told],
        "codes": [status.code for status in told.values()],
        "labels": [status.label for status in told.values()],
        "opens": [status.is_open for status in told.values()],
    }
