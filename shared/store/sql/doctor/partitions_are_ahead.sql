-- Next month's partitions of events and detections are there.
SELECT parent || '_' || month
FROM unnest(ARRAY['event', 'detection']) AS parent,
     (VALUES (to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM')),
             (to_char((now() AT TIME ZONE 'UTC') + interval '1 month', 'YYYY_MM'))) AS ahead(month)
WHERE to_regclass(parent || '_' || month) IS NULL
