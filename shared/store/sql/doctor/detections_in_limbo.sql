-- Every detection is joined, kept, set aside or in a batch that is still to be matched.
SELECT 'batch ' || batch.reference
FROM detection_batch AS batch
WHERE batch.matched_at IS NULL
  AND NOT EXISTS (
      SELECT FROM event JOIN delivery ON delivery.event_id = event.id AND delivery.consumer = 'detections'
      WHERE event.subject = 'batch' AND event.subject_id = batch.id)
UNION ALL
SELECT 'detection ' || detection.id || ' of batch ' || batch.reference
FROM detection JOIN detection_batch AS batch ON batch.id = detection.batch_id
WHERE batch.matched_at IS NOT NULL AND detection.verdict = 'received'
  AND NOT EXISTS (SELECT FROM sighting WHERE sighting.detection_id = detection.id)
