-- Areas from the staging table, and their pieces: small polygons, so that "which area?" reads a few corners, not a coast.
WITH put AS (
    INSERT INTO area (code, name, kind, served, contact, parent_code, geom)
    SELECT DISTINCT ON (code)
        code, name, kind, served, contact, parent_code,
        ST_Multi(ST_CollectionExtract(ST_MakeValid(
            ST_Transform(ST_SetSRID(ST_GeomFromWKB(wkb), :srid), :grid)), 3))
    FROM arriving_area
    ORDER BY code, line DESC
    ON CONFLICT (code) DO UPDATE SET
        name = excluded.name, kind = excluded.kind, served = excluded.served, geom = excluded.geom,
        contact = coalesce(excluded.contact, area.contact), parent_code = excluded.parent_code
    RETURNING id, geom
), gone AS (
    DELETE FROM area_piece USING put WHERE area_piece.area_id = put.id
)
INSERT INTO area_piece (area_id, geom)
SELECT put.id, ST_Subdivide(put.geom, 96) FROM put
