-- Every verified repair names a verifier who is not the one who completed it.
SELECT defect.reference
FROM event
JOIN defect ON defect.id = event.subject_id
LEFT JOIN visit ON visit.id = (event.data->>'visit_id')::bigint
WHERE event.kind = 'RepairVerified'
  AND (coalesce(event.data->>'verifier', '') = '' OR event.data->>'verifier' IS NOT DISTINCT FROM visit.person)
UNION ALL
SELECT defect.reference
FROM event JOIN defect ON defect.id = event.subject_id
WHERE event.kind = 'DefectStepped' AND event.after = 'verified' AND event.actor !~ '^(person|key):'
UNION ALL
SELECT works_order.reference
FROM works_order LEFT JOIN visit ON visit.id = works_order.visit_id
WHERE works_order.verified_at IS NOT NULL
  AND (coalesce(works_order.verifier, '') = '' OR works_order.verifier IS NOT DISTINCT FROM visit.person)
