-- Areas as the map draws them, in metres of the web's map (EPSG:3857): "land" is what is ours, cut into small pieces;
-- "edges" are the borders of authorities and districts; "names" are points, of districts from afar, of wards (or else
-- divisions) from near.
WITH level(level, tolerance) AS (
    VALUES (0, 150.0), (1, 40.0), (2, 10.0), (3, 1.0)
), outline AS MATERIALIZED (
    SELECT level, kind, served, name, ST_SimplifyPreserveTopology(ST_Transform(geom, 3857), tolerance) AS geom
    FROM area CROSS JOIN level WHERE kind IN ('authority', 'district')
), named AS (
    SELECT kind, name, ST_Transform(ST_PointOnSurface(geom), 3857) AS geom FROM area
    WHERE kind = 'district' OR kind = (SELECT max(kind) FROM area WHERE kind IN ('ward', 'division'))
)
INSERT INTO map_shape (layer, level, kind, name, geom)
SELECT 'land', level, kind, NULL, ST_Subdivide(ST_MakeValid(geom), 128) FROM outline WHERE kind = 'authority' AND served
UNION ALL
SELECT 'edges', level, kind, NULL, ST_Subdivide(ST_Boundary(geom), 128) FROM outline
UNION ALL
SELECT 'names', level, kind, regexp_replace(name, ' Ward$', ''), geom FROM named CROSS JOIN level
WHERE CASE kind WHEN 'district' THEN level <= 1 ELSE level >= 2 END
