"""Sightings of passers-by: somebody said "it is this one" of a defect. They have neither report nor detection."""

from datetime import datetime

from sqlalchemy import text

from shared.domain.place import Point
from shared.store.engine import WriteTx
from shared.store.tables import GRID

_SAW = text(
    """
    INSERT INTO sighting (defect_id, class_code, lat, lon, accuracy_m, geom, street_id, street_key, level, seen_at,
        known_at, danger, verdict, why, linked_at)
    SELECT defect.id, defect.class_code, :lat, :lon, :accuracy_m,
           ST_Transform(ST_SetSRID(ST_MakePoint(:lon, :lat), 4326), :grid), defect.street_id, defect.street_key,
           defect.level, :now, :now, :danger, 'person', :why, :now
    FROM defect WHERE defect.id = :defect
    RETURNING id
    """
)
_SEEN = text(
    """
    UPDATE defect SET danger = danger OR :danger, last_seen_at = greatest(last_seen_at, :now), updated_at = :now
    WHERE id = :defect
    """
)


def saw(tx: WriteTx, defect_id: int, at: Point, *, danger: bool, why: str, now: datetime) -> int:
    """Record that a passer-by saw a defect; it stays where it is. Returns the sighting's id. Locks the defect."""
    row = {"lat": at.lat, "lon": at.lon, "accuracy_m": at.accuracy_m, "grid": GRID, "why": why}
    sighting_id: int = tx.scalar(_SAW, {"defect": defect_id, "danger": danger, "now": now, **row})
    tx.execute(_SEEN, {"defect": defect_id, "danger": danger, "now": now})
    return sighting_id
