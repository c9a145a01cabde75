-- The events of a batch that have no line yet, in order, with what a reader needs of the thing that each is about; and
-- the newest line, on which they follow.
WITH asked AS (
    SELECT * FROM unnest(CAST(:ids AS bigint[]), CAST(:times AS timestamptz[])) AS listed(id, at)
), said AS (
    SELECT event.*,
           CASE subject WHEN 'defect' THEN subject_id ELSE (data->>'defect_id')::bigint END AS about_defect,
           CASE subject WHEN 'report' THEN subject_id END AS about_report,
           CASE subject WHEN 'works_order' THEN subject_id ELSE (data->>'works_order_id')::bigint END AS about_order,
           coalesce((data->>'into_id')::bigint, (data->>'from_id')::bigint, (data->>'new_id')::bigint,
                    (data->>'recurrence_of')::bigint) AS about_other
    FROM asked JOIN event USING (id, at)
    WHERE NOT EXISTS (SELECT FROM feed_line WHERE feed_line.event_id = asked.id)
), newest AS (
    SELECT number, hash FROM feed_line ORDER BY number DESC LIMIT 1
)
SELECT said.id, said.at, said.occurred_at, said.kind, said.subject, said.before, said.after, said.actor, said.data,
       coalesce(CASE said.subject
           WHEN 'report' THEN report.reference
           WHEN 'defect' THEN defect.reference
           WHEN 'works_order' THEN works_order.reference
           WHEN 'recall' THEN recall.reference
           WHEN 'batch' THEN detection_batch.reference
       END, said.subject || ' ' || said.subject_id) AS reference,
       coalesce(report.class_code, defect.class_code) AS class_code,
       coalesce(defect.area_code, works_order.area_code) AS area_code,
       coalesce(report.lat, defect.lat) AS lat,
       coalesce(report.lon, defect.lon) AS lon,
       coalesce(said.after, CASE said.subject WHEN 'report' THEN report.state WHEN 'defect' THEN defect.state
                            WHEN 'works_order' THEN works_order.state END) AS state,
       coalesce((said.data->>'contractor_id')::bigint, works_order.contractor_id) AS contractor_id,
       contractor.code AS contractor,
       contractor.id = CASE
           WHEN said.actor ~ '^person:[0-9]{1,18}$'
           THEN (SELECT person.contractor_id FROM person WHERE person.id = split_part(said.actor, ':', 2)::bigint)
           WHEN said.actor ~ '^key:[0-9]{1,18}$'
           THEN (SELECT api_key.contractor_id FROM api_key WHERE api_key.id = split_part(said.actor, ':', 2)::bigint)
       END AS by_contractor,
       defect.reference AS defect, defect.band AS band, other.reference AS other, works_order.reference AS works_order,
       newest.number AS last_number, newest.hash AS last_hash
FROM said
LEFT JOIN newest ON true
LEFT JOIN report ON report.id = said.about_report
LEFT JOIN defect ON defect.id = said.about_defect
LEFT JOIN defect AS other ON other.id = said.about_other
LEFT JOIN works_order ON works_order.id = said.about_order
LEFT JOIN recall ON said.subject = 'recall' AND recall.id = said.subject_id
LEFT JOIN detection_batch ON said.subject = 'batch' AND detection_batch.id = said.subject_id
LEFT JOIN contractor ON contractor.id = coalesce((said.data->>'contractor_id')::bigint, works_order.contractor_id)
ORDER BY said.id
