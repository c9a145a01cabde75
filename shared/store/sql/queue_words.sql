-- Defects that a report with these words told of. A word that one report in 25 has would bring up half the table: of such
-- a one the newest 2,500 reports are looked through. Of any other the index finds all, as in a search.
WITH newest AS (
    SELECT id FROM (SELECT id, description, address FROM report ORDER BY id DESC LIMIT 500) AS report
    WHERE {words} @@ websearch_to_tsquery('english', :sought)
), lately AS (
    SELECT id FROM (
        SELECT id, description, address FROM report WHERE (SELECT count(*) FROM newest) >= 20 ORDER BY id DESC LIMIT 2500
    ) AS report
    WHERE {words} @@ websearch_to_tsquery('english', :sought)
), all_of_them AS MATERIALIZED (
    SELECT id FROM report
    WHERE {words} @@ websearch_to_tsquery('english', :sought) AND (SELECT count(*) FROM newest) < 20
    LIMIT 50000
), told AS (
    SELECT id FROM lately UNION ALL SELECT id FROM all_of_them
)
SELECT sighting.defect_id
FROM told JOIN sighting ON sighting.report_id = told.id AND sighting.unlinked_at IS NULL
