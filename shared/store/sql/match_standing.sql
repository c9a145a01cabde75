-- Defects that a batch may be of: open, or repaired, with a place within :reach of one of its positions, each once.
-- `moves`: a machine has seen it, or it has ended, so that the mean of all that saw it counts as a place.
WITH asked AS (
    SELECT ST_SetSRID(ST_MakePoint(x, y), :grid) AS geom, class_code
    FROM unnest(:xs, :ys, :classes) AS point(x, y, class_code)
), alike AS MATERIALIZED (
    SELECT * FROM unnest(:ours, :others) AS alike(class_code, other)
), wanted AS (
    SELECT near.id
    FROM asked CROSS JOIN LATERAL (
        SELECT defect.id
        FROM defect
        WHERE ST_DWithin(defect.geom, asked.geom, :reach)
          AND (defect.state = ANY(:open) OR defect.repaired_at IS NOT NULL AND defect.state <> 'duplicate')
          AND (defect.detections > 0 OR defect.state <> ALL(:open))
          AND (asked.class_code, defect.class_code) IN (SELECT class_code, other FROM alike)
    ) AS near
    UNION
    SELECT unnest(:placed)
)
SELECT defect.id, defect.class_code, ST_X(defect.geom) AS x, ST_Y(defect.geom) AS y, defect.accuracy_m,
       defect.opened_at, defect.last_seen_at, defect.reports + defect.detections AS seen,
       defect.state = ANY(:open) AS opened, defect.repaired_at,
       defect.state IN ('verified', 'in_warranty') AS promised,
       defect.street_key, defect.street_side, defect.level,
       defect.detections > 0 OR defect.state <> ALL(:open) AS moves
FROM wanted JOIN defect ON defect.id = wanted.id
ORDER BY defect.id
