-- The spine's tables as they were first made. {grid} is the EPSG code of the deployment's national grid.

CREATE SEQUENCE event_id_seq AS bigint CACHE 1;

CREATE SEQUENCE detection_id_seq AS bigint CACHE 1;

CREATE TABLE area (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    served BOOLEAN DEFAULT false NOT NULL,
    contact TEXT,
    parent_code TEXT,
    geom geometry(MULTIPOLYGON,{grid}) NOT NULL,
    CONSTRAINT pk_area PRIMARY KEY (id),
    CONSTRAINT uq_area_code UNIQUE (code)
);

CREATE TABLE contractor (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    since DATE NOT NULL,
    CONSTRAINT pk_contractor PRIMARY KEY (id),
    CONSTRAINT uq_contractor_code UNIQUE (code)
);

CREATE TABLE delivery (
    consumer TEXT NOT NULL,
    event_id BIGINT NOT NULL,
    event_at TIMESTAMP WITH TIME ZONE NOT NULL,
    kind TEXT NOT NULL,
    subject_id BIGINT NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    tries SMALLINT DEFAULT 0 NOT NULL,
    error TEXT,
    parked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_delivery PRIMARY KEY (consumer, event_id)
);

CREATE INDEX ix_delivery_due ON delivery (consumer, event_id) WHERE parked_at IS NULL;

CREATE TABLE deployment (
    singleton BOOLEAN DEFAULT true NOT NULL,
    grid_epsg INTEGER NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_deployment PRIMARY KEY (singleton),
    CONSTRAINT ck_deployment_one_row CHECK (singleton)
);

CREATE TABLE detection (
    id BIGINT DEFAULT nextval('detection_id_seq') NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    batch_id BIGINT NOT NULL,
    source_id BIGINT NOT NULL,
    external_id TEXT NOT NULL,
    survey_pass_id TEXT,
    captured_at TIMESTAMP WITH TIME ZONE NOT NULL,
    class_code TEXT NOT NULL,
    confidence DOUBLE PRECISION NOT NULL,
    lat DOUBLE PRECISION NOT NULL,
    lon DOUBLE PRECISION NOT NULL,
    accuracy_m DOUBLE PRECISION NOT NULL,
    geom geometry(POINT,{grid}) NOT NULL,
    street_id BIGINT,
    street_key TEXT,
    street_side TEXT,
    level SMALLINT DEFAULT 0 NOT NULL,
    heading_deg DOUBLE PRECISION,
    depth_mm DOUBLE PRECISION,
    width_mm DOUBLE PRECISION,
    depth_method TEXT,
    verdict TEXT DEFAULT 'received' NOT NULL,
    defect_id BIGINT,
    more JSONB DEFAULT '{}' NOT NULL,
    CONSTRAINT pk_detection PRIMARY KEY (id, received_at)
)
 PARTITION BY RANGE (received_at);

CREATE INDEX ix_detection_batch_id ON detection (batch_id);

CREATE INDEX ix_detection_defect_id ON detection (defect_id) WHERE defect_id IS NOT NULL;

CREATE INDEX ix_detection_waiting ON detection USING gist (geom) WHERE verdict = 'waiting';

CREATE TABLE detection_key (
    source_id BIGINT NOT NULL,
    external_id TEXT NOT NULL,
    detection_id BIGINT NOT NULL,
    CONSTRAINT pk_detection_key PRIMARY KEY (source_id, external_id)
);

CREATE TABLE event (
    id BIGINT DEFAULT nextval('event_id_seq') NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    subject_id BIGINT NOT NULL,
    before TEXT,
    after TEXT,
    actor TEXT NOT NULL,
    cause BIGINT,
    correlation TEXT DEFAULT '' NOT NULL,
    data JSONB DEFAULT '{}' NOT NULL,
    CONSTRAINT pk_event PRIMARY KEY (id, at)
)
 PARTITION BY RANGE (at);

CREATE INDEX ix_event_kind_at ON event (kind, at);

CREATE INDEX ix_event_subject ON event (subject, subject_id, id);

CREATE TABLE feed_line (
    number BIGINT NOT NULL,
    event_id BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    kind TEXT NOT NULL,
    body JSONB NOT NULL,
    area_code TEXT,
    class_code TEXT,
    state TEXT,
    contractor_id BIGINT,
    public BOOLEAN NOT NULL,
    hash BYTEA NOT NULL,
    CONSTRAINT pk_feed_line PRIMARY KEY (number),
    CONSTRAINT uq_feed_line_event_id UNIQUE (event_id)
);

CREATE TABLE idempotency_key (
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    body_sha256 BYTEA NOT NULL,
    answer JSONB NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_idempotency_key PRIMARY KEY (scope, key)
);

CREATE INDEX ix_idempotency_key_at ON idempotency_key (at);

CREATE TABLE kpi_snapshot (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    quarter TEXT NOT NULL,
    revision INTEGER NOT NULL,
    frozen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    figures JSONB NOT NULL,
    why TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_kpi_snapshot PRIMARY KEY (id),
    CONSTRAINT uq_kpi_snapshot_quarter_revision UNIQUE (quarter, revision)
);

CREATE TABLE load_progress (
    kind TEXT NOT NULL,
    file_sha256 VARCHAR(64) NOT NULL,
    rows_done BIGINT NOT NULL,
    rows_bad BIGINT NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_load_progress PRIMARY KEY (kind, file_sha256)
);

CREATE TABLE missed_deadline (
    subject TEXT NOT NULL,
    subject_id BIGINT NOT NULL,
    clock TEXT NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    noticed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_missed_deadline PRIMARY KEY (subject, subject_id, clock, due_at)
);

CREATE TABLE policy_version (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    name TEXT NOT NULL,
    sha256 VARCHAR(64) NOT NULL,
    text TEXT NOT NULL,
    approver TEXT NOT NULL,
    effective_from TIMESTAMP WITH TIME ZONE NOT NULL,
    adopted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_policy_version PRIMARY KEY (id),
    CONSTRAINT uq_policy_version_sha256 UNIQUE (sha256)
);

CREATE TABLE postcode (
    postcode TEXT NOT NULL,
    quality SMALLINT DEFAULT 10 NOT NULL,
    geom geometry(POINT,{grid}) NOT NULL,
    CONSTRAINT pk_postcode PRIMARY KEY (postcode)
);

CREATE TABLE source (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    CONSTRAINT pk_source PRIMARY KEY (id),
    CONSTRAINT uq_source_code UNIQUE (code)
);

CREATE TABLE street (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    network_id TEXT NOT NULL,
    street_key TEXT NOT NULL,
    usrn BIGINT,
    name TEXT DEFAULT '' NOT NULL,
    class TEXT DEFAULT '' NOT NULL,
    hierarchy TEXT DEFAULT '4b' NOT NULL,
    maintainer TEXT DEFAULT 'council' NOT NULL,
    level SMALLINT DEFAULT 0 NOT NULL,
    rural BOOLEAN DEFAULT false NOT NULL,
    geom geometry(MULTILINESTRING,{grid}) NOT NULL,
    CONSTRAINT pk_street PRIMARY KEY (id),
    CONSTRAINT uq_street_network_id UNIQUE (network_id)
);

CREATE INDEX ix_street_geom ON street USING gist (geom);

CREATE INDEX ix_street_name ON street (lower(name) text_pattern_ops);

CREATE INDEX ix_street_street_key ON street (street_key);

CREATE TABLE api_key (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    prefix TEXT NOT NULL,
    secret_hash BYTEA NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    scopes TEXT[] DEFAULT '{}' NOT NULL,
    source_id BIGINT,
    contractor_id BIGINT,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_api_key PRIMARY KEY (id),
    CONSTRAINT uq_api_key_prefix UNIQUE (prefix),
    CONSTRAINT uq_api_key_secret_hash UNIQUE (secret_hash),
    CONSTRAINT fk_api_key_source_id FOREIGN KEY(source_id) REFERENCES source (id),
    CONSTRAINT fk_api_key_contractor_id FOREIGN KEY(contractor_id) REFERENCES contractor (id)
);

CREATE TABLE area_piece (
    area_id BIGINT NOT NULL,
    geom geometry(POLYGON,{grid}) NOT NULL,
    CONSTRAINT fk_area_piece_area_id FOREIGN KEY(area_id) REFERENCES area (id) ON DELETE CASCADE
);

CREATE INDEX ix_area_piece_area_id ON area_piece (area_id);

CREATE INDEX ix_area_piece_geom ON area_piece USING gist (geom);

CREATE TABLE defect (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    reference TEXT NOT NULL,
    class_code TEXT NOT NULL,
    state TEXT NOT NULL,
    lat DOUBLE PRECISION NOT NULL,
    lon DOUBLE PRECISION NOT NULL,
    accuracy_m DOUBLE PRECISION NOT NULL,
    geom geometry(POINT,{grid}) NOT NULL,
    street_id BIGINT,
    street_key TEXT,
    street_side TEXT,
    level SMALLINT DEFAULT 0 NOT NULL,
    house_number INTEGER,
    area_code TEXT,
    hierarchy TEXT,
    band TEXT,
    band_why TEXT[] DEFAULT '{}' NOT NULL,
    likelihood SMALLINT,
    impact SMALLINT,
    depth_mm DOUBLE PRECISION,
    width_mm DOUBLE PRECISION,
    facts JSONB DEFAULT '{}' NOT NULL,
    danger BOOLEAN DEFAULT false NOT NULL,
    assessed_by TEXT,
    assessed_at TIMESTAMP WITH TIME ZONE,
    reports INTEGER DEFAULT 0 NOT NULL,
    detections INTEGER DEFAULT 0 NOT NULL,
    survey_passes INTEGER DEFAULT 0 NOT NULL,
    mean_x DOUBLE PRECISION,
    mean_y DOUBLE PRECISION,
    known_at TIMESTAMP WITH TIME ZONE NOT NULL,
    clock_from TIMESTAMP WITH TIME ZONE NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    make_safe_due_at TIMESTAMP WITH TIME ZONE,
    permanent_due_at TIMESTAMP WITH TIME ZONE,
    inspect_due_at TIMESTAMP WITH TIME ZONE,
    due_why TEXT[] DEFAULT '{}' NOT NULL,
    made_safe_at TIMESTAMP WITH TIME ZONE,
    repaired_at TIMESTAMP WITH TIME ZONE,
    ended_at TIMESTAMP WITH TIME ZONE,
    overdue BOOLEAN DEFAULT false NOT NULL,
    merged_into BIGINT,
    recurrence_of BIGINT,
    policy_id BIGINT,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_defect PRIMARY KEY (id),
    CONSTRAINT uq_defect_reference UNIQUE (reference),
    CONSTRAINT fk_defect_street_id FOREIGN KEY(street_id) REFERENCES street (id),
    CONSTRAINT fk_defect_merged_into FOREIGN KEY(merged_into) REFERENCES defect (id),
    CONSTRAINT fk_defect_recurrence_of FOREIGN KEY(recurrence_of) REFERENCES defect (id),
    CONSTRAINT fk_defect_policy_id FOREIGN KEY(policy_id) REFERENCES policy_version (id)
);

CREATE INDEX ix_defect_due ON defect (permanent_due_at) WHERE state IN ('candidate', 'confirmed', 'monitor', 'third_party', 'made_safe', 'ordered', 'repaired_temporary', 'repair_claimed', 'repair_rejected', 'recalled', 'deferred_to_scheme');

CREATE INDEX ix_defect_geom ON defect USING gist (geom);

CREATE INDEX ix_defect_inspect_due ON defect (inspect_due_at) WHERE state IN ('candidate', 'confirmed', 'monitor', 'third_party', 'made_safe', 'ordered', 'repaired_temporary', 'repair_claimed', 'repair_rejected', 'recalled', 'deferred_to_scheme') AND inspect_due_at IS NOT NULL;

CREATE INDEX ix_defect_make_safe_due ON defect (make_safe_due_at) WHERE state IN ('candidate', 'confirmed', 'monitor', 'third_party', 'made_safe', 'ordered', 'repaired_temporary', 'repair_claimed', 'repair_rejected', 'recalled', 'deferred_to_scheme') AND made_safe_at IS NULL;

CREATE INDEX ix_defect_merged_into ON defect (merged_into) WHERE merged_into IS NOT NULL;

CREATE INDEX ix_defect_open_geom ON defect USING gist (geom) WHERE state IN ('candidate', 'confirmed', 'monitor', 'third_party', 'made_safe', 'ordered', 'repaired_temporary', 'repair_claimed', 'repair_rejected', 'recalled', 'deferred_to_scheme');

CREATE INDEX ix_defect_overdue ON defect (id) WHERE overdue;

CREATE INDEX ix_defect_recurrence_of ON defect (recurrence_of) WHERE recurrence_of IS NOT NULL;

CREATE INDEX ix_defect_street_key ON defect (street_key) WHERE state IN ('candidate', 'confirmed', 'monitor', 'third_party', 'made_safe', 'ordered', 'repaired_temporary', 'repair_claimed', 'repair_rejected', 'recalled', 'deferred_to_scheme');

CREATE INDEX ix_defect_updated_at ON defect (updated_at, id);

CREATE INDEX ix_defect_wanting ON defect (permanent_due_at, id) WHERE state IN ('confirmed', 'made_safe', 'recalled', 'repaired_temporary', 'third_party');

CREATE TABLE detection_batch (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    reference TEXT NOT NULL,
    source_id BIGINT NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    accepted INTEGER NOT NULL,
    repeated INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    matched_at TIMESTAMP WITH TIME ZONE,
    outcome JSONB DEFAULT '{}' NOT NULL,
    CONSTRAINT pk_detection_batch PRIMARY KEY (id),
    CONSTRAINT uq_detection_batch_reference UNIQUE (reference),
    CONSTRAINT fk_detection_batch_source_id FOREIGN KEY(source_id) REFERENCES source (id)
);

CREATE TABLE person (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    email TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    contractor_id BIGINT,
    password_hash TEXT,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    disabled_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_person PRIMARY KEY (id),
    CONSTRAINT ck_person_contractor_has_one CHECK ((role = 'contractor') = (contractor_id IS NOT NULL)),
    CONSTRAINT uq_person_email UNIQUE (email),
    CONSTRAINT fk_person_contractor_id FOREIGN KEY(contractor_id) REFERENCES contractor (id)
);

CREATE TABLE report (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    reference TEXT NOT NULL,
    tracking_hash BYTEA NOT NULL,
    channel TEXT NOT NULL,
    class_code TEXT NOT NULL,
    lat DOUBLE PRECISION NOT NULL,
    lon DOUBLE PRECISION NOT NULL,
    accuracy_m DOUBLE PRECISION NOT NULL,
    geom geometry(POINT,{grid}) NOT NULL,
    street_id BIGINT,
    street_key TEXT,
    street_side TEXT,
    level SMALLINT DEFAULT 0 NOT NULL,
    house_number INTEGER,
    address TEXT,
    description TEXT DEFAULT '' NOT NULL,
    danger BOOLEAN DEFAULT false NOT NULL,
    state TEXT NOT NULL,
    outcome TEXT,
    observed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    triage_due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    external_id TEXT,
    CONSTRAINT pk_report PRIMARY KEY (id),
    CONSTRAINT uq_report_reference UNIQUE (reference),
    CONSTRAINT uq_report_tracking_hash UNIQUE (tracking_hash),
    CONSTRAINT fk_report_street_id FOREIGN KEY(street_id) REFERENCES street (id),
    CONSTRAINT uq_report_external_id UNIQUE (external_id)
);

CREATE INDEX ix_report_received_at ON report (received_at, id);

CREATE INDEX ix_report_state ON report (state, triage_due_at) WHERE state IN ('received', 'triage', 'needs_info', 'challenged');

CREATE TABLE works_order (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    reference TEXT NOT NULL,
    contractor_id BIGINT NOT NULL,
    lot TEXT NOT NULL,
    state TEXT NOT NULL,
    kind TEXT NOT NULL,
    charge_to TEXT DEFAULT 'council' NOT NULL,
    band TEXT NOT NULL,
    street_key TEXT,
    area_code TEXT,
    issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
    accepted_at TIMESTAMP WITH TIME ZONE,
    scheduled_for TIMESTAMP WITH TIME ZONE,
    make_safe_due_at TIMESTAMP WITH TIME ZONE,
    permanent_due_at TIMESTAMP WITH TIME ZONE,
    completed_at TIMESTAMP WITH TIME ZONE,
    visit_id BIGINT,
    sampled BOOLEAN,
    verify_due_at TIMESTAMP WITH TIME ZONE,
    verified_at TIMESTAMP WITH TIME ZONE,
    verifier TEXT,
    missing TEXT[] DEFAULT '{}' NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    follows BIGINT,
    declined_by BIGINT[] DEFAULT '{}' NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_works_order PRIMARY KEY (id),
    CONSTRAINT uq_works_order_reference UNIQUE (reference),
    CONSTRAINT fk_works_order_contractor_id FOREIGN KEY(contractor_id) REFERENCES contractor (id),
    CONSTRAINT fk_works_order_follows FOREIGN KEY(follows) REFERENCES works_order (id)
);

CREATE INDEX ix_works_order_contractor ON works_order (contractor_id, updated_at, id);

CREATE INDEX ix_works_order_group ON works_order (contractor_id, street_key, band) WHERE state = 'issued';

CREATE INDEX ix_works_order_open ON works_order (contractor_id, updated_at, reference) WHERE ended_at IS NULL;

CREATE INDEX ix_works_order_updated_at ON works_order (updated_at, id);

CREATE TABLE apart (
    defect_id BIGINT NOT NULL,
    other_id BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    undone_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_apart PRIMARY KEY (defect_id, other_id),
    CONSTRAINT fk_apart_defect_id FOREIGN KEY(defect_id) REFERENCES defect (id),
    CONSTRAINT fk_apart_other_id FOREIGN KEY(other_id) REFERENCES defect (id)
);

CREATE TABLE contact (
    report_id BIGINT NOT NULL,
    name TEXT,
    email TEXT,
    phone TEXT,
    CONSTRAINT pk_contact PRIMARY KEY (report_id),
    CONSTRAINT fk_contact_report_id FOREIGN KEY(report_id) REFERENCES report (id) ON DELETE CASCADE
);

CREATE TABLE report_note (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    report_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    words TEXT NOT NULL,
    actor TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_report_note PRIMARY KEY (id),
    CONSTRAINT fk_report_note_report_id FOREIGN KEY(report_id) REFERENCES report (id) ON DELETE CASCADE
);

CREATE INDEX ix_report_note_report_id ON report_note (report_id);

CREATE TABLE detection_refusal (
    batch_id BIGINT NOT NULL,
    position INTEGER NOT NULL,
    field TEXT NOT NULL,
    reason TEXT NOT NULL,
    CONSTRAINT pk_detection_refusal PRIMARY KEY (batch_id, position, field),
    CONSTRAINT fk_detection_refusal_batch_id FOREIGN KEY(batch_id) REFERENCES detection_batch (id)
);

CREATE TABLE merge (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    defect_id BIGINT NOT NULL,
    into_id BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    actor TEXT NOT NULL,
    before JSONB DEFAULT '{}' NOT NULL,
    undone_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_merge PRIMARY KEY (id),
    CONSTRAINT fk_merge_defect_id FOREIGN KEY(defect_id) REFERENCES defect (id),
    CONSTRAINT fk_merge_into_id FOREIGN KEY(into_id) REFERENCES defect (id)
);

CREATE INDEX ix_merge_defect_id ON merge (defect_id);

CREATE INDEX ix_merge_into_id ON merge (into_id);

-- The pairs of a perceptual hash's six parts. Two hashes that differ in four bits at most agree in two parts, so in a
-- pair; a single part would be shared by one photo in 4,096, a pair by one in a million.
CREATE FUNCTION phash_parts(phash text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (
    SELECT array_agg(one.place || one.part || two.place || two.part ORDER BY one.place, two.place)
    FROM (VALUES ('a', substr(phash, 1, 3)), ('b', substr(phash, 4, 3)), ('c', substr(phash, 7, 3)),
                 ('d', substr(phash, 10, 3)), ('e', substr(phash, 13, 2)), ('f', substr(phash, 15, 2))) AS one (place, part)
    JOIN (VALUES ('a', substr(phash, 1, 3)), ('b', substr(phash, 4, 3)), ('c', substr(phash, 7, 3)),
                 ('d', substr(phash, 10, 3)), ('e', substr(phash, 13, 2)), ('f', substr(phash, 15, 2))) AS two (place, part)
      ON one.place < two.place
);

CREATE TABLE photo (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    reference TEXT NOT NULL,
    report_id BIGINT,
    visit_client_id UUID,
    contractor_id BIGINT,
    role TEXT NOT NULL,
    sha256 BYTEA NOT NULL,
    phash VARCHAR(16) NOT NULL,
    phash_parts TEXT[] GENERATED ALWAYS AS (phash_parts(phash)) STORED,
    media_type TEXT NOT NULL,
    width_px INTEGER NOT NULL,
    height_px INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    taken_at TIMESTAMP WITH TIME ZONE,
    taken_lat DOUBLE PRECISION,
    taken_lon DOUBLE PRECISION,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_photo PRIMARY KEY (id),
    CONSTRAINT uq_photo_reference UNIQUE (reference),
    CONSTRAINT fk_photo_report_id FOREIGN KEY(report_id) REFERENCES report (id),
    CONSTRAINT fk_photo_contractor_id FOREIGN KEY(contractor_id) REFERENCES contractor (id)
);

CREATE INDEX ix_photo_phash ON photo (phash);

CREATE INDEX ix_photo_phash_parts ON photo USING gin (phash_parts) WITH (fastupdate = off);

CREATE UNIQUE INDEX uq_photo_report ON photo (report_id, sha256) WHERE report_id IS NOT NULL;

CREATE UNIQUE INDEX uq_photo_visit ON photo (visit_client_id, contractor_id, role, sha256) WHERE visit_client_id IS NOT NULL;

CREATE TABLE question (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    report_id BIGINT NOT NULL,
    candidates JSONB DEFAULT '[]' NOT NULL,
    policy_id BIGINT,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    settled_at TIMESTAMP WITH TIME ZONE,
    settled_by TEXT,
    answer TEXT,
    CONSTRAINT pk_question PRIMARY KEY (id),
    CONSTRAINT fk_question_report_id FOREIGN KEY(report_id) REFERENCES report (id),
    CONSTRAINT fk_question_policy_id FOREIGN KEY(policy_id) REFERENCES policy_version (id)
);

CREATE UNIQUE INDEX uq_question_open ON question (report_id) WHERE settled_at IS NULL;

CREATE TABLE session (
    id BYTEA NOT NULL,
    person_id BIGINT NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_session PRIMARY KEY (id),
    CONSTRAINT fk_session_person_id FOREIGN KEY(person_id) REFERENCES person (id)
);

CREATE INDEX ix_session_person_id ON session (person_id);

CREATE TABLE sighting (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    defect_id BIGINT NOT NULL,
    report_id BIGINT,
    detection_id BIGINT,
    survey_pass TEXT,
    class_code TEXT NOT NULL,
    lat DOUBLE PRECISION NOT NULL,
    lon DOUBLE PRECISION NOT NULL,
    accuracy_m DOUBLE PRECISION NOT NULL,
    geom geometry(POINT,{grid}) NOT NULL,
    street_id BIGINT,
    street_key TEXT,
    street_side TEXT,
    level SMALLINT DEFAULT 0 NOT NULL,
    house_number INTEGER,
    seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    known_at TIMESTAMP WITH TIME ZONE NOT NULL,
    danger BOOLEAN DEFAULT false NOT NULL,
    verdict TEXT NOT NULL,
    why TEXT NOT NULL,
    policy_id BIGINT,
    linked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    unlinked_at TIMESTAMP WITH TIME ZONE,
    merged_from BIGINT,
    CONSTRAINT pk_sighting PRIMARY KEY (id),
    CONSTRAINT ck_sighting_one_seer CHECK ((report_id IS NULL) <> (detection_id IS NULL)),
    CONSTRAINT fk_sighting_defect_id FOREIGN KEY(defect_id) REFERENCES defect (id),
    CONSTRAINT fk_sighting_report_id FOREIGN KEY(report_id) REFERENCES report (id),
    CONSTRAINT fk_sighting_street_id FOREIGN KEY(street_id) REFERENCES street (id),
    CONSTRAINT fk_sighting_policy_id FOREIGN KEY(policy_id) REFERENCES policy_version (id)
);

CREATE INDEX ix_sighting_defect_id ON sighting (defect_id);

CREATE INDEX ix_sighting_places ON sighting USING gist (geom) WHERE unlinked_at IS NULL AND report_id IS NOT NULL;

CREATE UNIQUE INDEX uq_sighting_detection ON sighting (detection_id) WHERE unlinked_at IS NULL AND detection_id IS NOT NULL;

CREATE UNIQUE INDEX uq_sighting_report ON sighting (report_id, defect_id) WHERE unlinked_at IS NULL AND report_id IS NOT NULL;

CREATE TABLE visit (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    client_id UUID NOT NULL,
    body_sha256 BYTEA NOT NULL,
    works_order_id BIGINT NOT NULL,
    defect_ids BIGINT[] DEFAULT '{}' NOT NULL,
    contractor_id BIGINT NOT NULL,
    person TEXT NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT,
    note TEXT DEFAULT '' NOT NULL,
    repair_type TEXT,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE,
    lat DOUBLE PRECISION,
    lon DOUBLE PRECISION,
    accuracy_m DOUBLE PRECISION,
    geom geometry(POINT,{grid}),
    length_m DOUBLE PRECISION,
    width_m DOUBLE PRECISION,
    evidence JSONB,
    judged_at TIMESTAMP WITH TIME ZONE,
    applied BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_visit PRIMARY KEY (id),
    CONSTRAINT uq_visit_contractor_id_client_id UNIQUE (contractor_id, client_id),
    CONSTRAINT fk_visit_works_order_id FOREIGN KEY(works_order_id) REFERENCES works_order (id),
    CONSTRAINT fk_visit_contractor_id FOREIGN KEY(contractor_id) REFERENCES contractor (id)
);

CREATE INDEX ix_visit_works_order_id ON visit (works_order_id);

CREATE TABLE works_order_defect (
    works_order_id BIGINT NOT NULL,
    defect_id BIGINT NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_works_order_defect PRIMARY KEY (works_order_id, defect_id),
    CONSTRAINT fk_works_order_defect_works_order_id FOREIGN KEY(works_order_id) REFERENCES works_order (id),
    CONSTRAINT fk_works_order_defect_defect_id FOREIGN KEY(defect_id) REFERENCES defect (id)
);

CREATE UNIQUE INDEX uq_works_order_defect_open ON works_order_defect (defect_id) WHERE ended_at IS NULL;

CREATE TABLE warranty (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    defect_id BIGINT NOT NULL,
    works_order_id BIGINT NOT NULL,
    visit_id BIGINT NOT NULL,
    contractor_id BIGINT NOT NULL,
    state TEXT NOT NULL,
    class_code TEXT NOT NULL,
    repair_type TEXT NOT NULL,
    repaired_at TIMESTAMP WITH TIME ZONE NOT NULL,
    starts_on DATE NOT NULL,
    ends_on DATE NOT NULL,
    footprint geometry(POLYGON,{grid}) NOT NULL,
    street_key TEXT,
    street_side TEXT,
    level SMALLINT DEFAULT 0 NOT NULL,
    void_reason TEXT,
    follows BIGINT,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_warranty PRIMARY KEY (id),
    CONSTRAINT fk_warranty_defect_id FOREIGN KEY(defect_id) REFERENCES defect (id),
    CONSTRAINT fk_warranty_works_order_id FOREIGN KEY(works_order_id) REFERENCES works_order (id),
    CONSTRAINT fk_warranty_visit_id FOREIGN KEY(visit_id) REFERENCES visit (id),
    CONSTRAINT fk_warranty_contractor_id FOREIGN KEY(contractor_id) REFERENCES contractor (id),
    CONSTRAINT fk_warranty_follows FOREIGN KEY(follows) REFERENCES warranty (id)
);

CREATE INDEX ix_warranty_ends_on ON warranty (ends_on) WHERE state = 'active';

CREATE INDEX ix_warranty_footprint ON warranty USING gist (footprint);

CREATE UNIQUE INDEX uq_warranty_repair ON warranty (defect_id, works_order_id);

CREATE TABLE recall (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    reference TEXT NOT NULL,
    warranty_id BIGINT NOT NULL,
    defect_id BIGINT NOT NULL,
    state TEXT NOT NULL,
    why TEXT NOT NULL,
    proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE,
    decided_by TEXT,
    decision_why TEXT,
    disputed_at TIMESTAMP WITH TIME ZONE,
    ruled_at TIMESTAMP WITH TIME ZONE,
    ruled_by TEXT,
    works_order_id BIGINT,
    new_defect_id BIGINT,
    CONSTRAINT pk_recall PRIMARY KEY (id),
    CONSTRAINT uq_recall_reference UNIQUE (reference),
    CONSTRAINT fk_recall_warranty_id FOREIGN KEY(warranty_id) REFERENCES warranty (id),
    CONSTRAINT fk_recall_defect_id FOREIGN KEY(defect_id) REFERENCES defect (id),
    CONSTRAINT fk_recall_works_order_id FOREIGN KEY(works_order_id) REFERENCES works_order (id),
    CONSTRAINT fk_recall_new_defect_id FOREIGN KEY(new_defect_id) REFERENCES defect (id)
);

CREATE INDEX ix_recall_defect_id ON recall (defect_id);

CREATE UNIQUE INDEX uq_recall_open ON recall (warranty_id) WHERE state IN ('proposed', 'disputed');

CREATE TABLE recall_sighting (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    recall_id BIGINT NOT NULL,
    report_id BIGINT,
    detection_id BIGINT,
    why TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_recall_sighting PRIMARY KEY (id),
    CONSTRAINT fk_recall_sighting_recall_id FOREIGN KEY(recall_id) REFERENCES recall (id),
    CONSTRAINT fk_recall_sighting_report_id FOREIGN KEY(report_id) REFERENCES report (id)
);

CREATE INDEX ix_recall_sighting_report_id ON recall_sighting (report_id);

CREATE UNIQUE INDEX uq_recall_sighting_detection ON recall_sighting (recall_id, detection_id) WHERE detection_id IS NOT NULL;

CREATE UNIQUE INDEX uq_recall_sighting_report ON recall_sighting (recall_id, report_id) WHERE report_id IS NOT NULL;

INSERT INTO deployment (grid_epsg) VALUES ({grid});

-- The record is append-only: the database itself refuses to change or delete an event.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events are append-only: % on % refused; append a correcting event instead', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER event_is_append_only BEFORE UPDATE OR DELETE ON event
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER event_is_not_emptied BEFORE TRUNCATE ON event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Makes the months' partitions of events and detections, from this month to so many months ahead. Safe to repeat.
CREATE FUNCTION make_partitions(ahead integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    parent text;
    month date;
    child text;
    made integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(7035002);
    FOREACH parent IN ARRAY ARRAY['event', 'detection'] LOOP
        FOR month IN
            SELECT generate_series(
                date_trunc('month', now() AT TIME ZONE 'UTC') - interval '1 month',
                date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => ahead),
                interval '1 month')::date
        LOOP
            child := format('%s_%s', parent, to_char(month, 'YYYY_MM'));
            CONTINUE WHEN to_regclass(child) IS NOT NULL;
            EXECUTE format(
                'CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                child, parent,
                month::timestamp AT TIME ZONE 'UTC',
                (month + interval '1 month')::timestamp AT TIME ZONE 'UTC');
            IF parent = 'event' THEN
                EXECUTE format(
                    'CREATE TRIGGER event_is_not_emptied BEFORE TRUNCATE ON %I
                     FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', child);
            END IF;
            made := made + 1;
        END LOOP;
    END LOOP;
    RETURN made;
END $$;

SELECT make_partitions(3);

-- Queues churn: keep dead rows few, whatever the table's size.
ALTER TABLE delivery SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 5000, autovacuum_vacuum_cost_delay = 0);

ALTER TABLE defect SET (fillfactor = 85);

ALTER TABLE report SET (fillfactor = 85);
