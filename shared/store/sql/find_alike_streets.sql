-- The streets whose name is most like what was typed. Its core finds them: what half of all streets have in their names
-- ("road") would bring up half of all streets. :core <% name is "a word of it is like the core", by the index.
WITH names AS (
    SELECT name, word_similarity(:core, name) + similarity(:typed, name) AS likeness
    FROM street_name WHERE :core <% name ORDER BY likeness DESC, name LIMIT :most
), chosen AS (
    SELECT street_key, max(likeness) AS likeness FROM names JOIN street ON lower(street.name) = names.name
    GROUP BY street_key ORDER BY likeness DESC, street_key LIMIT :most
)
SELECT 3 AS rank, chosen.street_key AS key, drawn.* FROM chosen
