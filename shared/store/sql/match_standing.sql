-- Defects that a batch may be of: open, or repaired, near one of its positions. One may come more than once.
-- The box is wide enough, also for a mean that is shown a metre off: the distance itself is the judge's. `placed` are those that a person's place is near to.
WITH asked AS (
    SELECT ST_MakeEnvelope(x - %(reach)s, y - %(reach)s, x + %(reach)s, y + %(reach)s, %(grid)s) AS box, others
    FROM unnest(CAST(%(xs)s AS float8[]), CAST(%(ys)s AS float8[]), CAST(%(kinds)s AS integer[])) AS point(x, y, kind)
    JOIN (
        SELECT kind, array_agg(other) AS others
        FROM unnest(CAST(%(ours)s AS integer[]), CAST(%(others)s AS text[])) AS alike(kind, other) GROUP BY kind
    ) AS alike USING (kind)
)
SELECT near.id, near.class_code, coalesce(near.mean_x, ST_X(near.geom)) AS x,
       coalesce(near.mean_y, ST_Y(near.geom)) AS y, near.accuracy_m,
       near.opened_at, near.last_seen_at, near.reports + near.detections AS seen,
       near.state = ANY(CAST(%(open)s AS text[])) AS opened, near.repaired_at,
       near.state IN ('verified', 'in_warranty') AS promised,
       near.street_key, near.street_side, near.level, ST_X(near.geom) AS shown_x, ST_Y(near.geom) AS shown_y
FROM (
    SELECT defect.*
    FROM asked CROSS JOIN LATERAL (
        SELECT defect.* FROM defect
        WHERE defect.geom && asked.box
          AND (defect.state = ANY(CAST(%(open)s AS text[]))
               OR defect.repaired_at IS NOT NULL AND defect.state <> 'duplicate')
          AND defect.class_code = ANY(asked.others)
    ) AS defect
    UNION ALL
    SELECT defect.* FROM defect WHERE defect.id = ANY(CAST(%(placed)s AS bigint[]))
) AS near
