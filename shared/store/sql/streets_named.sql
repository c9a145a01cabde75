-- Streets whose name begins so: one row a street, with its longest piece's middle and the district that lies in.
WITH named AS (
    SELECT DISTINCT ON (street_key) street_key, name, ST_PointOnSurface(geom) AS middle
    FROM street WHERE lower(name) LIKE :like
    ORDER BY street_key, ST_Length(geom) DESC, id
), first AS (
    SELECT name, middle FROM named ORDER BY lower(name), street_key LIMIT :most
)
SELECT first.name, ST_Y(ST_Transform(middle, 4326)) AS lat, ST_X(ST_Transform(middle, 4326)) AS lon, inside.name AS area
FROM first LEFT JOIN LATERAL (
    SELECT area.name FROM area_piece JOIN area ON area.id = area_piece.area_id
    WHERE area.kind = 'district' AND ST_Intersects(area_piece.geom, first.middle)
    ORDER BY area.code LIMIT 1
) AS inside ON true
ORDER BY lower(first.name), inside.name
