-- Reports whose description or address has the words, the best of the newest first. Most words are either so common that
-- the newest 500 reports hold enough, or so rare that the index finds few: a plan that is guessed read the whole table.
WITH newest AS (
    SELECT id FROM (SELECT id, description, address FROM report ORDER BY id DESC LIMIT 500) AS report
    WHERE {words} @@ websearch_to_tsquery('english', :sought)
    LIMIT :enough
), all_of_them AS MATERIALIZED (
    SELECT id FROM report
    WHERE {words} @@ websearch_to_tsquery('english', :sought) AND (SELECT count(*) FROM newest) < :enough
    LIMIT 50000
), found AS (
    SELECT id FROM newest UNION (SELECT id FROM all_of_them ORDER BY id DESC LIMIT :enough)
)
SELECT id FROM report JOIN found USING (id)
ORDER BY ts_rank({words}, websearch_to_tsquery('english', :sought)) DESC, id DESC
LIMIT :most
