-- Detections that wait for another pass, near one of a batch's positions. One may come more than once.
WITH asked AS (
    SELECT ST_MakeEnvelope(x - %(reach)s, y - %(reach)s, x + %(reach)s, y + %(reach)s, %(grid)s) AS box, others
    FROM unnest(CAST(%(xs)s AS float8[]), CAST(%(ys)s AS float8[]), CAST(%(kinds)s AS integer[])) AS point(x, y, kind)
    JOIN (
        SELECT kind, array_agg(other) AS others
        FROM unnest(CAST(%(ours)s AS integer[]), CAST(%(others)s AS text[])) AS alike(kind, other) GROUP BY kind
    ) AS alike USING (kind)
)
SELECT near.id, near.class_code, ST_X(near.geom) AS x, ST_Y(near.geom) AS y, near.accuracy_m, near.captured_at,
       near.received_at, near.street_id, near.street_key, near.street_side, near.level, near.survey_pass_id,
       near.confidence, near.depth_mm, near.width_mm
FROM asked CROSS JOIN LATERAL (
    SELECT detection.*
    FROM detection
    WHERE detection.geom && asked.box
      AND detection.verdict = 'waiting' AND detection.received_at BETWEEN %(since)s AND %(until)s
      AND detection.class_code = ANY(asked.others)
) AS near
