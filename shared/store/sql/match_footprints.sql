-- Patches of repairs under warranty near a batch's positions, by position in the batch from 0. The days are the caller's.
WITH asked AS (
    SELECT n, ST_SetSRID(ST_MakePoint(x, y), %(grid)s) AS geom, others
    FROM unnest(CAST(%(ns)s AS integer[]), CAST(%(xs)s AS float8[]), CAST(%(ys)s AS float8[]),
                CAST(%(kinds)s AS integer[])) AS point(n, x, y, kind)
    JOIN (
        SELECT kind, array_agg(other) AS others
        FROM unnest(CAST(%(ours)s AS integer[]), CAST(%(others)s AS text[])) AS alike(kind, other) GROUP BY kind
    ) AS alike USING (kind)
)
SELECT asked.n, warranty.starts_on, warranty.ends_on,
       warranty.id, warranty.defect_id, warranty.repaired_at,
       ST_Distance(warranty.footprint, asked.geom) AS distance_m, warranty.level, warranty.street_key
FROM asked JOIN warranty ON ST_DWithin(warranty.footprint, asked.geom, %(cap)s)
WHERE warranty.state = ANY(CAST(%(live)s AS text[])) AND warranty.class_code = ANY(asked.others)
  -- Mended again while who pays for that is disputed: what is seen there since is that repair's, with its own warranty.
  AND NOT (warranty.state = 'disputed' AND EXISTS (
      SELECT FROM warranty AS remedy WHERE remedy.defect_id = warranty.defect_id AND remedy.follows = warranty.id))
