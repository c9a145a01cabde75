-- What arrived and is ours becomes detections. A key taken meanwhile by another request is passed over.
WITH fresh AS (
    SELECT arriving.*, placed.geom, placed.street_id, placed.street_key, placed.side, placed.level,
           nextval('detection_id_seq') AS detection_id
    FROM arriving_detection AS arriving JOIN placed_detection AS placed ON placed.n = arriving.n
), keyed AS (
    INSERT INTO detection_key (source_id, external_id, detection_id)
    SELECT :source_id, external_id, detection_id FROM fresh ORDER BY external_id COLLATE "C"
    ON CONFLICT DO NOTHING
    RETURNING detection_id
), put AS (
    INSERT INTO detection (
        id, received_at, batch_id, source_id, external_id, survey_pass_id, captured_at, class_code, confidence,
        lat, lon, accuracy_m, geom, street_id, street_key, street_side, level,
        heading_deg, depth_mm, width_mm, depth_method, more)
    SELECT
        fresh.detection_id, :now, :batch_id, :source_id, external_id, survey_pass_id, captured_at, class_code, confidence,
        lat, lon, accuracy_m, geom, street_id, street_key, side, coalesce(level, 0),
        heading_deg, depth_mm, width_mm, depth_method, more
    FROM fresh JOIN keyed USING (detection_id)
    RETURNING 1
)
SELECT count(*) FROM put
