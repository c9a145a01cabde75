-- What was asked in a period, by source, and how it was answered. An answer that was taken back was asked again, as old
-- as it was.
SELECT report.channel AS source,
       count(*) AS unsure,
       count(*) FILTER (WHERE question.answer = 'same') AS said_same,
       count(*) FILTER (WHERE question.answer = 'same' AND EXISTS (
           SELECT FROM label
           WHERE label.question_id = question.id AND label.answer = 'same'
             AND label.defect_id = (question.candidates->0->>'defect_id')::bigint
       )) AS said_first,
       count(*) FILTER (WHERE question.answer = 'different') AS said_different,
       count(*) FILTER (WHERE question.answer = 'cannot_tell') AS cannot_tell,
       count(*) FILTER (WHERE question.answer NOT IN ('same', 'different', 'cannot_tell')) AS otherwise,
       count(*) FILTER (WHERE question.settled_at IS NULL) AS open
FROM question JOIN report ON report.id = question.report_id
WHERE question.asked_at >= :since AND question.asked_at < :past
  AND question.answer IS DISTINCT FROM 'taken_back' AND question.answer IS DISTINCT FROM 'asked_anew'
GROUP BY 1
