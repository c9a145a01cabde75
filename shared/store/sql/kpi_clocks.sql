-- The clocks of defects that were due in some stretches of time: each as last set, with when it was met. One that was set
-- anew, or stopped because there is nothing to mend any more, does not count. Nothing that was recorded before :since is
-- looked at: no clock is as long as that. Each part is read once for all defects; asked of each defect by itself, two
-- months of 27,000 clocks took a look into every month of the record for each.
WITH due AS MATERIALIZED (
    SELECT DISTINCT subject_id AS defect_id FROM event
    WHERE kind = 'DefectGraded' AND at >= :since
      AND ((data->>'make_safe_due')::timestamptz <@ CAST(:spans AS tstzmultirange)
           OR (data->>'permanent_due')::timestamptz <@ CAST(:spans AS tstzmultirange))
), told AS MATERIALIZED (
    SELECT event.id, event.subject_id AS defect_id, event.kind, event.occurred_at, event.after,
           event.data->>'band' AS band, (event.data->>'make_safe_due')::timestamptz AS make_safe_due,
           (event.data->>'permanent_due')::timestamptz AS permanent_due
    FROM due JOIN event ON event.subject = 'defect' AND event.subject_id = due.defect_id
    WHERE event.at >= :since AND (event.kind = 'DefectGraded' OR event.after IS NOT NULL)
), graded AS (
    SELECT id, defect_id, band, 'make_safe' AS clock, make_safe_due AS due_at FROM told WHERE kind = 'DefectGraded'
    UNION ALL
    SELECT id, defect_id, band, 'permanent', permanent_due FROM told WHERE kind = 'DefectGraded'
), setting AS (
    SELECT defect_id, clock, due_at, min(id) AS first_id, (array_agg(band ORDER BY id DESC))[1] AS band
    FROM graded GROUP BY defect_id, clock, due_at
), running AS (
    SELECT *, lead(first_id) OVER (PARTITION BY defect_id, clock ORDER BY first_id) AS next_id FROM setting
), moved AS (
    SELECT id, defect_id, kind, occurred_at, after, lead(after) OVER (PARTITION BY defect_id ORDER BY id) AS next_after
    FROM told WHERE after IS NOT NULL
), answered AS (
    SELECT running.defect_id, running.clock, running.first_id, running.next_id, running.band, running.due_at,
           moved.id, moved.occurred_at,
           CASE running.clock
               WHEN 'make_safe' THEN moved.kind IN ('RepairClaimed', 'DefectMadeSafe', 'DefectRepairedTemporarily')
               ELSE moved.kind = 'RepairClaimed' AND moved.next_after IS DISTINCT FROM 'repair_rejected'
           END AS done,
           moved.after IN ('duplicate', 'no_defect', 'monitor', 'third_party', 'deferred_to_scheme', 'closed') AS stopped
    FROM running
    LEFT JOIN moved ON moved.defect_id = running.defect_id AND moved.id > running.first_id
    WHERE running.due_at <@ CAST(:spans AS tstzmultirange)
)
SELECT clock, band, due_at, (array_agg(occurred_at ORDER BY id) FILTER (WHERE done))[1] AS done_at
FROM answered
GROUP BY defect_id, clock, first_id, next_id, band, due_at
HAVING (next_id IS NULL OR min(id) FILTER (WHERE done) < next_id)
   AND (min(id) FILTER (WHERE stopped) IS NULL OR min(id) FILTER (WHERE done) < min(id) FILTER (WHERE stopped))
ORDER BY defect_id, clock, first_id
