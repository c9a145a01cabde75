-- Writes lines of the feed and wakes its readers when they are committed.
WITH written AS (
    INSERT INTO feed_line (
        number, event_id, at, kind, body, area_code, class_code, state, contractor_id, public, hash)
    SELECT number, event_id, at, kind, body, area_code, class_code, state, contractor_id, public, decode(hash, 'hex')
    FROM jsonb_to_recordset(CAST(:lines AS jsonb)) AS line(
        number bigint, event_id bigint, at timestamptz, kind text, body jsonb, area_code text, class_code text,
        state text, contractor_id bigint, public boolean, hash text)
)
SELECT pg_notify(:channel, :newest)
