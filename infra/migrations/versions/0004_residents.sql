CREATE TABLE draft (
    secret_hash BYTEA NOT NULL,
    answers JSONB DEFAULT '{}' NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    report_id BIGINT,
    sighting_id BIGINT,
    CONSTRAINT pk_draft PRIMARY KEY (secret_hash),
    CONSTRAINT fk_draft_report_id FOREIGN KEY (report_id) REFERENCES report (id),
    CONSTRAINT fk_draft_sighting_id FOREIGN KEY (sighting_id) REFERENCES sighting (id)
);
CREATE INDEX ix_draft_updated_at ON draft (updated_at);

CREATE TABLE follow (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    secret_hash BYTEA NOT NULL,
    kind TEXT NOT NULL,
    defect_id BIGINT,
    street_key TEXT,
    area_id BIGINT,
    geom geometry(POLYGON, {grid}),
    name TEXT NOT NULL,
    email TEXT,
    phone TEXT,
    rhythm TEXT DEFAULT 'instant' NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    confirmed_at TIMESTAMP WITH TIME ZONE,
    ended_at TIMESTAMP WITH TIME ZONE,
    told_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_follow PRIMARY KEY (id),
    CONSTRAINT uq_follow_secret_hash UNIQUE (secret_hash),
    CONSTRAINT ck_follow_one_address CHECK ((email IS NULL) <> (phone IS NULL) OR ended_at IS NOT NULL),
    CONSTRAINT ck_follow_one_subject CHECK (num_nonnulls(defect_id, street_key, area_id, geom) = 1),
    CONSTRAINT fk_follow_defect_id FOREIGN KEY (defect_id) REFERENCES defect (id),
    CONSTRAINT fk_follow_area_id FOREIGN KEY (area_id) REFERENCES area (id) ON DELETE CASCADE
);
CREATE INDEX ix_follow_defect_id ON follow (defect_id) WHERE defect_id IS NOT NULL AND ended_at IS NULL;
CREATE INDEX ix_follow_street_key ON follow (street_key) WHERE street_key IS NOT NULL AND ended_at IS NULL;
CREATE INDEX ix_follow_area_id ON follow (area_id) WHERE area_id IS NOT NULL AND ended_at IS NULL;
CREATE INDEX ix_follow_geom ON follow USING gist (geom) WHERE geom IS NOT NULL AND ended_at IS NULL;
CREATE INDEX ix_follow_email ON follow (lower(email)) WHERE email IS NOT NULL;
CREATE INDEX ix_follow_rhythm ON follow (rhythm, told_at) WHERE rhythm <> 'instant' AND ended_at IS NULL;

CREATE TABLE message (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    key TEXT NOT NULL,
    report_id BIGINT,
    follow_id BIGINT,
    channel TEXT NOT NULL,
    template TEXT NOT NULL,
    "values" JSONB DEFAULT '{}' NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    tries SMALLINT DEFAULT 0 NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE,
    sent_as TEXT,
    error TEXT,
    parked_at TIMESTAMP WITH TIME ZONE,
    dropped_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_message PRIMARY KEY (id),
    CONSTRAINT uq_message_key UNIQUE (key),
    CONSTRAINT ck_message_one_reader CHECK (num_nonnulls(report_id, follow_id) = 1 OR dropped_at IS NOT NULL),
    CONSTRAINT fk_message_report_id FOREIGN KEY (report_id) REFERENCES report (id),
    CONSTRAINT fk_message_follow_id FOREIGN KEY (follow_id) REFERENCES follow (id)
);
CREATE INDEX ix_message_due_at ON message (due_at, id)
    WHERE sent_at IS NULL AND parked_at IS NULL AND dropped_at IS NULL;
CREATE INDEX ix_message_report_id ON message (report_id) WHERE report_id IS NOT NULL;
CREATE INDEX ix_message_follow_id ON message (follow_id) WHERE follow_id IS NOT NULL;

ALTER TABLE photo
    ADD COLUMN draft_hash BYTEA,
    ADD COLUMN sighting_id BIGINT,
    ADD COLUMN released_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN released_by TEXT,
    ADD CONSTRAINT fk_photo_draft_hash FOREIGN KEY (draft_hash) REFERENCES draft (secret_hash),
    ADD CONSTRAINT fk_photo_sighting_id FOREIGN KEY (sighting_id) REFERENCES sighting (id);

ALTER TABLE report ADD COLUMN words_released BOOLEAN DEFAULT false NOT NULL;
ALTER TABLE contact ADD COLUMN unfollowed_at TIMESTAMP WITH TIME ZONE;

ALTER TABLE sighting DROP CONSTRAINT ck_sighting_one_seer;
ALTER TABLE sighting ADD CONSTRAINT ck_sighting_one_seer CHECK (num_nonnulls(report_id, detection_id) <= 1);

CREATE UNIQUE INDEX uq_photo_draft ON photo (draft_hash, sha256) WHERE draft_hash IS NOT NULL;
CREATE UNIQUE INDEX uq_photo_sighting ON photo (sighting_id, sha256) WHERE sighting_id IS NOT NULL;
