-- Streets as the map draws them, in metres of the web's map (EPSG:3857): from afar (levels 0 to 2) only those that matter
-- so far away, joined over junctions and simplified by less than a pixel; from near (3) all, one line a street, so that
-- its name has room.
WITH piece AS MATERIALIZED (
    SELECT street_key, hierarchy AS kind, maintainer, name, (ST_Dump(ST_Transform(geom, 3857))).geom FROM street
), level(level, kinds, tolerance, named) AS (
    VALUES (0, '{2,3a}'::text[], 150.0, false), (1, '{2,3a,3b}', 40.0, false), (2, '{2,3a,3b,4a}', 10.0, true)
), afar AS (
    SELECT level, kind, CASE WHEN named THEN name END AS name, maintainer, tolerance,
           (ST_Dump(ST_LineMerge(ST_Collect(geom)))).geom
    FROM piece JOIN level ON kind = ANY(kinds)
    GROUP BY level, kind, CASE WHEN named THEN name END, maintainer, tolerance
), near AS (
    SELECT 3 AS level, kind, name, maintainer, 0.5 AS tolerance, (ST_Dump(ST_LineMerge(ST_Collect(geom)))).geom
    FROM piece GROUP BY street_key, kind, name, maintainer
)
INSERT INTO map_shape (layer, level, kind, name, whose, geom)
SELECT 'streets', level, kind, nullif(name, ''), nullif(maintainer, 'council'), ST_Simplify(geom, tolerance, true)
FROM (SELECT * FROM afar UNION ALL SELECT * FROM near) AS drawn
