-- Every event that the feed listens to has its line, or a delivery that is due or parked.
SELECT event.kind || ' ' || event.id
FROM event
LEFT JOIN feed_line ON feed_line.event_id = event.id
LEFT JOIN delivery ON delivery.consumer = 'feed' AND delivery.event_id = event.id
WHERE event.kind = ANY (:fed) AND feed_line.event_id IS NULL AND delivery.event_id IS NULL
