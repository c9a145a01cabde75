DROP TABLE IF EXISTS street_name, map_shape, map_drawing;

CREATE TABLE street_name (
    name TEXT NOT NULL,
    CONSTRAINT pk_street_name PRIMARY KEY (name)
);
INSERT INTO street_name (name) SELECT DISTINCT lower(name) FROM street WHERE name <> '';
CREATE INDEX ix_street_name_alike ON street_name USING gin (name gin_trgm_ops);

CREATE TABLE map_drawing (
    singleton BOOLEAN DEFAULT true NOT NULL,
    version TEXT NOT NULL,
    CONSTRAINT pk_map_drawing PRIMARY KEY (singleton),
    CONSTRAINT ck_map_drawing_one_row CHECK (singleton)
);
INSERT INTO map_drawing (version) VALUES (gen_random_uuid()::text);

CREATE TABLE map_shape (
    layer TEXT NOT NULL,
    level SMALLINT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT,
    whose TEXT,
    geom geometry(GEOMETRY, 3857) NOT NULL
);

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
FROM (SELECT * FROM afar UNION ALL SELECT * FROM near) AS drawn;

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
WHERE CASE kind WHEN 'district' THEN level <= 1 ELSE level >= 2 END;

CREATE INDEX ix_map_shape_0 ON map_shape USING gist (geom) WHERE level = 0;
CREATE INDEX ix_map_shape_1 ON map_shape USING gist (geom) WHERE level = 1;
CREATE INDEX ix_map_shape_2 ON map_shape USING gist (geom) WHERE level = 2;
CREATE INDEX ix_map_shape_3 ON map_shape USING gist (geom) WHERE level = 3;
ANALYZE street_name, map_shape;
