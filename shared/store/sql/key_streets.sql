-- Gives a key to every street that has none: pieces of one name, no more than :gap_m apart, are one street.
-- A map cuts streets at junctions, and every town has a High Street. A key once given is kept.
WITH named AS (
    SELECT id, network_id, street_key, lower(name) AS name,
           ST_ClusterDBSCAN(geom, :gap_m, 1) OVER (PARTITION BY lower(name)) AS island
    FROM street
    WHERE usrn IS NULL AND name <> '' AND lower(name) IN (
        SELECT lower(name) FROM street WHERE street_key = '' AND name <> '')
), keyed AS (
    SELECT id, street_key,
           coalesce(min(nullif(street_key, '')) OVER one, name || ' ' || min(network_id) OVER one) AS key
    FROM named
    WINDOW one AS (PARTITION BY name, island)
), unnamed AS (
    SELECT id, network_id AS key FROM street WHERE street_key = '' AND name = ''
)
UPDATE street SET street_key = found.key
FROM (SELECT id, key FROM keyed WHERE street_key = '' UNION ALL SELECT id, key FROM unnamed) AS found
WHERE street.id = found.id
