-- What happened where these follows look, after each was last told and up to a time: at most so many of the newest
-- events for each, in their order.
WITH told AS (
    SELECT follow.id, follow.told_at, follow.street_key, follow.area_id, follow.geom,
           coalesce(defect.merged_into, defect.id) AS defect_id
    FROM follow LEFT JOIN defect ON defect.id = follow.defect_id
    WHERE follow.id = ANY (:ids)
), hit AS (
    SELECT told.id AS follow_id, told.told_at, defect.id FROM told JOIN defect ON defect.id = told.defect_id
    UNION
    SELECT told.id, told.told_at, defect.id FROM told JOIN defect ON defect.street_key = told.street_key
    WHERE defect.updated_at >= told.told_at
    UNION
    SELECT told.id, told.told_at, defect.id FROM told JOIN defect ON ST_Intersects(told.geom, defect.geom)
    WHERE defect.updated_at >= told.told_at
    UNION
    SELECT told.id, told.told_at, defect.id
    FROM told
    JOIN area_piece ON area_piece.area_id = told.area_id
    JOIN defect ON ST_Intersects(area_piece.geom, defect.geom)
    WHERE defect.updated_at >= told.told_at
), happened AS (
    SELECT hit.follow_id, hit.id AS defect_id, event.id AS event_id, event.at, event.kind, event.after,
           event.data->>'clock' AS clock,
           row_number() OVER (PARTITION BY hit.follow_id ORDER BY event.id DESC) AS back
    FROM hit
    JOIN event ON event.subject = 'defect' AND event.subject_id = hit.id
    WHERE event.at > hit.told_at AND event.at <= :until AND event.kind = ANY (:kinds)
)
SELECT happened.follow_id, happened.at, happened.kind, happened.after, happened.clock, defect.reference AS defect,
       defect.class_code, nullif(street.name, '') AS street
FROM happened
JOIN defect ON defect.id = happened.defect_id
LEFT JOIN street ON street.id = defect.street_id
WHERE happened.back <= :most
ORDER BY happened.follow_id, happened.event_id
