-- Detections that wait for another pass, within :reach of one of a batch's positions, each once.
WITH asked AS (
    SELECT ST_SetSRID(ST_MakePoint(x, y), :grid) AS geom, class_code
    FROM unnest(:xs, :ys, :classes) AS point(x, y, class_code)
), alike AS MATERIALIZED (
    SELECT * FROM unnest(:ours, :others) AS alike(class_code, other)
)
SELECT DISTINCT ON (near.id)
       near.id, near.class_code, ST_X(near.geom) AS x, ST_Y(near.geom) AS y, near.accuracy_m, near.captured_at,
       near.received_at, near.street_id, near.street_key, near.street_side, near.level, near.survey_pass_id,
       near.confidence, near.depth_mm, near.width_mm
FROM asked CROSS JOIN LATERAL (
    SELECT detection.*
    FROM detection
    WHERE ST_DWithin(detection.geom, asked.geom, :reach)
      AND detection.verdict = 'waiting' AND detection.received_at >= :since
      AND (asked.class_code, detection.class_code) IN (SELECT class_code, other FROM alike)
) AS near
ORDER BY near.id
