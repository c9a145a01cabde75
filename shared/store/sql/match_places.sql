-- Where people saw the open defects near a batch: a row for each standing report in the boxes around its positions.
-- One may come more than once. The boxes are wide enough: the distance itself is the judge's.
WITH asked AS (
    SELECT ST_MakeEnvelope(west - %(reach)s, south - %(reach)s, east + %(reach)s, north + %(reach)s, %(grid)s) AS box
    FROM unnest(CAST(%(west)s AS float8[]), CAST(%(south)s AS float8[]), CAST(%(east)s AS float8[]),
                CAST(%(north)s AS float8[])) AS around(west, south, east, north)
)
SELECT place.id, place.defect_id, ST_X(place.geom) AS x, ST_Y(place.geom) AS y, place.accuracy_m,
       place.street_key, place.street_side, place.level, place.house_number
FROM asked CROSS JOIN LATERAL (
    SELECT sighting.*
    FROM sighting JOIN defect ON defect.id = sighting.defect_id
    WHERE sighting.geom && asked.box
      AND sighting.unlinked_at IS NULL AND sighting.report_id IS NOT NULL
      AND defect.state = ANY(CAST(%(open)s AS text[]))
      AND defect.class_code = ANY(CAST(%(others)s AS text[]))
) AS place
