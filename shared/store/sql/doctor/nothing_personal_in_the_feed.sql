-- No address or number of a reporter or a follower stands in the feed.
WITH said AS (
    SELECT 'line ' || number AS ref, lower((regexp_matches(body::text, '[^\s"<>,;:]+@[^\s"<>,;]+', 'g'))[1]) AS word
    FROM feed_line WHERE body::text LIKE '%@%'
    UNION ALL
    SELECT 'line ' || number, regexp_replace((regexp_matches(body::text, '\+?\d[\d ]{8,}\d', 'g'))[1], '\D', '', 'g')
    FROM feed_line WHERE body::text ~ '\d[\d ]{8,}\d'
)
SELECT said.ref
FROM said JOIN (SELECT email, phone FROM contact UNION ALL SELECT email, phone FROM follow) AS known
    ON said.word IN (lower(known.email), regexp_replace(known.phone, '\D', '', 'g'))
