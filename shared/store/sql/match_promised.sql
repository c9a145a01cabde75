-- Which of the boxes around a batch's positions have a patch under warranty in them, by number from 0.
SELECT around.n - 1 AS n
FROM unnest(CAST(%(west)s AS float8[]), CAST(%(south)s AS float8[]), CAST(%(east)s AS float8[]),
            CAST(%(north)s AS float8[])) WITH ORDINALITY AS around(west, south, east, north, n)
WHERE EXISTS (
    SELECT FROM warranty
    WHERE warranty.footprint
          && ST_MakeEnvelope(west - %(cap)s, south - %(cap)s, east + %(cap)s, north + %(cap)s, %(grid)s)
      AND warranty.state = ANY(CAST(%(live)s AS text[])) AND warranty.class_code = ANY(CAST(%(others)s AS text[]))
)
