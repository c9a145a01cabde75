-- Everything on record about the defect :id, the newest first: its own events, those of its works orders, warranties and
-- recalls, of reports as far as they have to do with it, and of photos. With names in place of ids.
WITH covering AS (
    SELECT works_order_id AS id FROM works_order_defect WHERE defect_id = :id
), told AS (
    SELECT DISTINCT report_id AS id FROM sighting WHERE defect_id = :id AND report_id IS NOT NULL
), about(subject, id) AS (
    SELECT 'defect', CAST(:id AS bigint)
    UNION ALL SELECT 'works_order', id FROM covering
    UNION ALL SELECT 'warranty', id FROM warranty WHERE defect_id = :id
    UNION ALL SELECT 'recall', id FROM recall WHERE defect_id = :id
    UNION ALL SELECT 'report', id FROM told
    UNION ALL SELECT 'photo', photo.id FROM photo JOIN told ON told.id = photo.report_id
    UNION ALL SELECT 'photo', photo.id FROM photo JOIN visit ON visit.client_id = photo.visit_client_id
              JOIN covering ON covering.id = visit.works_order_id
)
SELECT event.at, event.occurred_at, event.kind, event.before, event.after, event.data,
       event.actor, coalesce(person.name, api_key.name) AS by,
       report.reference AS report, works_order.reference AS works_order, recall.reference AS recall,
       other.reference AS other
FROM about
JOIN event ON event.subject = about.subject AND event.subject_id = about.id
LEFT JOIN person ON event.actor = 'person:' || person.id
LEFT JOIN api_key ON event.actor = 'key:' || api_key.id
LEFT JOIN report ON report.id = CASE event.subject WHEN 'report' THEN event.subject_id END
LEFT JOIN works_order ON works_order.id = CASE event.subject WHEN 'works_order' THEN event.subject_id
                                               ELSE (event.data->>'works_order_id')::bigint END
LEFT JOIN recall ON recall.id = CASE event.subject WHEN 'recall' THEN event.subject_id
                                     ELSE (event.data->>'recall_id')::bigint END
LEFT JOIN defect AS other ON other.id = coalesce((event.data->>'into_id')::bigint, (event.data->>'from_id')::bigint,
                                                 (event.data->>'new_id')::bigint, (event.data->>'recurrence_of')::bigint)
WHERE event.subject <> 'report'
   OR event.kind IN ('ReportReceived', 'ReportResolved', 'ReportChallenged', 'ReportWithdrawn')
   OR (event.data->>'defect_id')::bigint = :id
ORDER BY event.id DESC
LIMIT :most
