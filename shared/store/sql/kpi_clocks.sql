-- The clocks of defects that were due in a period: each as last set, with when it was met. One that was set anew, or
-- stopped because there is nothing to mend any more, does not count.
WITH graded AS (
    SELECT id, subject_id AS defect_id, data->>'band' AS band, data
    FROM event WHERE kind = 'DefectGraded'
), told AS (
    SELECT id, defect_id, band, 'make_safe' AS clock, (data->>'make_safe_due')::timestamptz AS due_at FROM graded
    UNION ALL
    SELECT id, defect_id, band, 'permanent', (data->>'permanent_due')::timestamptz FROM graded
), setting AS (
    SELECT defect_id, clock, due_at, min(id) AS first_id, (array_agg(band ORDER BY id DESC))[1] AS band
    FROM told GROUP BY defect_id, clock, due_at
), running AS (
    SELECT *, lead(first_id) OVER (PARTITION BY defect_id, clock ORDER BY first_id) AS next_id FROM setting
)
SELECT running.clock, running.band, running.due_at, done.occurred_at AS done_at
FROM running
LEFT JOIN LATERAL (
    SELECT said.id, said.occurred_at
    FROM event AS said
    WHERE said.subject = 'defect' AND said.subject_id = running.defect_id AND said.id > running.first_id
      AND (said.kind = 'RepairClaimed'
           OR (running.clock = 'make_safe' AND said.kind IN ('DefectMadeSafe', 'DefectRepairedTemporarily')))
      AND (running.clock = 'make_safe' OR 'repair_rejected' IS DISTINCT FROM (
          SELECT later.after FROM event AS later
          WHERE later.subject = 'defect' AND later.subject_id = said.subject_id AND later.id > said.id
            AND later.after IS NOT NULL
          ORDER BY later.id LIMIT 1))
    ORDER BY said.id LIMIT 1) AS done ON true
LEFT JOIN LATERAL (
    SELECT said.id
    FROM event AS said
    WHERE said.subject = 'defect' AND said.subject_id = running.defect_id AND said.id > running.first_id
      AND said.after IN ('duplicate', 'no_defect', 'monitor', 'third_party', 'deferred_to_scheme', 'closed')
    ORDER BY said.id LIMIT 1) AS stopped ON true
WHERE running.due_at >= :first AND running.due_at < :past
  AND (running.next_id IS NULL OR done.id < running.next_id)
  AND (stopped.id IS NULL OR done.id < stopped.id)
ORDER BY running.defect_id, running.clock, running.first_id
