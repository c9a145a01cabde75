-- Patches under a live warranty near each of a batch's positions, by position in the batch from 0.
WITH asked AS (
    SELECT n - 1 AS n, ST_SetSRID(ST_MakePoint(x, y), :grid) AS geom, class_code, seen_at
    FROM unnest(:xs, :ys, :classes, :times) WITH ORDINALITY AS point(x, y, class_code, seen_at, n)
), alike AS MATERIALIZED (
    SELECT * FROM unnest(:ours, :others) AS alike(class_code, other)
)
SELECT asked.n, warranty.id, warranty.defect_id, warranty.repaired_at,
       ST_Distance(warranty.footprint, asked.geom) AS distance_m, warranty.level, warranty.street_key
FROM asked JOIN warranty ON ST_DWithin(warranty.footprint, asked.geom, :cap)
WHERE warranty.state = ANY(:live)
  AND (asked.seen_at AT TIME ZONE :zone)::date BETWEEN warranty.starts_on AND warranty.ends_on
  AND (asked.class_code, warranty.class_code) IN (SELECT class_code, other FROM alike)
