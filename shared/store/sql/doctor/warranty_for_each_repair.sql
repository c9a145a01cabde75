-- There is a warranty for each verified permanent repair that the policy warrants, and for nothing else.
WITH verified AS (
    SELECT event.subject_id AS defect_id, (event.data->>'works_order_id')::bigint AS works_order_id, event.id
    FROM event
    WHERE event.kind = 'RepairVerified'
)
SELECT defect.reference || ' has no warranty for its verified repair'
FROM verified JOIN defect ON defect.id = verified.defect_id
LEFT JOIN warranty USING (defect_id, works_order_id)
WHERE warranty.id IS NULL
  -- A repair without a term is told so: its defect went on from verified to closed.
  AND NOT EXISTS (
      SELECT FROM event AS ended
      WHERE ended.subject = 'defect' AND ended.subject_id = verified.defect_id AND ended.id > verified.id
        AND ended.before = 'verified' AND ended.after = 'closed')
UNION ALL
SELECT 'warranty ' || warranty.id || ' of ' || defect.reference || ' has no verified repair'
FROM warranty JOIN defect ON defect.id = warranty.defect_id
LEFT JOIN verified USING (defect_id, works_order_id)
WHERE verified.id IS NULL
UNION ALL
SELECT defect.reference || ' is in warranty without one that stands'
FROM defect
WHERE defect.state = 'in_warranty'
  AND NOT EXISTS (
      SELECT FROM warranty
      WHERE warranty.defect_id = defect.id
        AND warranty.state IN ('active', 'claim_open', 'disputed', 'attributable', 'not_attributable'))
