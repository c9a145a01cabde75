-- No address or number of a reporter or follower stands in the events.
WITH said AS (
    SELECT 'event ' || id AS ref, lower((regexp_matches(data::text, '[^\s"<>,;:]+@[^\s"<>,;]+', 'g'))[1]) AS word
    FROM event WHERE data::text LIKE '%@%'
    UNION ALL
    SELECT 'event ' || id, regexp_replace((regexp_matches(data::text, '\+?\d[\d ]{8,}\d', 'g'))[1], '\D', '', 'g')
    FROM event WHERE data::text ~ '\d[\d ]{8,}\d'
)
SELECT said.ref
FROM said JOIN contact ON said.word IN (lower(contact.email), regexp_replace(contact.phone, '\D', '', 'g'))
UNION
SELECT said.ref
FROM said JOIN follow ON said.word IN (lower(follow.email), regexp_replace(follow.phone, '\D', '', 'g'))
