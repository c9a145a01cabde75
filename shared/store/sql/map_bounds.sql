-- The box around our land as it is drawn, or else around the streets; in degrees.
WITH drawn AS (
    SELECT coalesce(ST_Extent(geom) FILTER (WHERE layer = 'land'), ST_Extent(geom)) AS box FROM map_shape WHERE level = 0
), whole AS (
    SELECT coalesce(drawn.box, (SELECT ST_Extent(geom) FROM map_shape WHERE drawn.box IS NULL)) AS box FROM drawn
)
SELECT ST_XMin(wgs) AS west, ST_YMin(wgs) AS south, ST_XMax(wgs) AS east, ST_YMax(wgs) AS north
FROM (SELECT ST_Transform(ST_SetSRID(CAST(box AS geometry), 3857), 4326) AS wgs FROM whole) AS put
