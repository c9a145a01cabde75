-- Detections that are plainly of a defect become sightings of it, and it gains what they saw: its mean moves, its place
-- on the map when that is a metre off (see store/sightings.py), its size and its times. One detection a defect.
WITH fact AS MATERIALIZED (
    SELECT detection.id AS detection_id, detection.survey_pass_id, detection.class_code, detection.lat, detection.lon,
           detection.accuracy_m, detection.geom, detection.street_id, detection.street_key, detection.street_side,
           detection.level, detection.captured_at, detection.received_at, detection.depth_mm, detection.width_mm,
           defect.id AS defect_id, mean.x, mean.y, (weight.both) ^ -0.5 AS mean_accuracy_m,
           sqrt((mean.x - ST_X(defect.geom)) ^ 2 + (mean.y - ST_Y(defect.geom)) ^ 2) >= :shown AS moved,
           detection.received_at < defect.known_at
               OR NOT ({by_a_person})
                  AND (coalesce(width_bucket(detection.depth_mm, :depths)
                                > width_bucket(coalesce(defect.depth_mm, -1), :depths), false)
                       OR coalesce(width_bucket(detection.width_mm, :widths)
                                   > width_bucket(coalesce(defect.width_mm, -1), :widths), false)) AS more,
           concat_ws(', ',
               (CASE WHEN told.away < 1 THEN ceil(told.away) ELSE round(told.away) END)::integer || ' m away',
               CASE WHEN told.sided AND detection.street_side IS NOT NULL THEN 'same street and side'
                    ELSE 'same street' END,
               'same class',
               'opened ' || CASE WHEN open_for.days < 0 THEN 'later' WHEN open_for.days < 1 THEN 'today'
                                 WHEN open_for.days < 2 THEN '1 day ago'
                                 ELSE floor(open_for.days)::integer || ' days ago' END,
               CASE WHEN defect.reports + defect.detections > 1
                    THEN 'seen ' || defect.reports + defect.detections || ' times' END) AS why
    FROM unnest(CAST(:seen AS bigint[]), CAST(:defects AS bigint[]), CAST(:away AS float8[]), CAST(:sided AS boolean[]))
         AS told(seen_id, defect_id, away, sided)
    JOIN detection ON detection.id = told.seen_id AND detection.batch_id = :batch
        AND detection.received_at = :received_at AND detection.id BETWEEN :first AND :last
    JOIN defect ON defect.id = told.defect_id
    CROSS JOIN LATERAL (
        SELECT 1 / defect.accuracy_m ^ 2 AS mine, 1 / greatest(detection.accuracy_m, 0.1) ^ 2 AS its OFFSET 0) AS part
    CROSS JOIN LATERAL (SELECT part.mine + part.its AS both OFFSET 0) AS weight
    CROSS JOIN LATERAL (
        SELECT (coalesce(defect.mean_x, ST_X(defect.geom)) * part.mine + ST_X(detection.geom) * part.its) / weight.both AS x,
               (coalesce(defect.mean_y, ST_Y(defect.geom)) * part.mine + ST_Y(detection.geom) * part.its) / weight.both AS y
        OFFSET 0) AS mean
    CROSS JOIN LATERAL (
        SELECT extract(epoch FROM detection.captured_at - defect.opened_at)::float8 / 86400 AS days OFFSET 0) AS open_for
), linked AS (
    INSERT INTO sighting (
        defect_id, detection_id, survey_pass, class_code, lat, lon, accuracy_m, geom, street_id, street_key,
        street_side, level, seen_at, known_at, verdict, why, policy_id, linked_at)
    SELECT defect_id, detection_id, survey_pass_id, class_code, lat, lon, accuracy_m, geom, street_id, street_key,
           street_side, level, captured_at, received_at, 'same', why, :policy, :now
    FROM fact
)
UPDATE defect SET
    mean_x = fact.x, mean_y = fact.y, accuracy_m = fact.mean_accuracy_m,
    geom = CASE WHEN fact.moved THEN ST_SetSRID(ST_MakePoint(fact.x, fact.y), :grid) ELSE defect.geom END,
    lat = CASE WHEN fact.moved THEN ST_Y(ST_Transform(ST_SetSRID(ST_MakePoint(fact.x, fact.y), :grid), 4326))
               ELSE defect.lat END,
    lon = CASE WHEN fact.moved THEN ST_X(ST_Transform(ST_SetSRID(ST_MakePoint(fact.x, fact.y), :grid), 4326))
               ELSE defect.lon END,
    detections = defect.detections + 1,
    survey_passes = defect.survey_passes + CASE WHEN fact.survey_pass_id IS NULL THEN 0 ELSE 1 END,
    known_at = least(defect.known_at, fact.received_at),
    -- A clock that was based anew on later knowledge stays there.
    clock_from = CASE WHEN defect.clock_from = defect.known_at THEN least(defect.known_at, fact.received_at)
                      ELSE defect.clock_from END,
    last_seen_at = greatest(defect.last_seen_at, fact.captured_at),
    -- What a person measured stands.
    depth_mm = CASE WHEN {by_a_person} THEN defect.depth_mm ELSE greatest(defect.depth_mm, fact.depth_mm) END,
    width_mm = CASE WHEN {by_a_person} THEN defect.width_mm ELSE greatest(defect.width_mm, fact.width_mm) END,
    updated_at = CASE WHEN fact.moved OR fact.more THEN :now ELSE defect.updated_at END
FROM fact
WHERE defect.id = fact.defect_id
RETURNING defect.id, fact.more
