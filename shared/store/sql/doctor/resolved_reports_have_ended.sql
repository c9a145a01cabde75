-- A report is resolved only while all its defects have ended.
SELECT report.reference
FROM report
JOIN sighting ON sighting.report_id = report.id AND sighting.unlinked_at IS NULL
JOIN defect ON defect.id = sighting.defect_id
JOIN defect AS shown ON shown.id = coalesce(defect.merged_into, defect.id)
WHERE report.state = 'resolved' AND shown.state <> ALL (:ended)
