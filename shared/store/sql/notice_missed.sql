-- Every clock that ran out and was not noticed yet, noticed now. A clock set anew to another time may be missed anew.
-- Inserts into missed_deadline; a second run at the same time waits for the first and then finds nothing.
WITH late AS (
    SELECT 'defect' AS subject, id, 'permanent' AS clock, permanent_due_at AS due_at
    FROM defect
    WHERE permanent_due_at < :now AND state = ANY (:running)
    UNION ALL
    SELECT 'defect', id, 'make_safe', make_safe_due_at
    FROM defect
    WHERE make_safe_due_at < :now AND made_safe_at IS NULL AND state = ANY (:running)
    UNION ALL
    SELECT 'defect', id, 'inspect', inspect_due_at
    FROM defect
    WHERE inspect_due_at < :now AND state = ANY (:looked_at)
    UNION ALL
    SELECT 'works_order', id, 'verify', verify_due_at
    FROM works_order
    WHERE verify_due_at < :now AND state = ANY (:checked)
    UNION ALL
    SELECT 'report', id, 'triage', triage_due_at
    FROM report
    WHERE triage_due_at < :now AND state IN ('received', 'triage', 'challenged')
), noticed AS (
    INSERT INTO missed_deadline (subject, subject_id, clock, due_at, noticed_at)
    SELECT late.subject, late.id, late.clock, late.due_at, :now
    FROM late
    WHERE NOT EXISTS (
        SELECT FROM missed_deadline AS known
        WHERE known.subject = late.subject AND known.subject_id = late.id
          AND known.clock = late.clock AND known.due_at = late.due_at)
    ON CONFLICT DO NOTHING
    RETURNING subject, subject_id, clock, due_at
)
SELECT noticed.clock, noticed.due_at, coalesce(covered.defect_id, noticed.subject_id) AS subject_id
FROM noticed
LEFT JOIN works_order_defect AS covered
    ON noticed.subject = 'works_order' AND covered.works_order_id = noticed.subject_id
ORDER BY noticed.due_at, subject_id
