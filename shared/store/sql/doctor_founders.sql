-- Of pairs of founding sightings near one another: those of two defects that should perhaps be one, the older first.
WITH near AS (
    SELECT * FROM unnest(:ones, :others) AS near(one, other)
), founded AS (
    SELECT sighting.id, (SELECT min(event.id) FROM event
                         WHERE event.subject = 'defect' AND event.subject_id = sighting.defect_id) AS by_event
    FROM sighting
    WHERE sighting.id IN (SELECT one FROM near UNION SELECT other FROM near)
), pair AS (
    SELECT CASE WHEN first.by_event < second.by_event THEN one ELSE other END AS older_id,
           CASE WHEN first.by_event < second.by_event THEN other ELSE one END AS younger_id,
           greatest(first.by_event, second.by_event) AS by_event
    FROM near JOIN founded AS first ON first.id = near.one JOIN founded AS second ON second.id = near.other
)
SELECT kept.id AS older_id, kept.reference AS older, doubled.reference AS younger,
       kept.class_code AS older_class, doubled.class_code AS younger_class,
       ST_X(kept.geom) AS mean_x, ST_Y(kept.geom) AS mean_y, kept.accuracy_m AS mean_accuracy_m,
       to_jsonb(older) - 'geom' || jsonb_build_object('x', ST_X(older.geom), 'y', ST_Y(older.geom)) AS older_founder,
       to_jsonb(younger) - 'geom' || jsonb_build_object('x', ST_X(younger.geom), 'y', ST_Y(younger.geom))
           AS younger_founder
FROM pair
JOIN sighting AS older ON older.id = pair.older_id
JOIN sighting AS younger ON younger.id = pair.younger_id
JOIN defect AS kept ON kept.id = older.defect_id
JOIN defect AS doubled ON doubled.id = younger.defect_id
WHERE kept.id <> doubled.id AND older.level = younger.level
  AND NOT EXISTS (
      SELECT FROM apart
      WHERE apart.defect_id = least(kept.id, doubled.id) AND apart.other_id = greatest(kept.id, doubled.id)
        AND apart.undone_at IS NULL)
  -- The older one was open when the younger was founded: finished work is never joined.
  AND (SELECT event.after FROM event
       WHERE event.subject = 'defect' AND event.subject_id = kept.id AND event.after IS NOT NULL
         AND event.id < pair.by_event
       ORDER BY event.id DESC LIMIT 1) = ANY (:open)
ORDER BY kept.id, doubled.id
