-- The defects that were open at a moment, as the record tells it: band and due time then, and since when made safe.
WITH standing AS (
    SELECT DISTINCT ON (subject_id) subject_id AS defect_id, after AS state
    FROM event
    WHERE subject = 'defect' AND after IS NOT NULL AND occurred_at < :moment
    ORDER BY subject_id, id DESC
), open AS (
    SELECT * FROM standing WHERE state = ANY (:open)
), graded AS (
    SELECT DISTINCT ON (subject_id) subject_id AS defect_id, data->>'band' AS band,
           (data->>'permanent_due')::timestamptz AS due_at
    FROM event
    WHERE kind = 'DefectGraded' AND occurred_at < :moment
    ORDER BY subject_id, id DESC
), safe AS (
    SELECT subject_id AS defect_id, max(occurred_at) AS made_safe_at
    FROM event
    WHERE kind = 'DefectMadeSafe' AND occurred_at < :moment
    GROUP BY subject_id
), claimed AS (
    SELECT subject_id AS defect_id, max(occurred_at) AS claimed_at
    FROM event
    WHERE kind = 'RepairClaimed' AND occurred_at < :moment
    GROUP BY subject_id
)
SELECT graded.band, count(*) AS open,
       count(*) FILTER (WHERE graded.due_at < :moment AND open.state <> 'repair_claimed') AS overdue,
       array_agg(safe.made_safe_at) FILTER (
           WHERE safe.made_safe_at IS NOT NULL AND safe.made_safe_at > coalesce(claimed.claimed_at, '-infinity')
       ) AS made_safe_at
FROM open
LEFT JOIN graded USING (defect_id)
LEFT JOIN safe USING (defect_id)
LEFT JOIN claimed USING (defect_id)
GROUP BY graded.band
