-- Every report is linked, awaiting a person, or ended with a reason.
SELECT reference FROM report
WHERE state = 'received'
  AND NOT EXISTS (
      SELECT FROM event JOIN delivery ON delivery.event_id = event.id AND delivery.consumer = 'triage'
      WHERE event.subject = 'report' AND event.subject_id = report.id)
UNION ALL
SELECT reference FROM report
WHERE state IN ('linked', 'resolved')
  AND NOT EXISTS (SELECT FROM sighting WHERE sighting.report_id = report.id AND sighting.unlinked_at IS NULL)
UNION ALL
SELECT reference FROM report
WHERE state IN ('referred', 'rejected', 'no_defect_found')
  AND coalesce(outcome, '') = ''
  AND NOT EXISTS (
      SELECT FROM event
      WHERE event.subject = 'report' AND event.subject_id = report.id AND event.after = report.state
        AND coalesce(event.data->>'why', event.data->>'reason', '') <> '')
UNION ALL
SELECT reference FROM report
WHERE state NOT IN ('received', 'triage', 'needs_info', 'challenged', 'linked', 'resolved', 'referred', 'rejected',
                    'no_defect_found', 'withdrawn')
