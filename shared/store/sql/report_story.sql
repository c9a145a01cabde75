-- Everything on record about the report :id, the newest first, and of its photos. With names in place of ids.
WITH about(subject, id) AS (
    SELECT 'report', CAST(:id AS bigint)
    UNION ALL SELECT 'photo', id FROM photo WHERE report_id = :id
)
SELECT event.at, event.occurred_at, event.kind, event.before, event.after, event.data,
       event.actor, coalesce(person.name, api_key.name) AS by,
       report.reference AS report, NULL AS works_order, NULL AS recall, other.reference AS other
FROM about
JOIN event ON event.subject = about.subject AND event.subject_id = about.id
LEFT JOIN person ON event.actor = 'person:' || person.id
LEFT JOIN api_key ON event.actor = 'key:' || api_key.id
LEFT JOIN report ON report.id = CASE event.subject WHEN 'report' THEN event.subject_id END
LEFT JOIN defect AS other ON other.id = (event.data->>'defect_id')::bigint
ORDER BY event.id DESC
LIMIT :most
