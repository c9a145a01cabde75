-- Contact details whose report ended before a moment, with no claim open that it is part of: a proposed or disputed
-- recall of a repair that it was told was its answer, or one that it raised itself. Deletes so many at most.
WITH over AS (
    SELECT contact.report_id
    FROM contact JOIN report ON report.id = contact.report_id
    WHERE report.state = ANY (:ended) AND report.updated_at < :before
      AND NOT EXISTS (
          SELECT FROM recall_sighting JOIN recall ON recall.id = recall_sighting.recall_id
          WHERE recall_sighting.report_id = report.id AND recall.state IN ('proposed', 'disputed'))
      AND NOT EXISTS (
          SELECT FROM sighting
          JOIN defect ON defect.id = sighting.defect_id
          JOIN recall ON recall.defect_id = coalesce(defect.merged_into, defect.id)
          WHERE sighting.report_id = report.id AND sighting.unlinked_at IS NULL
            AND recall.state IN ('proposed', 'disputed'))
    ORDER BY contact.report_id
    LIMIT :most
    FOR UPDATE OF contact SKIP LOCKED
)
DELETE FROM contact USING over WHERE contact.report_id = over.report_id
RETURNING contact.report_id
