-- Every act on many defects is undone, done, or due to be done.
SELECT 'act ' || id
FROM bulk_act
WHERE done_at IS NULL AND undone_at IS NULL
  AND NOT EXISTS (SELECT FROM delivery WHERE delivery.consumer = 'acts' AND delivery.subject_id = bulk_act.id)
