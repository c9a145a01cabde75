-- Where the repairs on which a recall waits were seen: by the reports of the defect, by those that wait with the recall,
-- and by what the batch's own passes have waiting there.
WITH waits AS (
    SELECT recall.defect_id, waiting.report_id, waiting.detection_id
    FROM recall JOIN recall_sighting AS waiting ON waiting.recall_id = recall.id
    WHERE recall.defect_id = ANY(CAST(%(claimed)s AS bigint[])) AND recall.state IN ('proposed', 'disputed')
)
SELECT defect_id, ST_X(geom) AS x, ST_Y(geom) AS y, accuracy_m, street_key, street_side, level, house_number,
       NULL AS survey_pass
FROM sighting
WHERE defect_id = ANY(CAST(%(claimed)s AS bigint[])) AND unlinked_at IS NULL AND report_id IS NOT NULL
UNION ALL
SELECT waits.defect_id, ST_X(report.geom), ST_Y(report.geom), report.accuracy_m, report.street_key, report.street_side,
       report.level, report.house_number, NULL
FROM waits JOIN report ON report.id = waits.report_id
WHERE report.state = 'triage'
UNION ALL
SELECT waits.defect_id, ST_X(detection.geom), ST_Y(detection.geom), detection.accuracy_m, detection.street_key,
       detection.street_side, detection.level, NULL, detection.survey_pass_id
FROM waits JOIN detection ON detection.id = waits.detection_id
WHERE detection.survey_pass_id = ANY(CAST(%(passes)s AS text[]))
