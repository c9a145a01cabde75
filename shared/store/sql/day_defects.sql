-- The defects that were open at a moment, as they were then, and those that machines founded in the day that began with
-- it, which no line of the feed tells of one by one. From their rows, taken back by what has happened since: its cost is
-- that of the days that have passed, not of all the years.
WITH since AS (
    SELECT subject_id, min(id) FILTER (WHERE after IS NOT NULL) AS step, min(id) FILTER (WHERE kind = 'DefectGraded')
           AS grade
    FROM event
    WHERE subject = 'defect' AND at >= :moment
    GROUP BY subject_id
), then_ AS (
    SELECT defect.id, defect.state, defect.band, defect.overdue, CAST(NULL AS timestamptz) AS appeared
    FROM defect
    WHERE {open} AND NOT EXISTS (SELECT FROM since WHERE since.subject_id = defect.id)
    UNION ALL
    SELECT defect.id, coalesce(step.before, defect.state), CASE WHEN since.grade IS NULL THEN defect.band
                                                                ELSE graded.data->>'was' END,
           coalesce((told.data->>'permanent_due')::timestamptz < :moment
                    OR (told.data->>'make_safe_due')::timestamptz < :moment AND NOT defect.made_safe_at < :moment, false)
               AND coalesce(step.before, defect.state) = ANY (:running),
           NULL
    FROM since
    JOIN defect ON defect.id = since.subject_id
    LEFT JOIN event AS step ON step.id = since.step AND step.at >= :moment
    LEFT JOIN event AS graded ON graded.id = since.grade AND graded.at >= :moment
    LEFT JOIN LATERAL (
        SELECT data FROM event
        WHERE subject = 'defect' AND subject_id = defect.id AND kind = 'DefectGraded' AND at < :moment
        ORDER BY id DESC LIMIT 1
    ) AS told ON true
    WHERE CASE WHEN since.step IS NULL THEN defect.state ELSE step.before END = ANY (:open)
    UNION ALL
    SELECT event.subject_id, event.after, NULL, false, event.at
    FROM event
    WHERE event.kind = 'DefectDetected' AND event.at >= :moment AND event.at < :past
)
SELECT defect.id, defect.reference, defect.lat, defect.lon, defect.class_code, then_.state, then_.band, then_.overdue,
       then_.appeared
FROM then_ JOIN defect USING (id)
WHERE defect.id > :after
ORDER BY defect.id
LIMIT :most
