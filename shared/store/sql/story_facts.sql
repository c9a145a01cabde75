-- What a timeline tells beside the states, of reports or of defects: dates promised, moved and missed; crews that came
-- and could not work, and when one means to come; repairs that were questioned. In the order of their recording.
SELECT event.subject_id AS id, event.at, event.kind, event.data
FROM event
WHERE event.subject = :subject AND event.subject_id = ANY (:ids)
  AND event.kind IN ('DefectGraded', 'DeadlineMoved', 'DeadlineMissed', 'TriageMissed')
UNION ALL
SELECT covered.defect_id, visit.received_at, 'attempt', jsonb_build_object('reason', visit.reason)
FROM works_order_defect AS covered JOIN visit ON visit.works_order_id = covered.works_order_id
WHERE :subject = 'defect' AND covered.defect_id = ANY (:ids) AND covered.defect_id = ANY (visit.defect_ids)
  AND visit.outcome = 'aborted' AND visit.reason IS NOT NULL
UNION ALL
SELECT covered.defect_id, works_order.updated_at, 'scheduled', jsonb_build_object('for', works_order.scheduled_for)
FROM works_order_defect AS covered JOIN works_order ON works_order.id = covered.works_order_id
WHERE :subject = 'defect' AND covered.defect_id = ANY (:ids) AND covered.ended_at IS NULL
  AND works_order.state = 'scheduled' AND works_order.scheduled_for IS NOT NULL
UNION ALL
SELECT recall.defect_id, recall.proposed_at, 'questioned', '{}'
FROM recall
WHERE :subject = 'defect' AND recall.defect_id = ANY (:ids)
UNION ALL
SELECT recall.defect_id, coalesce(recall.ruled_at, recall.decided_at), 'upheld', '{}'
FROM recall
WHERE :subject = 'defect' AND recall.defect_id = ANY (:ids) AND recall.state = 'not_attributable'
  AND coalesce(recall.ruled_at, recall.decided_at) IS NOT NULL
ORDER BY at
