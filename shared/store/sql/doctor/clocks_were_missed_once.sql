-- Every missed clock is told once.
SELECT event.kind || ' of ' || event.subject || ' ' || event.subject_id
FROM event
WHERE event.kind IN ('DeadlineMissed', 'TriageMissed')
GROUP BY event.kind, event.subject, event.subject_id, event.data->>'clock', event.data->>'due_at'
HAVING count(*) > 1
