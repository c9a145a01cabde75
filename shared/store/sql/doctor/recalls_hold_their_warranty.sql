-- Every open recall holds its warranty open, and no warranty is held open by nothing.
SELECT recall.reference
FROM recall JOIN warranty ON warranty.id = recall.warranty_id
WHERE recall.state IN ('proposed', 'disputed') AND warranty.state NOT IN ('claim_open', 'disputed')
UNION ALL
SELECT 'warranty ' || warranty.id
FROM warranty
WHERE warranty.state IN ('claim_open', 'disputed')
  AND NOT EXISTS (
      SELECT FROM recall WHERE recall.warranty_id = warranty.id AND recall.state IN ('proposed', 'disputed'))
