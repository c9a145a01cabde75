-- What lies around a spot on the street :street_id (null: on none): the bearing from it to the spot, the street whose
-- junction with it is nearest (off every street, the nearest street), and the areas around. Metres on the grid.
WITH spot AS MATERIALIZED (
    SELECT ST_SetSRID(ST_MakePoint(:x, :y), :grid) AS geom
), mine AS MATERIALIZED (
    SELECT street.street_key, street.geom FROM street, spot
    WHERE street.street_key = (SELECT street_key FROM street WHERE id = :street_id)
      AND ST_DWithin(street.geom, spot.geom, :reach)
), crossing AS (
    SELECT other.name FROM spot JOIN street AS other ON ST_DWithin(other.geom, spot.geom, :reach)
    JOIN mine ON other.street_key <> mine.street_key AND ST_DWithin(other.geom, mine.geom, 3)
    WHERE other.name <> '' AND lower(other.name) <> :name
    ORDER BY ST_Distance(ST_ClosestPoint(other.geom, mine.geom), spot.geom), other.name LIMIT 1
), beside AS (
    SELECT other.name FROM spot JOIN street AS other ON ST_DWithin(other.geom, spot.geom, :far)
    WHERE other.name <> '' AND NOT EXISTS (SELECT FROM mine)
    ORDER BY ST_Distance(other.geom, spot.geom), other.name LIMIT 1
)
SELECT (SELECT degrees(ST_Azimuth(ST_ClosestPoint(street.geom, spot.geom), spot.geom)) FROM street
        WHERE id = :street_id) AS bearing,
       coalesce((SELECT name FROM crossing), (SELECT name FROM beside)) AS near,
       (SELECT coalesce(min(area.name) FILTER (WHERE area.kind = 'district'),
                        min(area.name) FILTER (WHERE area.kind = 'authority' AND NOT area.served))
        FROM area_piece JOIN area ON area.id = area_piece.area_id
        WHERE ST_Intersects(area_piece.geom, spot.geom)) AS area,
       (SELECT coalesce(min(area.name) FILTER (WHERE area.kind = 'ward'),
                        min(area.name) FILTER (WHERE area.kind = 'division'))
        FROM area_piece JOIN area ON area.id = area_piece.area_id
        WHERE ST_Intersects(area_piece.geom, spot.geom)) AS locality
FROM spot
