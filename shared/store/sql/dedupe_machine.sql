-- What the machine said of a period's sightings, by source and model, and of how many a person said something. The
-- newest label of a pair is what people say of it; a verdict is contradicted if they say so of any of its pairs. A
-- detection's number stands below 0, so that one key joins both.
WITH newest AS (
    SELECT DISTINCT ON (report_id, detection_id, defect_id) report_id, detection_id, machine, answer
    FROM label ORDER BY report_id, detection_id, defect_id, id DESC
), said AS (
    SELECT coalesce(report_id, -detection_id) AS seer, machine, bool_or(machine <> answer) AS against
    FROM newest WHERE answer IN ('same', 'different') AND machine IN ('same', 'different')
    GROUP BY 1, 2
), verdict AS (
    SELECT report.channel AS source, NULL AS model, sighting.verdict, sighting.report_id AS seer
    FROM sighting JOIN report ON report.id = sighting.report_id
    WHERE sighting.verdict IN ('same', 'new') AND sighting.linked_at >= :since AND sighting.linked_at < :past
    UNION ALL
    SELECT source.code, nullif(concat_ws(' ', detection.more->>'model_name', detection.more->>'model_version'), ''),
           sighting.verdict, -sighting.detection_id
    FROM sighting
    JOIN detection ON detection.id = sighting.detection_id AND detection.received_at = sighting.known_at
    JOIN source ON source.id = detection.source_id
    WHERE sighting.verdict IN ('same', 'new') AND sighting.linked_at >= :since AND sighting.linked_at < :past
)
SELECT verdict.source, coalesce(verdict.model, '') AS model,
       count(*) FILTER (WHERE verdict = 'same') AS same,
       count(said.machine) FILTER (WHERE verdict = 'same') AS same_looked,
       count(*) FILTER (WHERE verdict = 'same' AND said.against) AS same_against,
       count(*) FILTER (WHERE verdict = 'new') AS new,
       count(said.machine) FILTER (WHERE verdict = 'new') AS new_looked,
       count(*) FILTER (WHERE verdict = 'new' AND said.against) AS new_against
FROM verdict
LEFT JOIN said ON said.machine = CASE verdict.verdict WHEN 'same' THEN 'same' ELSE 'different' END
    AND said.seer = verdict.seer
GROUP BY 1, 2
