-- Who hears of these events, one row for each report and follow that does: `rank` 1 whose report it is, 2 who follows the
-- defect, 3 who follows its place. Only those to whom it was known, or who had confirmed, when it was recorded.
WITH asked AS (
    SELECT * FROM unnest(CAST(:events AS bigint[]), CAST(:times AS timestamptz[]), CAST(:kinds AS text[]),
                         CAST(:defects AS bigint[]), CAST(:reports AS bigint[])) AS given(id, at, kind, defect_id, report_id)
), merged AS (
    -- A follow of a duplicate hears what becomes of its original.
    SELECT asked.id, asked.at, asked.defect_id AS followed FROM asked WHERE asked.kind IN ('all', 'own', 'merged')
    UNION
    SELECT asked.id, asked.at, defect.id FROM asked JOIN defect ON defect.merged_into = asked.defect_id
    WHERE asked.kind IN ('all', 'own')
), listed AS (
    SELECT asked.id, 1 AS rank, contact.report_id, NULL::bigint AS follow_id, contact.email, contact.phone
    FROM asked JOIN contact USING (report_id)
    WHERE asked.kind = 'reporter' AND contact.unfollowed_at IS NULL
    UNION ALL
    SELECT asked.id, 1, contact.report_id, NULL, contact.email, contact.phone
    FROM asked
    JOIN sighting ON sighting.report_id IS NOT NULL AND sighting.unlinked_at IS NULL AND sighting.linked_at <= asked.at
     AND sighting.defect_id = asked.defect_id
    JOIN report ON report.id = sighting.report_id AND report.state NOT IN ('withdrawn', 'rejected')
    JOIN contact ON contact.report_id = sighting.report_id AND contact.unfollowed_at IS NULL
    WHERE asked.kind IN ('all', 'own')
    UNION ALL
    SELECT asked.id, 1, contact.report_id, NULL, contact.email, contact.phone
    FROM asked
    JOIN defect ON defect.id = asked.defect_id
    JOIN sighting ON sighting.defect_id = defect.merged_into AND sighting.merged_from = defect.id
     AND sighting.unlinked_at IS NULL
    JOIN report ON report.id = sighting.report_id AND report.state NOT IN ('withdrawn', 'rejected')
    JOIN contact ON contact.report_id = sighting.report_id AND contact.unfollowed_at IS NULL
    WHERE asked.kind = 'merged'
    UNION ALL
    SELECT merged.id, 2, NULL, follow.id, follow.email, follow.phone
    FROM merged
    JOIN follow ON follow.defect_id = merged.followed
    WHERE follow.ended_at IS NULL AND follow.confirmed_at <= merged.at AND follow.rhythm = 'instant'
    UNION ALL
    SELECT asked.id, 3, NULL, follow.id, follow.email, follow.phone
    FROM asked
    JOIN defect ON defect.id = asked.defect_id
    JOIN follow ON follow.street_key = defect.street_key
    WHERE asked.kind IN ('all', 'place') AND follow.ended_at IS NULL AND follow.confirmed_at <= asked.at
      AND follow.rhythm = 'instant'
    UNION ALL
    SELECT asked.id, 3, NULL, follow.id, follow.email, follow.phone
    FROM asked
    JOIN defect ON defect.id = asked.defect_id
    JOIN follow ON ST_Intersects(follow.geom, defect.geom)
    WHERE asked.kind IN ('all', 'place') AND follow.ended_at IS NULL AND follow.confirmed_at <= asked.at
      AND follow.rhythm = 'instant'
    UNION ALL
    SELECT DISTINCT asked.id, 3, NULL::bigint, follow.id, follow.email, follow.phone
    FROM asked
    JOIN defect ON defect.id = asked.defect_id
    JOIN area_piece ON ST_Intersects(area_piece.geom, defect.geom)
    JOIN follow ON follow.area_id = area_piece.area_id
    WHERE asked.kind IN ('all', 'place') AND follow.ended_at IS NULL AND follow.confirmed_at <= asked.at
      AND follow.rhythm = 'instant'
)
SELECT id AS event_id, rank, report_id, follow_id, email, phone
FROM listed
WHERE coalesce(email, phone) IS NOT NULL
ORDER BY id, rank, report_id, follow_id
