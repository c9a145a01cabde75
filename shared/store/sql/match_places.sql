-- Where people saw the open defects near a batch: a row for each standing report within the reach of one of its positions.
-- One may come more than once. The box is wide enough: the distance itself is the judge's.
WITH asked AS (
    SELECT ST_MakeEnvelope(x - %(reach)s, y - %(reach)s, x + %(reach)s, y + %(reach)s, %(grid)s) AS box, others
    FROM unnest(CAST(%(xs)s AS float8[]), CAST(%(ys)s AS float8[]), CAST(%(kinds)s AS integer[])) AS point(x, y, kind)
    JOIN (
        SELECT kind, array_agg(other) AS others
        FROM unnest(CAST(%(ours)s AS integer[]), CAST(%(others)s AS text[])) AS alike(kind, other) GROUP BY kind
    ) AS alike USING (kind)
)
SELECT place.id, place.defect_id, ST_X(place.geom) AS x, ST_Y(place.geom) AS y, place.accuracy_m,
       place.street_key, place.street_side, place.level, place.house_number
FROM asked CROSS JOIN LATERAL (
    SELECT sighting.*
    FROM sighting JOIN defect ON defect.id = sighting.defect_id
    WHERE sighting.geom && asked.box
      AND sighting.unlinked_at IS NULL AND sighting.report_id IS NOT NULL
      AND defect.state = ANY(CAST(%(open)s AS text[]))
      AND defect.class_code = ANY(asked.others)
) AS place
