-- Defects near a place that the public may be shown: open ones, and finished repairs. How far, how many and which of
-- them are the domain's to say; the rows are bounded, nearest first. The photo is the newest that the public may see: of
-- a finished repair from after the work, else of what people sent.
SELECT near.reference, near.class_code, near.state, near.distance_m, near.street_key, near.street, near.known_at,
       near.repaired_at,
       (
           SELECT released.reference FROM (
               SELECT photo.id, photo.reference, photo.role
               FROM sighting JOIN photo ON photo.report_id = sighting.report_id
               WHERE sighting.defect_id = near.id AND sighting.unlinked_at IS NULL AND photo.released_at IS NOT NULL
               UNION ALL
               SELECT photo.id, photo.reference, photo.role
               FROM sighting JOIN photo ON photo.sighting_id = sighting.id
               WHERE sighting.defect_id = near.id AND sighting.unlinked_at IS NULL
                 AND num_nonnulls(sighting.report_id, sighting.detection_id) = 0 AND photo.released_at IS NOT NULL
               UNION ALL
               SELECT photo.id, photo.reference, photo.role
               FROM works_order_defect AS covered
               JOIN visit ON visit.works_order_id = covered.works_order_id
               JOIN photo ON photo.visit_client_id = visit.client_id
               WHERE covered.defect_id = near.id AND photo.released_at IS NOT NULL
           ) AS released
           ORDER BY (near.state = ANY(CAST(:finished AS text[]))) = (released.role = 'after') DESC, released.id DESC
           LIMIT 1
       ) AS photo
FROM (
    SELECT defect.*, street.name AS street, ST_Distance(defect.geom, place.geom) AS distance_m
    FROM (SELECT ST_SetSRID(ST_MakePoint(:x, :y), :grid) AS geom) AS place
    JOIN defect ON ST_DWithin(defect.geom, place.geom, :reach)
    LEFT JOIN street ON street.id = defect.street_id
    WHERE defect.state = ANY(CAST(:shown AS text[]))
    ORDER BY ST_Distance(defect.geom, place.geom), defect.id
    LIMIT :most
) AS near
ORDER BY near.distance_m, near.id
