-- Stores reports, their contacts, the keys they came with and what is said of them in the record, in one statement.
-- Returns id and reference of each that is new. One whose key or external id is already there is passed over: the key's
-- row waits for whoever holds it.
WITH given AS (
    SELECT * FROM jsonb_to_recordset(CAST(:reports AS jsonb)) AS one(
        reference text, tracking_hash text, channel text, class_code text, lat float8, lon float8, accuracy_m float8,
        x float8, y float8, street_id bigint, street_key text, street_side text, level smallint, house_number integer,
        address text, description text, danger boolean, state text, outcome text, observed_at timestamptz,
        received_at timestamptz, triage_due_at timestamptz, external_id text, name text, email text, phone text, told_by text,
        key_scope text, key text, body_sha256 text, answer jsonb, events jsonb)
), claimed AS (
    INSERT INTO idempotency_key (scope, key, body_sha256, answer, at)
    SELECT key_scope, key, decode(body_sha256, 'hex'), answer, received_at FROM given WHERE key IS NOT NULL
    -- In one order everywhere, so that two batches with the same keys wait for each other and never in a ring.
    ORDER BY key_scope, key
    ON CONFLICT DO NOTHING
    RETURNING scope, key, answer->>'reference' AS reference
), added AS (
    INSERT INTO report (
        reference, tracking_hash, channel, class_code, lat, lon, accuracy_m, geom, street_id, street_key, street_side,
        level, house_number, address, description, danger, state, outcome, observed_at, received_at, triage_due_at,
        updated_at, external_id)
    SELECT
        reference, decode(tracking_hash, 'hex'), channel, class_code, lat, lon, accuracy_m,
        ST_SetSRID(ST_MakePoint(x, y), :grid), street_id, street_key, street_side,
        level, house_number, address, description, danger, state, outcome, observed_at, received_at, triage_due_at,
        received_at, external_id
    FROM given
    WHERE key IS NULL OR reference IN (SELECT claimed.reference FROM claimed)
    ON CONFLICT (external_id) DO NOTHING
    RETURNING id, reference
), reachable AS (
    INSERT INTO contact (report_id, name, email, phone)
    SELECT added.id, given.name, given.email, given.phone
    FROM added JOIN given USING (reference)
    WHERE coalesce(given.name, given.email, given.phone) IS NOT NULL
), greeted AS (
    -- A few seconds later, so that what triage finds out at once goes along.
    INSERT INTO message (key, report_id, channel, template, made_at, due_at)
    SELECT 'received:' || added.id, added.id, given.told_by, 'received', given.received_at,
           given.received_at + interval '5 seconds'
    FROM added JOIN given USING (reference)
    WHERE given.told_by IS NOT NULL
), listed AS (
    SELECT one.e, added.id, (added.id, one.n) AS place
    FROM added JOIN given USING (reference) CROSS JOIN jsonb_array_elements(given.events) WITH ORDINALITY AS one(e, n)
), {append}
SELECT id, reference FROM added
