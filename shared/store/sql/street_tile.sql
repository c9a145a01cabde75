-- One vector tile of the drawn network: its layers one after the other, which is how a tile holds them. A margin of 64
-- units around it lets lines and casings run over its edge.
WITH square AS MATERIALIZED (
    SELECT ST_TileEnvelope(:z, :x, :y) AS bounds, ST_TileEnvelope(:z, :x, :y, margin => 64.0 / 4096) AS reach
), found AS MATERIALIZED (
    SELECT layer, kind, name, whose, ST_AsMVTGeom(geom, bounds, 4096, 64, true) AS geom
    FROM map_shape, square WHERE level = :level AND geom && reach
)
SELECT (SELECT coalesce(ST_AsMVT(land, 'land', 4096, 'geom'), '') FROM (
            SELECT geom FROM found WHERE layer = 'land' AND geom IS NOT NULL) AS land)
    || (SELECT coalesce(ST_AsMVT(edges, 'edges', 4096, 'geom'), '') FROM (
            SELECT kind, geom FROM found WHERE layer = 'edges' AND geom IS NOT NULL) AS edges)
    || (SELECT coalesce(ST_AsMVT(streets, 'streets', 4096, 'geom'), '') FROM (
            SELECT kind, name, whose, geom FROM found WHERE layer = 'streets' AND geom IS NOT NULL
            ORDER BY kind DESC, name) AS streets)
    || (SELECT coalesce(ST_AsMVT(names, 'names', 4096, 'geom'), '') FROM (
            SELECT kind, name, geom FROM found WHERE layer = 'names' AND geom IS NOT NULL ORDER BY name) AS names)
