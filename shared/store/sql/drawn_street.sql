-- Ends a statement that chose streets by their key: the name as it is written, the middle of the longest piece, the box
-- around all of it, the district that the middle lies in (or else the authority), and the ward or division.
CROSS JOIN LATERAL (
    SELECT longest.name, ST_Y(longest.at) AS lat, ST_X(longest.at) AS lon,
           ST_XMin(bounds.box) AS west, ST_YMin(bounds.box) AS south, ST_XMax(bounds.box) AS east,
           ST_YMax(bounds.box) AS north, inside.district AS area, inside.locality
    FROM (
        SELECT street.name, middle, ST_Transform(middle, 4326) AS at
        FROM street CROSS JOIN LATERAL (
            SELECT ST_LineInterpolatePoint(part.geom, 0.5) AS middle FROM ST_Dump(street.geom) AS part
            ORDER BY ST_Length(part.geom) DESC LIMIT 1
        ) AS halfway
        WHERE street.street_key = chosen.street_key ORDER BY ST_Length(street.geom) DESC, street.id LIMIT 1
    ) AS longest
    CROSS JOIN LATERAL (
        SELECT ST_Transform(ST_SetSRID(ST_Extent(street.geom)::geometry, :grid), 4326) AS box
        FROM street WHERE street.street_key = chosen.street_key
    ) AS bounds
    LEFT JOIN LATERAL (
        SELECT coalesce(min(area.name) FILTER (WHERE area.kind = 'district'),
                        min(area.name) FILTER (WHERE area.kind = 'authority' AND NOT area.served)) AS district,
               coalesce(min(area.name) FILTER (WHERE area.kind = 'ward'),
                        min(area.name) FILTER (WHERE area.kind = 'division')) AS locality
        FROM area_piece JOIN area ON area.id = area_piece.area_id
        WHERE ST_Intersects(area_piece.geom, longest.middle)
    ) AS inside ON true
) AS drawn
ORDER BY chosen.{order}, drawn.name, drawn.area, key
