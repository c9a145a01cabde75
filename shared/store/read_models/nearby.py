"""What stands near a place that somebody is about to report: open defects and lately finished repairs."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from shared.domain.nearby import FINISHED, Near
from shared.domain.place import Point
from shared.domain.terms import LIVE_WARRANTY, OPEN_DEFECT, DefectState
from shared.store.engine import ReadTx
from shared.store.tables import GRID

_NEAR = text((Path(__file__).parent.parent / "sql" / "near_place.sql").read_text())
_MOST = 50
"""So many are fetched; the domain shows fewer."""
PATCH_ACCURACY_M = 5.0
"""Whoever says that a repair has failed points at its patch."""


def near(tx: ReadTx, x: float, y: float, reach_m: float) -> list[Near]:
    """Defects within so many metres of a place on the grid, nearest first."""
    tx.plan_for_values()
    asked = {
        "x": x,
        "y": y,
        "grid": GRID,
        "reach": reach_m,
        "most": _MOST,
        "shown": sorted(OPEN_DEFECT | FINISHED),
        "finished": sorted(FINISHED),
    }
    return [_near({**row._mapping}) for row in tx.execute(_NEAR, asked)]


def _near(row: dict[str, object]) -> Near:
    return Near(**{**row, "state": DefectState(str(row["state"]))})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Seen:
    """A defect that somebody names. `at` is where its last repair was, or where it is; degrees of WGS 84."""

    reference: str
    class_code: str
    state: DefectState
    at: Point
    street: str | None


_NAMED = text(
    """
    SELECT shown.reference, shown.class_code, shown.state, street.name AS street, ST_Y(place.at) AS lat,
           ST_X(place.at) AS lon
    FROM defect AS named
    JOIN defect AS shown ON shown.id = coalesce(named.merged_into, named.id)
    LEFT JOIN street ON street.id = shown.street_id
    LEFT JOIN LATERAL (
        SELECT ST_PointOnSurface(footprint) AS at FROM warranty
        WHERE defect_id = shown.id AND state = ANY(CAST(:live AS text[])) ORDER BY repaired_at DESC, id DESC LIMIT 1
    ) AS patch ON true
    CROSS JOIN LATERAL (SELECT ST_Transform(coalesce(patch.at, shown.geom), 4326) AS at) AS place
    WHERE named.reference = :reference AND shown.state <> 'no_defect'
    """
)


def named(tx: ReadTx, reference: str) -> Seen | None:
    """A defect by its reference as it is stored, a duplicate's original; None when the public is shown none such."""
    row = tx.execute(_NAMED, {"reference": reference, "live": sorted(LIVE_WARRANTY)}).one_or_none()
    if row is None:
        return None
    at = Point(row.lat, row.lon, PATCH_ACCURACY_M)
    return Seen(row.reference, row.class_code, DefectState(row.state), at, row.street or None)
