-- The newest of each kind on the streets whose name begins with what was typed, or else is most like it.
WITH begins AS (
    SELECT DISTINCT street_key FROM street WHERE lower(name) LIKE :beginning LIMIT :streets
), alike AS (
    SELECT street_key, max(word_similarity(:typed, lower(name))) AS likeness FROM street
    WHERE :typed <% lower(name) AND NOT EXISTS (SELECT FROM begins)
    GROUP BY street_key ORDER BY likeness DESC, street_key LIMIT :streets
), streets AS (
    SELECT street_key FROM begins UNION ALL SELECT street_key FROM alike
)
SELECT 'report' AS kind, one.id, one.id AS newest FROM streets CROSS JOIN LATERAL (
    SELECT id FROM report WHERE report.street_key = streets.street_key ORDER BY id DESC LIMIT :most) AS one
UNION ALL
SELECT 'defect', one.id, one.id FROM streets CROSS JOIN LATERAL (
    SELECT id FROM defect WHERE defect.street_key = streets.street_key ORDER BY updated_at DESC, id DESC LIMIT :most) AS one
UNION ALL
SELECT 'works_order', one.id, one.id FROM streets CROSS JOIN LATERAL (
    SELECT id FROM works_order WHERE works_order.street_key = streets.street_key
    ORDER BY updated_at DESC, reference DESC LIMIT :most) AS one
ORDER BY newest DESC
