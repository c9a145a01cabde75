-- Every visit on which a works order stands is judged, or waits for it.
SELECT works_order.reference || ', visit ' || visit.id
FROM works_order JOIN visit ON visit.id = works_order.visit_id
WHERE visit.judged_at IS NULL AND visit.outcome <> 'aborted'
  AND NOT EXISTS (SELECT FROM delivery WHERE delivery.consumer = 'verify' AND delivery.subject_id = works_order.id)
