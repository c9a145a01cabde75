-- Open defects by the clock that runs out next: ids and when, one page, and how many there are in all. Every filter reads
-- the open ones once: what is due is not one column, and an index for it would cost every write (docs/decisions/0054).
WITH checked AS MATERIALIZED (
    SELECT covered.defect_id, min(works_order.verify_due_at) AS due_at
    FROM works_order
    JOIN works_order_defect AS covered ON covered.works_order_id = works_order.id AND covered.ended_at IS NULL
    WHERE works_order.state = ANY (:checked) AND works_order.verify_due_at IS NOT NULL
    GROUP BY covered.defect_id
), standing AS (
    SELECT defect.id, coalesce(LEAST(
        defect.inspect_due_at,
        CASE WHEN defect.state = ANY (:running) THEN LEAST(
            CASE WHEN defect.made_safe_at IS NULL THEN defect.make_safe_due_at END, defect.permanent_due_at) END,
        checked.due_at), :never) AS due_at
    FROM defect
    LEFT JOIN checked ON checked.defect_id = defect.id
    WHERE {filters}
), due AS MATERIALIZED (
    SELECT id, due_at FROM standing WHERE {when}
)
SELECT id, due_at, (SELECT count(*) FROM due) AS total
FROM due
WHERE {after}
ORDER BY due_at, id
LIMIT :most
