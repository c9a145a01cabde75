-- Every defect that a person told of has a band, or waits for its grading.
SELECT defect.reference
FROM defect
WHERE defect.band IS NULL AND defect.reports > 0 AND defect.state = ANY (:open)
  AND NOT EXISTS (SELECT FROM delivery WHERE delivery.consumer = 'grade' AND delivery.subject_id = defect.id)
