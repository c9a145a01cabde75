-- Takes due messages for one worker until :until, oldest first, and counts a try; nothing while another worker has some.
-- With what their readers are, now: a reporter who was forgotten or wants no more has no address here.
WITH due AS (
    SELECT id
    FROM message
    WHERE sent_at IS NULL AND parked_at IS NULL AND dropped_at IS NULL AND due_at <= :now
      AND (leased_until IS NULL OR leased_until <= :now) AND channel = ANY (:channels)
      AND NOT EXISTS (
          SELECT FROM message AS held
          WHERE held.sent_at IS NULL AND held.parked_at IS NULL AND held.dropped_at IS NULL AND held.leased_until > :now)
    ORDER BY due_at, id
    LIMIT :most
    FOR UPDATE SKIP LOCKED
), taken AS (
    UPDATE message SET tries = tries + 1, leased_until = :until
    FROM due
    WHERE message.id = due.id
    RETURNING message.*
)
SELECT taken.id, taken.key, taken.channel, taken.template, taken.values, taken.made_at, taken.due_at, taken.tries,
       taken.report_id, taken.follow_id, coalesce(taken.error, '') AS error,
       coalesce(contact.email, follow.email) AS email, coalesce(contact.phone, follow.phone) AS phone,
       report.reference AS report, report.class_code, report.triage_due_at, report.danger, nullif(street.name, '') AS street,
       follow.name AS follow_name, follow.kind AS follow_kind, follow.rhythm, follow.confirmed_at, follow.ended_at,
       joined.reference AS joined
FROM taken
LEFT JOIN report ON report.id = taken.report_id
LEFT JOIN contact ON contact.report_id = taken.report_id AND contact.unfollowed_at IS NULL
LEFT JOIN street ON street.id = report.street_id
LEFT JOIN follow ON follow.id = taken.follow_id
LEFT JOIN LATERAL (
    SELECT defect.reference
    FROM sighting JOIN defect ON defect.id = sighting.defect_id
    WHERE taken.template = 'received' AND sighting.report_id = taken.report_id AND sighting.unlinked_at IS NULL
      AND sighting.verdict = 'same'
    ORDER BY sighting.id
    LIMIT 1
) AS joined ON true
ORDER BY taken.due_at, taken.id
