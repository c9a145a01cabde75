-- Every ordered defect is covered by one works order that has not ended.
SELECT defect.reference
FROM defect
LEFT JOIN works_order_defect AS covered ON covered.defect_id = defect.id AND covered.ended_at IS NULL
LEFT JOIN works_order ON works_order.id = covered.works_order_id
WHERE defect.state IN ('ordered', 'repair_claimed')
  AND (works_order.id IS NULL OR works_order.state IN ('cancelled', 'paid'))
