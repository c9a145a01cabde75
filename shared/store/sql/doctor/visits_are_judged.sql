-- Every visit that shows a repair is judged, or waits for it.
SELECT works_order.reference || ', visit ' || visit.id
FROM visit JOIN works_order ON works_order.id = visit.works_order_id
WHERE visit.applied AND visit.judged_at IS NULL AND visit.outcome <> 'aborted'
  AND NOT EXISTS (
      SELECT FROM delivery WHERE delivery.consumer = 'verify' AND delivery.subject_id = visit.works_order_id)
