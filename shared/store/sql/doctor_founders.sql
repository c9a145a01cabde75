-- Pairs of open defects that machines founded within :reach metres of one another on one level, with their founders.
-- Cells of that size: a pair lies in one cell or in two that touch, so each looks east, north-east, north, north-west.
WITH founder AS MATERIALIZED (
    SELECT sighting.*, ST_X(sighting.geom) AS x, ST_Y(sighting.geom) AS y,
           floor(ST_X(sighting.geom) / :reach)::bigint AS col, floor(ST_Y(sighting.geom) / :reach)::bigint AS line
    FROM sighting JOIN defect ON defect.id = sighting.defect_id
    WHERE sighting.verdict = 'new' AND sighting.unlinked_at IS NULL AND sighting.merged_from IS NULL
      AND defect.state = ANY (:open)
), near AS (
    SELECT a.id AS one, b.id AS other
    FROM founder AS a
    CROSS JOIN (VALUES (0, 0), (1, 0), (1, 1), (0, 1), (-1, 1)) AS step(east, north)
    JOIN founder AS b ON b.col = a.col + step.east AND b.line = a.line + step.north
    WHERE a.defect_id <> b.defect_id AND a.level = b.level
      AND (step.east <> 0 OR step.north <> 0 OR a.id < b.id)
      AND (a.x - b.x) ^ 2 + (a.y - b.y) ^ 2 <= :reach ^ 2
), founded AS (
    SELECT founder.id, (SELECT min(event.id) FROM event
                        WHERE event.subject = 'defect' AND event.subject_id = founder.defect_id) AS by_event
    FROM founder
    WHERE founder.id IN (SELECT one FROM near UNION SELECT other FROM near)
), pair AS (
    SELECT CASE WHEN first.by_event < second.by_event THEN one ELSE other END AS older_founder_id,
           CASE WHEN first.by_event < second.by_event THEN other ELSE one END AS younger_founder_id,
           greatest(first.by_event, second.by_event) AS by_event
    FROM near JOIN founded AS first ON first.id = near.one JOIN founded AS second ON second.id = near.other
)
SELECT older.defect_id AS older_id, younger.defect_id AS younger_id,
       kept.reference AS older, doubled.reference AS younger,
       kept.class_code AS older_class, doubled.class_code AS younger_class,
       ST_X(kept.geom) AS mean_x, ST_Y(kept.geom) AS mean_y, kept.accuracy_m AS mean_accuracy_m,
       to_jsonb(older) - 'geom' AS older_founder, to_jsonb(younger) - 'geom' AS younger_founder
FROM pair
JOIN founder AS older ON older.id = pair.older_founder_id
JOIN founder AS younger ON younger.id = pair.younger_founder_id
JOIN defect AS kept ON kept.id = older.defect_id
JOIN defect AS doubled ON doubled.id = younger.defect_id
WHERE NOT EXISTS (
    SELECT FROM apart
    WHERE apart.defect_id = least(kept.id, doubled.id) AND apart.other_id = greatest(kept.id, doubled.id)
      AND apart.undone_at IS NULL)
  -- The older one was open when the younger was founded: finished work is never joined.
  AND (SELECT event.after FROM event
       WHERE event.subject = 'defect' AND event.subject_id = kept.id AND event.after IS NOT NULL
         AND event.id < pair.by_event
       ORDER BY event.id DESC LIMIT 1) = ANY (:open)
ORDER BY kept.id, doubled.id
