-- No address or number of a reporter or follower stands in the feed.
WITH said AS (
    SELECT 'line ' || number AS ref, lower((regexp_matches(body::text, '[^\s"<>,;:]+@[^\s"<>,;]+', 'g'))[1]) AS word
    FROM feed_line WHERE body::text LIKE '%@%'
    UNION ALL
    SELECT 'line ' || number, regexp_replace((regexp_matches(body::text, '\+?\d[\d ]{8,}\d', 'g'))[1], '\D', '', 'g')
    FROM feed_line WHERE body::text ~ '\d[\d ]{8,}\d'
)
SELECT said.ref
FROM said JOIN contact ON said.word IN (lower(contact.email), regexp_replace(contact.phone, '\D', '', 'g'))
UNION
SELECT said.ref
FROM said JOIN follow ON said.word IN (lower(follow.email), regexp_replace(follow.phone, '\D', '', 'g'))
