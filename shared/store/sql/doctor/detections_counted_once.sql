-- Every detection of a vendor is stored once, and every batch holds what it accepted.
SELECT 'batch ' || batch.reference
FROM detection_batch AS batch
LEFT JOIN (SELECT batch_id, count(*) AS stored FROM detection GROUP BY batch_id) AS held ON held.batch_id = batch.id
WHERE batch.accepted <> coalesce(held.stored, 0)
  -- Raw detections are kept for a time only: an emptied batch is not a lost one.
  AND batch.received_at > now() - interval '28 days'
