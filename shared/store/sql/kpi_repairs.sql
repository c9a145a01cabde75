-- The verified permanent repairs of a period: who did each, in how many attendances, and when it was seen to fail.
-- A failure counts by the day on which it was first seen, whenever it was decided about.
WITH verified AS (
    SELECT event.id, event.subject_id AS defect_id, (event.data->>'works_order_id')::bigint AS works_order_id,
           event.occurred_at AS verified_at
    FROM event
    WHERE event.kind = 'RepairVerified' AND event.occurred_at >= :first AND event.occurred_at < :past
      AND event.at >= :first
), decided AS (
    SELECT DISTINCT ON (event.subject_id) event.subject_id AS recall_id, event.data->>'decision' AS decision
    FROM event
    WHERE event.kind = 'RecallDecided' AND event.data->>'decision' IN ('attributable', 'not_attributable')
    ORDER BY event.subject_id, event.id DESC
)
SELECT verified.verified_at, contractor.code AS contractor,
       coalesce((SELECT graded.data->>'band' FROM event AS graded
                 WHERE graded.subject = 'defect' AND graded.subject_id = verified.defect_id
                   AND graded.kind = 'DefectGraded' AND graded.id < verified.id
                 ORDER BY graded.id DESC LIMIT 1), works_order.band) AS band,
       (SELECT count(DISTINCT visit.id)
        FROM works_order_defect AS covered JOIN visit ON visit.works_order_id = covered.works_order_id
        WHERE covered.defect_id = verified.defect_id AND visit.ended_at <= verified.verified_at
          AND visit.ended_at > coalesce(
              (SELECT max(earlier.occurred_at) FROM event AS earlier
               WHERE earlier.subject = 'defect' AND earlier.subject_id = verified.defect_id
                 AND earlier.kind = 'RepairVerified' AND earlier.id < verified.id), '-infinity')) AS visits,
       ARRAY(SELECT coalesce(least(min(report.observed_at), min(detection.captured_at)), recall.proposed_at)
             FROM warranty
             JOIN recall ON recall.warranty_id = warranty.id
             JOIN decided ON decided.recall_id = recall.id AND decided.decision = 'attributable'
             LEFT JOIN recall_sighting AS seen ON seen.recall_id = recall.id
             LEFT JOIN report ON report.id = seen.report_id
             LEFT JOIN detection ON detection.id = seen.detection_id
             WHERE warranty.defect_id = verified.defect_id AND warranty.works_order_id = verified.works_order_id
             GROUP BY recall.id) AS recalled_at
FROM verified
JOIN works_order ON works_order.id = verified.works_order_id
JOIN contractor ON contractor.id = works_order.contractor_id
ORDER BY verified.id
