-- Detections that wait for another pass, in the boxes around a batch's positions. One may come more than once.
WITH asked AS (
    SELECT ST_MakeEnvelope(west - %(reach)s, south - %(reach)s, east + %(reach)s, north + %(reach)s, %(grid)s) AS box
    FROM unnest(CAST(%(west)s AS float8[]), CAST(%(south)s AS float8[]), CAST(%(east)s AS float8[]),
                CAST(%(north)s AS float8[])) AS around(west, south, east, north)
)
SELECT near.id, near.class_code, ST_X(near.geom) AS x, ST_Y(near.geom) AS y, near.accuracy_m, near.captured_at,
       near.received_at, near.street_id, near.street_key, near.street_side, near.level, near.survey_pass_id,
       near.confidence, near.depth_mm, near.width_mm
FROM asked CROSS JOIN LATERAL (
    SELECT detection.*
    FROM detection
    WHERE detection.geom && asked.box
      AND detection.verdict = 'waiting' AND detection.received_at BETWEEN %(since)s AND %(until)s
      AND detection.class_code = ANY(CAST(%(others)s AS text[]))
) AS near
