-- Finished repairs done after a moment, in the boxes around what waits for another pass. One may come more than once.
-- The boxes are wide enough, also for a mean that is shown a metre off: the distance itself is the judge's.
WITH asked AS (
    SELECT ST_MakeEnvelope(west - %(reach)s, south - %(reach)s, east + %(reach)s, north + %(reach)s, %(grid)s) AS box
    FROM unnest(CAST(%(west)s AS float8[]), CAST(%(south)s AS float8[]), CAST(%(east)s AS float8[]),
                CAST(%(north)s AS float8[])) AS around(west, south, east, north)
)
SELECT near.id, near.class_code, coalesce(near.mean_x, ST_X(near.geom)) AS x,
       coalesce(near.mean_y, ST_Y(near.geom)) AS y, near.accuracy_m,
       near.opened_at, near.last_seen_at, near.reports + near.detections AS seen,
       false AS opened, near.repaired_at, near.state IN ('verified', 'in_warranty') AS promised,
       near.street_key, near.street_side, near.level
FROM asked CROSS JOIN LATERAL (
    SELECT defect.*
    FROM defect
    WHERE defect.geom && asked.box
      AND defect.repaired_at > %(since)s
      AND defect.state <> ALL(CAST(%(open)s AS text[])) AND defect.state <> 'duplicate'
      AND defect.class_code = ANY(CAST(%(others)s AS text[]))
) AS near
