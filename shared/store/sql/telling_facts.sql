-- The events of a batch in their order, with what a message about each needs: of its report, of its defect as it stands
-- now, of the grade before, and why the last visit came to nothing.
WITH said AS (
    SELECT event.*,
           CASE subject WHEN 'defect' THEN subject_id END AS about_defect,
           CASE subject WHEN 'report' THEN subject_id END AS about_report
    FROM unnest(CAST(:ids AS bigint[]), CAST(:times AS timestamptz[])) AS asked(id, at)
    JOIN event USING (id, at)
)
SELECT said.id, said.at, said.occurred_at, said.kind, said.before, said.after, said.data,
       said.about_defect AS defect_id, said.about_report AS report_id,
       coalesce(report.class_code, defect.class_code) AS class_code, nullif(street.name, '') AS street,
       report.reference AS report, defect.reference AS defect, other.reference AS other, defect.state,
       defect.permanent_due_at, defect.make_safe_due_at, defect.inspect_due_at, defect.depth_mm,
       (graded.data->>'permanent_due')::timestamptz AS permanent_was,
       (graded.data->>'make_safe_due')::timestamptz AS make_safe_was,
       visited.reason AS aborted
FROM said
LEFT JOIN report ON report.id = said.about_report
LEFT JOIN defect ON defect.id = said.about_defect
LEFT JOIN defect AS other ON other.id = coalesce((said.data->>'into_id')::bigint, (said.data->>'from_id')::bigint)
LEFT JOIN street ON street.id = coalesce(report.street_id, defect.street_id)
LEFT JOIN LATERAL (
    SELECT past.data
    FROM event AS past
    WHERE said.kind = 'DefectGraded' AND past.subject = 'defect' AND past.subject_id = said.subject_id
      AND past.id < said.id AND past.kind = 'DefectGraded'
    ORDER BY past.id DESC
    LIMIT 1
) AS graded ON true
LEFT JOIN LATERAL (
    SELECT visit.reason
    FROM works_order_defect AS covered
    JOIN visit ON visit.works_order_id = covered.works_order_id
    WHERE said.kind = 'DeadlineMissed' AND covered.defect_id = said.subject_id AND visit.outcome = 'aborted'
    ORDER BY visit.ended_at DESC
    LIMIT 1
) AS visited ON true
ORDER BY said.id
