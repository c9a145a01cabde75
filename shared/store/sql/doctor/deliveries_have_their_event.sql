-- Every delivery is of an event that exists, to a consumer that listens to it.
SELECT delivery.consumer || ' ' || delivery.event_id
FROM delivery
LEFT JOIN event ON event.id = delivery.event_id AND event.at = delivery.event_at
LEFT JOIN unnest(:kinds, :consumers) AS listener(kind, consumer)
    ON listener.kind = delivery.kind AND listener.consumer = delivery.consumer
WHERE event.id IS NULL OR listener.consumer IS NULL
