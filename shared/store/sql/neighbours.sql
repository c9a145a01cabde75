-- Open defects around the defect :reference, the nearest first: what an operator may merge it with. Metres on the grid.
-- The photos are the newest of those that people sent, and of the visits to its orders.
SELECT near.reference, near.class_code, near.state, near.band, near.lat, near.lon, near.accuracy_m,
       nullif(street.name, '') AS street, near.street_side, near.distance_m, near.known_at, near.reports,
       near.detections, works_order.reference AS works_order,
       EXISTS (
           SELECT FROM apart
           WHERE apart.defect_id = least(near.id, near.this_id) AND apart.other_id = greatest(near.id, near.this_id)
             AND apart.undone_at IS NULL
       ) AS told_apart,
       ARRAY(
           SELECT photo.reference FROM photo
           WHERE photo.report_id IN (
                     SELECT sighting.report_id FROM sighting
                     WHERE sighting.defect_id = near.id AND sighting.unlinked_at IS NULL)
              OR photo.sighting_id IN (
                     SELECT sighting.id FROM sighting
                     WHERE sighting.defect_id = near.id AND sighting.unlinked_at IS NULL)
              OR photo.visit_client_id IN (
                     SELECT visit.client_id FROM visit
                     JOIN works_order_defect AS attended ON attended.works_order_id = visit.works_order_id
                     WHERE attended.defect_id = near.id)
           ORDER BY photo.id DESC LIMIT 4
       ) AS photos
FROM (
    SELECT defect.*, this.id AS this_id, ST_Distance(defect.geom, this.geom) AS distance_m
    FROM defect AS this
    JOIN defect ON ST_DWithin(defect.geom, this.geom, :within) AND defect.id <> this.id
    WHERE this.reference = :reference AND defect.state = ANY(CAST(:open AS text[]))
    ORDER BY ST_Distance(defect.geom, this.geom), defect.id
    LIMIT :most
) AS near
LEFT JOIN street ON street.id = near.street_id
LEFT JOIN works_order_defect AS covered ON covered.defect_id = near.id AND covered.ended_at IS NULL
LEFT JOIN works_order ON works_order.id = covered.works_order_id
ORDER BY near.distance_m, near.id
