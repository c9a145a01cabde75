-- Areas by name: the name itself, its beginning, a word in it; or, where :core is not '', those most like it. The middle
-- is a point that lies inside. There are some hundreds, and the table holds their outlines elsewhere: it is read through.
WITH named AS (
    SELECT id, lower(name) AS lower_name, word_similarity(:core, lower(name)) AS likeness FROM area
    WHERE kind <> 'authority' OR served
), chosen AS (
    SELECT id, CASE WHEN lower_name = :typed THEN 0 WHEN lower_name LIKE :beginning THEN 1
                    WHEN lower_name LIKE :word THEN 2 ELSE 3 END AS rank, likeness, lower_name
    FROM named
    WHERE CASE WHEN :core = '' THEN lower_name LIKE :beginning OR lower_name LIKE :word ELSE likeness >= :least END
    ORDER BY rank, CASE WHEN :core = '' THEN 0 ELSE -likeness END, lower_name, id LIMIT :most
)
SELECT chosen.rank, area.kind, area.code AS key, area.name, ST_Y(middle) AS lat, ST_X(middle) AS lon,
       ST_XMin(box) AS west, ST_YMin(box) AS south, ST_XMax(box) AS east, ST_YMax(box) AS north,
       parent.name AS area, NULL AS locality
FROM chosen JOIN area USING (id) LEFT JOIN area AS parent ON parent.code = area.parent_code AND area.kind <> 'district'
CROSS JOIN LATERAL (
    SELECT ST_Transform(ST_Envelope(area.geom), 4326) AS box, ST_Transform(ST_PointOnSurface((
        SELECT piece.geom FROM area_piece AS piece WHERE piece.area_id = area.id
        ORDER BY ST_Area(piece.geom) DESC LIMIT 1)), 4326) AS middle
    OFFSET 0
) AS drawn
ORDER BY chosen.rank, CASE WHEN :core = '' THEN 0 ELSE -likeness END, chosen.lower_name, area.code
