-- No message is parked: each waits for a person (roadmend messages list).
SELECT 'message ' || id || ': ' || coalesce(error, '')
FROM message
WHERE parked_at IS NOT NULL AND sent_at IS NULL AND dropped_at IS NULL
