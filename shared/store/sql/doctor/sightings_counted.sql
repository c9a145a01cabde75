-- Every defect counts the reports and detections that saw it, each once, and was known no later than the first of them.
WITH seen AS (
    SELECT defect_id, count(report_id) AS reports, count(detection_id) AS detections, min(known_at) AS known_at
    FROM sighting
    WHERE unlinked_at IS NULL
    GROUP BY defect_id
)
SELECT defect.reference || ' counts ' || defect.reports || ' reports and ' || defect.detections
       || ' detections, and its sightings are ' || coalesce(seen.reports, 0) || ' and ' || coalesce(seen.detections, 0)
FROM defect LEFT JOIN seen ON seen.defect_id = defect.id
WHERE defect.state <> 'duplicate'
  AND (defect.reports <> coalesce(seen.reports, 0) OR defect.detections <> coalesce(seen.detections, 0)
       OR defect.known_at > seen.known_at)
