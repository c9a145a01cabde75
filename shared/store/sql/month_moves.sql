-- By local month since a moment: defects that became open and that ended, and what else a month's page counts. A defect
-- that is recorded became open; one that ends and opens again is counted at each turn.
SELECT to_char(month AT TIME ZONE :zone, 'YYYY-MM') AS month,
       count(*) FILTER (WHERE subject = 'defect' AND NOT was AND is_now) AS came,
       count(*) FILTER (WHERE subject = 'defect' AND was AND NOT is_now) AS went,
       count(*) FILTER (WHERE kind IN ('DefectRecorded', 'DefectDetected')) AS defects,
       count(*) FILTER (WHERE kind = 'RepairVerified') AS repairs,
       count(*) FILTER (WHERE kind = 'RecallProposed') AS recalls
FROM (
    SELECT date_trunc('month', occurred_at, :zone) AS month, subject, kind, coalesce(before = ANY (:open), false) AS was,
           coalesce(after = ANY (:open), false) AS is_now
    FROM event
    WHERE kind = ANY (:kinds) AND at >= :since AND occurred_at >= :since
) AS moved
GROUP BY moved.month
