-- Postcodes by their beginning: first the outward halves (or, with :sector, what was typed of the inward half) as places
-- of their own, each with the box around its postcodes; then the first of these.
WITH found AS MATERIALIZED (
    SELECT postcode, left(postcode, -3) AS outward, geom FROM postcode
    WHERE postcode LIKE :beginning AND (NOT :sector OR left(postcode, -3) = :outward)
), whole AS (
    SELECT outward, ST_SetSRID(ST_Extent(geom)::geometry, :grid) AS box, count(*) AS units
    FROM found GROUP BY outward
), told AS (
    SELECT 0 AS rank, outward <> :outward AS far, 'postcodes' AS kind, outward || :inward AS key,
           outward || CASE WHEN :sector THEN ' ' || :inward ELSE '' END AS name, ST_Centroid(box) AS middle, box
    FROM whole WHERE units > 1
    UNION ALL
    (SELECT 1, outward <> :outward, 'postcode', postcode, outward || ' ' || right(postcode, 3), geom, geom
     FROM found ORDER BY outward <> :outward, postcode LIMIT :most)
), first AS (
    SELECT * FROM told ORDER BY rank, far, key LIMIT :most
)
SELECT rank, kind, key, name, ST_Y(at) AS lat, ST_X(at) AS lon,
       ST_XMin(bounds) AS west, ST_YMin(bounds) AS south, ST_XMax(bounds) AS east, ST_YMax(bounds) AS north,
       inside.area, CASE kind WHEN 'postcode' THEN inside.locality END AS locality
FROM first CROSS JOIN LATERAL (
    SELECT ST_Transform(middle, 4326) AS at, ST_Transform(box, 4326) AS bounds OFFSET 0
) AS drawn
LEFT JOIN LATERAL (
    SELECT coalesce(min(area.name) FILTER (WHERE area.kind = 'district'),
                    min(area.name) FILTER (WHERE area.kind = 'authority' AND NOT area.served)) AS area,
           coalesce(min(area.name) FILTER (WHERE area.kind = 'ward'),
                    min(area.name) FILTER (WHERE area.kind = 'division')) AS locality
    FROM area_piece JOIN area ON area.id = area_piece.area_id WHERE ST_Intersects(area_piece.geom, first.middle)
) AS inside ON true
ORDER BY rank, far, key
