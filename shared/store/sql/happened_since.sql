-- What was recorded of things since an event that somebody has seen of each, with names where people or keys acted.
-- To a defect belong the merges into it and their undoing, which stand with the other one.
WITH asked AS (
    SELECT * FROM unnest(:ids, :seen) AS given(id, seen)
), about AS (
    SELECT id, id AS subject_id, seen, false AS of_other FROM asked
    UNION
    SELECT asked.id, merge.defect_id, asked.seen, true
    FROM asked JOIN merge ON merge.into_id = asked.id
    WHERE :subject = 'defect'
), told AS (
    SELECT about.id AS about, event.id, event.at, event.kind, event.actor, event.before, event.after, event.data,
           about.of_other,
           CASE WHEN about.of_other THEN event.subject_id
                WHEN event.subject = 'report' THEN (event.data->>'defect_id')::bigint
                ELSE coalesce(event.data->>'into_id', event.data->>'from_id', event.data->>'new_id')::bigint
           END AS other_id
    FROM about
    JOIN event ON event.subject = :subject AND event.subject_id = about.subject_id AND event.id > about.seen
    WHERE NOT about.of_other
       OR event.kind IN ('DefectMerged', 'DefectUnmerged')
          AND about.id = coalesce(event.data->>'into_id', event.data->>'from_id')::bigint
)
SELECT told.about, told.id, told.at, told.kind, told.actor, told.before, told.after, told.data, told.of_other,
       coalesce(person.name, api_key.name) AS name, other.reference AS other,
       CASE :subject
           WHEN 'defect' THEN (SELECT reference FROM defect WHERE defect.id = told.about)
           WHEN 'report' THEN (SELECT reference FROM report WHERE report.id = told.about)
           WHEN 'works_order' THEN (SELECT reference FROM works_order WHERE works_order.id = told.about)
           WHEN 'recall' THEN (SELECT reference FROM recall WHERE recall.id = told.about)
       END AS reference
FROM told
LEFT JOIN person ON told.actor = 'person:' || person.id
LEFT JOIN api_key ON told.actor = 'key:' || api_key.id
LEFT JOIN defect AS other ON other.id = told.other_id
ORDER BY told.about, told.id
