-- Every state is what the events say, and every step of every lifecycle is lawful and follows the one before it.
WITH step AS (
    SELECT subject, subject_id, before, after,
           lag(after) OVER earlier AS reached,
           lead(id) OVER earlier IS NULL AS is_last
    FROM event
    WHERE after IS NOT NULL
    WINDOW earlier AS (PARTITION BY subject, subject_id ORDER BY id)
), row_state AS (
    SELECT 'report' AS subject, id AS subject_id, state, reference FROM report
    UNION ALL SELECT 'defect', id, state, reference FROM defect
    UNION ALL SELECT 'works_order', id, state, reference FROM works_order
    UNION ALL SELECT 'warranty', id, state, 'warranty ' || id FROM warranty
), lawful AS (
    SELECT * FROM unnest(:subjects, :befores, :afters) AS lawful(subject, before, after)
)
SELECT row_state.reference || ' is ' || row_state.state || ', its events say ' || coalesce(step.after, 'nothing')
FROM row_state
LEFT JOIN step ON step.subject = row_state.subject AND step.subject_id = row_state.subject_id AND step.is_last
WHERE step.after IS DISTINCT FROM row_state.state
UNION ALL
SELECT step.subject || ' ' || step.subject_id || ' was ' || coalesce(step.reached, 'nothing') || ' and stepped from '
       || coalesce(step.before, 'nothing') || ' to ' || step.after
FROM step
WHERE step.before IS DISTINCT FROM step.reached
UNION ALL
SELECT step.subject || ' ' || min(step.subject_id) || ' stepped from ' || coalesce(step.before, 'nothing') || ' to '
       || step.after || ', which is not lawful'
FROM step LEFT JOIN lawful
    ON lawful.subject = step.subject AND lawful.before = coalesce(step.before, '') AND lawful.after = step.after
WHERE lawful.subject IS NULL
GROUP BY step.subject, step.before, step.after
