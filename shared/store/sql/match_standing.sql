-- Defects that a batch may be of: open, or repaired, in the boxes around its positions. One may come more than once.
-- The boxes are wide enough, also for a mean that is shown a metre off: the distance itself is the judge's. `placed` are
-- those that a person's place is near to. `claimed`: the warranty of its repair on which a recall waits.
WITH asked AS (
    SELECT ST_MakeEnvelope(west - %(reach)s, south - %(reach)s, east + %(reach)s, north + %(reach)s, %(grid)s) AS box
    FROM unnest(CAST(%(west)s AS float8[]), CAST(%(south)s AS float8[]), CAST(%(east)s AS float8[]),
                CAST(%(north)s AS float8[])) AS around(west, south, east, north)
), claimed AS (
    -- Few are: the planner may as well read them all. What an older repair is disputed for says nothing of the last one.
    SELECT defect_id, max(warranty_id) AS warranty_id
    FROM recall
    WHERE state IN ('proposed', 'disputed')
      AND NOT EXISTS (SELECT FROM warranty AS later
                      WHERE later.defect_id = coalesce(recall.new_defect_id, recall.defect_id)
                        AND later.follows = recall.warranty_id)
    GROUP BY defect_id
)
SELECT near.id, near.class_code, coalesce(near.mean_x, ST_X(near.geom)) AS x,
       coalesce(near.mean_y, ST_Y(near.geom)) AS y, near.accuracy_m,
       near.opened_at, near.last_seen_at, near.reports + near.detections AS seen,
       near.state = ANY(CAST(%(open)s AS text[])) AS opened, near.repaired_at,
       near.state IN ('verified', 'in_warranty') AS promised,
       near.street_key, near.street_side, near.level, ST_X(near.geom) AS shown_x, ST_Y(near.geom) AS shown_y,
       CASE WHEN near.state <> ALL(CAST(%(open)s AS text[])) THEN claimed.warranty_id END AS claimed
FROM (
    SELECT defect.*
    FROM asked CROSS JOIN LATERAL (
        SELECT defect.* FROM defect
        WHERE defect.geom && asked.box
          AND (defect.state = ANY(CAST(%(open)s AS text[]))
               OR defect.repaired_at IS NOT NULL AND defect.state <> 'duplicate')
          AND defect.class_code = ANY(CAST(%(others)s AS text[]))
    ) AS defect
    UNION ALL
    SELECT defect.* FROM defect WHERE defect.id = ANY(CAST(%(placed)s AS bigint[]))
) AS near
LEFT JOIN claimed ON claimed.defect_id = near.id
