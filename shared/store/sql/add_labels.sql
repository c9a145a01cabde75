-- What somebody says of pairs, each a sighting and a defect, beside what the machine had said of them. That stays what
-- the label before says: who says more of a pair speaks of the same verdict. But a question is a verdict of its own. A
-- pair of which the machine never said anything has no label, and to say the same again adds none.
INSERT INTO label (question_id, report_id, detection_id, defect_id, answer, machine, machine_why, distance_m, source,
    model, policy_id, actor, at)
SELECT told.question_id, told.report_id, told.detection_id, told.defect_id, told.answer,
       coalesce(before.machine, told.machine), coalesce(before.machine_why, told.why, ''),
       coalesce(told.distance_m, before.distance_m, ST_Distance(seen.geom, defect.geom)),
       seen.source, seen.model, coalesce(before.policy_id, told.policy_id), :actor, :now
FROM ({told}) AS told
JOIN defect ON defect.id = told.defect_id
CROSS JOIN LATERAL (
    SELECT report.channel AS source, NULL AS model, report.geom FROM report WHERE report.id = told.report_id
    UNION ALL
    SELECT source.code, nullif(concat_ws(' ', detection.more->>'model_name', detection.more->>'model_version'), ''),
           detection.geom
    FROM detection JOIN source ON source.id = detection.source_id
    WHERE detection.id = told.detection_id AND detection.received_at = told.known_at
) AS seen
LEFT JOIN LATERAL (
    SELECT label.machine, label.machine_why, label.distance_m, label.policy_id, label.answer
    FROM label
    WHERE label.defect_id = told.defect_id AND label.report_id IS NOT DISTINCT FROM told.report_id
      AND label.detection_id IS NOT DISTINCT FROM told.detection_id
    ORDER BY label.id DESC LIMIT 1
) AS before ON told.question_id IS NULL
WHERE coalesce(before.machine, told.machine) IS NOT NULL AND before.answer IS DISTINCT FROM told.answer
ORDER BY told.report_id, told.detection_id, told.defect_id
