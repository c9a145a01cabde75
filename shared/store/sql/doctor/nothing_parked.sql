-- No delivery is parked: each waits for a person (roadmend deliveries list).
SELECT consumer || ' ' || event_id || ': ' || split_part(coalesce(error, ''), E'\n', 1)
FROM delivery
WHERE parked_at IS NOT NULL
