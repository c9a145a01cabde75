-- What the network knows of each position: on the grid, whose area, which street and side. One row a position.
-- {points} is a relation "point" with n, lat, lon, accuracy_m. Metres on the grid throughout.
SELECT
    point.n, point.lat, point.lon, point.accuracy_m,
    ST_X(grid.geom) AS x, ST_Y(grid.geom) AS y, grid.geom,
    grid.geom IS NULL
        AND point.lon BETWEEN :south AND :north AND point.lat BETWEEN :west AND :east AS swapped,
    NOT EXISTS (SELECT FROM area_piece) AS uncharted,
    authority.code AS authority_code, authority.name AS authority_name,
    authority.served AS authority_served, authority.contact AS authority_contact,
    coalesce(district.code, authority.code) AS area_code,
    near.id AS street_id, near.street_key, near.name AS street_name, near.hierarchy, near.maintainer,
    near.level, near.rural, near.distance_m,
    -- Beyond two thirds of the accuracy (95 % within it) the side is right 19 times of 20.
    CASE WHEN near.distance_m < point.accuracy_m * 0.67 OR facing.left_of = 0 THEN NULL
         WHEN facing.left_of > 0 THEN 'left' ELSE 'right' END AS side
FROM {points}
LEFT JOIN LATERAL (
    SELECT ST_Transform(ST_SetSRID(ST_MakePoint(point.lon, point.lat), 4326), :grid) AS geom
    WHERE point.lat BETWEEN :south AND :north AND point.lon BETWEEN :west AND :east
) AS grid ON true
-- The coast of a map is drawn at high water and simplified: a promenade just off it still belongs to its area.
LEFT JOIN LATERAL (
    SELECT
        (array_agg(area.id ORDER BY piece.off_m, area.served DESC) FILTER (WHERE area.kind = 'authority'))[1]
            AS authority_id,
        (array_agg(area.id ORDER BY piece.off_m) FILTER (WHERE area.kind = 'district'))[1] AS district_id
    FROM (
        SELECT area_id, ST_Distance(area_piece.geom, grid.geom) AS off_m
        FROM area_piece WHERE ST_DWithin(area_piece.geom, grid.geom, :edge_m)
    ) AS piece JOIN area ON area.id = piece.area_id
) AS inside ON true
LEFT JOIN area AS authority ON authority.id = inside.authority_id
LEFT JOIN area AS district ON district.id = inside.district_id
-- Nearest first; a road of somebody else's must be nearer than ours by more than the accuracy, or it is taken for ours.
LEFT JOIN LATERAL (
    SELECT street.*, ST_Distance(street.geom, grid.geom) AS distance_m
    FROM street
    WHERE ST_DWithin(street.geom, grid.geom, greatest(:snap_m, point.accuracy_m))
    ORDER BY ST_Distance(street.geom, grid.geom)
        + CASE street.maintainer WHEN 'council' THEN 0 ELSE point.accuracy_m END, street.id
    LIMIT 1
) AS near ON true
-- Left of the line as it is drawn: the sign of the cross product of half a metre of it and the way to the position.
LEFT JOIN LATERAL (
    SELECT (ST_X(ahead) - ST_X(behind)) * (ST_Y(grid.geom) - ST_Y(behind))
         - (ST_Y(ahead) - ST_Y(behind)) * (ST_X(grid.geom) - ST_X(behind)) AS left_of
    FROM (
        SELECT ST_LineInterpolatePoint(line.geom, greatest(line.at - line.step, 0)) AS behind,
               ST_LineInterpolatePoint(line.geom, least(line.at + line.step, 1)) AS ahead
        FROM (
            SELECT part.geom, ST_LineLocatePoint(part.geom, grid.geom) AS at,
                   0.25 / greatest(ST_Length(part.geom), 0.25) AS step
            FROM ST_Dump(near.geom) AS part
            ORDER BY part.geom <-> grid.geom LIMIT 1
        ) AS line
    ) AS ends
) AS facing ON near.distance_m >= point.accuracy_m * 0.67
