-- The verified permanent repairs of some stretches of time: who did each, in how many attendances, and when it was seen
-- to fail. A failure counts by the day on which it was first seen, whenever it was decided about.
WITH verified AS MATERIALIZED (
    SELECT event.id, event.subject_id AS defect_id, (event.data->>'works_order_id')::bigint AS works_order_id,
           event.occurred_at AS verified_at
    FROM event
    WHERE event.kind = 'RepairVerified' AND event.at >= :first
      AND event.occurred_at <@ CAST(:spans AS tstzmultirange)
), told AS MATERIALIZED (
    SELECT event.id, event.subject_id AS defect_id, event.kind, event.occurred_at, event.data->>'band' AS band
    FROM event
    WHERE event.subject = 'defect' AND event.kind IN ('DefectGraded', 'RepairVerified')
      AND event.subject_id IN (SELECT defect_id FROM verified)
), before AS (
    SELECT verified.id, verified.defect_id, verified.works_order_id, verified.verified_at,
           (array_agg(told.band ORDER BY told.id DESC) FILTER (WHERE told.kind = 'DefectGraded'))[1] AS band,
           max(told.occurred_at) FILTER (WHERE told.kind = 'RepairVerified') AS earlier_at
    FROM verified LEFT JOIN told ON told.defect_id = verified.defect_id AND told.id < verified.id
    GROUP BY verified.id, verified.defect_id, verified.works_order_id, verified.verified_at
), decided AS MATERIALIZED (
    SELECT DISTINCT ON (event.subject_id) event.subject_id AS recall_id, event.data->>'decision' AS decision
    FROM event
    WHERE event.kind = 'RecallDecided' AND event.data->>'decision' IN ('attributable', 'not_attributable')
    ORDER BY event.subject_id, event.id DESC
), failed AS MATERIALIZED (
    SELECT warranty.defect_id, warranty.works_order_id, recall.id,
           coalesce(least(min(report.observed_at), min(detection.captured_at)), recall.proposed_at) AS seen_at
    FROM decided
    JOIN recall ON recall.id = decided.recall_id
    JOIN warranty ON warranty.id = recall.warranty_id
    LEFT JOIN recall_sighting AS seen ON seen.recall_id = recall.id
    LEFT JOIN report ON report.id = seen.report_id
    LEFT JOIN detection ON detection.id = seen.detection_id
    WHERE decided.decision = 'attributable'
    GROUP BY recall.id, warranty.defect_id, warranty.works_order_id
), fell AS (
    SELECT defect_id, works_order_id, array_agg(seen_at ORDER BY id) AS recalled_at FROM failed GROUP BY 1, 2
)
SELECT before.verified_at, contractor.code AS contractor, coalesce(before.band, works_order.band) AS band,
       (SELECT count(DISTINCT visit.id)
        FROM works_order_defect AS covered JOIN visit ON visit.works_order_id = covered.works_order_id
        WHERE covered.defect_id = before.defect_id AND visit.ended_at <= before.verified_at
          AND visit.ended_at > coalesce(before.earlier_at, '-infinity')) AS visits,
       coalesce(fell.recalled_at, '{}') AS recalled_at
FROM before
JOIN works_order ON works_order.id = before.works_order_id
JOIN contractor ON contractor.id = works_order.contractor_id
LEFT JOIN fell ON fell.defect_id = before.defect_id AND fell.works_order_id = before.works_order_id
ORDER BY before.id
