-- A duplicate names its original, which is not a duplicate itself; nothing else is merged.
SELECT defect.reference
FROM defect LEFT JOIN defect AS original ON original.id = defect.merged_into
WHERE (defect.state = 'duplicate' OR defect.merged_into IS NOT NULL)
  AND (defect.state <> 'duplicate' OR original.id IS NULL OR original.merged_into IS NOT NULL)
