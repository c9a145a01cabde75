"""Where along a street it may be: the named streets that it meets."""

from dataclasses import dataclass

from sqlalchemy import text

from shared.store.engine import ReadTx

_JUNCTIONS = text(
    """
    WITH met AS (
        SELECT DISTINCT ON (other.name, round(ST_X(point.at) / 20), round(ST_Y(point.at) / 20)) other.name, point.at
        FROM street AS mine
        JOIN street AS other ON ST_DWithin(other.geom, mine.geom, 1)
        CROSS JOIN LATERAL (SELECT ST_ClosestPoint(mine.geom, other.geom) AS at) AS point
        WHERE mine.street_key = :key AND other.street_key <> :key AND other.name <> ''
        ORDER BY other.name, round(ST_X(point.at) / 20), round(ST_Y(point.at) / 20)
    ), extent AS (
        SELECT ST_Extent(at) AS box FROM met
    )
    SELECT name, ST_Y(ST_Transform(at, 4326)) AS lat, ST_X(ST_Transform(at, 4326)) AS lon FROM met, extent
    ORDER BY CASE WHEN ST_XMax(box) - ST_XMin(box) > ST_YMax(box) - ST_YMin(box) THEN ST_X(at) ELSE -ST_Y(at) END, name
    """
)


@dataclass(frozen=True, slots=True)
class Junction:
    """Where a street meets another, which has this name. Degrees of WGS 84."""

    name: str
    lat: float
    lon: float


def along(tx: ReadTx, street_key: str) -> list[Junction]:
    """Where a street meets named ones, from west to east or from north to south, whichever is longer."""
    return [Junction(**row._mapping) for row in tx.execute(_JUNCTIONS, {"key": street_key})]


@dataclass(frozen=True, slots=True)
class Extent:
    """A whole street as a place: its middle, and the metres from there to its farther end."""

    name: str
    lat: float
    lon: float
    radius_m: float


_EXTENT = text(
    """
    SELECT nearest.name, ST_Y(ST_Transform(nearest.middle, 4326)) AS lat,
           ST_X(ST_Transform(nearest.middle, 4326)) AS lon, ST_MaxDistance(nearest.middle, whole.geom) AS radius_m
    FROM (SELECT ST_Collect(geom) AS geom FROM street WHERE street_key = :key) AS whole
    CROSS JOIN LATERAL (
        SELECT street.name, ST_ClosestPoint(street.geom, ST_Centroid(whole.geom)) AS middle FROM street
        WHERE street_key = :key ORDER BY ST_Distance(street.geom, ST_Centroid(whole.geom)), id LIMIT 1
    ) AS nearest
    """
)


def extent(tx: ReadTx, street_key: str) -> Extent | None:
    """Where all of a street lies; None when there is none of this key."""
    row = tx.execute(_EXTENT, {"key": street_key}).one_or_none()
    return None if row is None else Extent(**row._mapping)
