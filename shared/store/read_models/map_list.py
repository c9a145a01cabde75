"""The list beside the map: the defects that it shows, for those who read it and those who have no map."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Row, text

from shared.domain.public import PublicStatus, public_status
from shared.domain.terms import DefectState
from shared.store.engine import ReadTx
from shared.store.read_models import defect_map
from shared.store.read_models.defect_map import Wanted
from shared.store.tables import GRID

_LIST = (Path(__file__).parent.parent / "sql" / "map_list.sql").read_text()
MOST_COUNTED = 1000
"""Beyond so many, a list says "more than"."""
_PLACE = "ST_Transform(ST_SetSRID(ST_MakePoint(:lon, :lat), 4326), :grid)"


@dataclass(frozen=True, slots=True)
class Listed:
    """A defect as anybody may see it. `metres` is the way from the place that was asked about; None: none was."""

    row: Row[Any]
    status: PublicStatus

    @property
    def metres(self) -> float | None:
        return None if self.row.metres is None else float(self.row.metres)


@dataclass(frozen=True, slots=True)
class Page:
    """Some of them, and how many there are; `many`: there are more than the count."""

    found: list[Listed]
    count: int
    many: bool


def listed(tx: ReadTx, wanted: Wanted, near: tuple[float, float] | None, most: int, skip: int) -> Page:
    """Those nearest to a place (latitude and longitude) first, or, with none, the last changed first."""
    tx.plan_for_values()
    filters, params = defect_map.conditions(wanted)
    away, order, ordered = "NULL", "defect.updated_at DESC, defect.id DESC", "defect.updated_at DESC, defect.id DESC"
    if near is not None:
        away, order, ordered = f"defect.geom <-> {_PLACE}", "metres, defect.id", "metres, defect.id"
        params |= {"lat": near[0], "lon": near[1], "grid": GRID}
    statement = _LIST.replace("{filters}", filters).replace("{away}", away)
    statement = statement.replace("{ordered}", ordered).replace("{order}", order)
    rows = tx.execute(text(statement), {**params, "most": most, "skip": skip}).all()
    count = _count(tx, filters, params)
    return Page([Listed(row, public_status(DefectState(row.state))) for row in rows], *count)


def _count(tx: ReadTx, filters: str, params: dict[str, Any]) -> tuple[int, bool]:
    counted = text(f"SELECT count(*) FROM (SELECT FROM defect WHERE {filters} LIMIT :limit) AS found")
    count = int(tx.scalar(counted, {**params, "limit": MOST_COUNTED + 1}))
    return min(count, MOST_COUNTED), count > MOST_COUNTED


def one(tx: ReadTx, reference: str) -> Listed | None:
    """One of them by its reference, also when a filter leaves it out; None: there is none that the public may see."""
    wanted = Wanted(states=_shown())
    filters, params = defect_map.conditions(wanted)
    filters += " AND defect.reference = :reference"
    statement = _LIST.replace("{filters}", filters).replace("{away}", "NULL")
    statement = statement.replace("{ordered}", "defect.id").replace("{order}", "defect.id")
    row = tx.execute(text(statement), {**params, "reference": reference, "most": 1, "skip": 0}).one_or_none()
    return None if row is None else Listed(row, public_status(DefectState(row.state)))


def _shown() -> Sequence[str]:
    return sorted(set(DefectState) - defect_map.HIDDEN)
