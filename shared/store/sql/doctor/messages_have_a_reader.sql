-- Every message is due, parked, sent or dropped, not two of the first three, and one that is to leave has its reader.
SELECT 'message ' || id
FROM message
WHERE (sent_at IS NOT NULL AND (parked_at IS NOT NULL OR sent_as IS NULL))
   OR (sent_at IS NULL AND parked_at IS NULL AND dropped_at IS NULL AND num_nonnulls(report_id, follow_id) <> 1)
