-- What happened to the defects of a place since a time, up to another, the newest first: those of one defect, one street,
-- one area, or within a shape; each event that is news.
WITH here AS (
    SELECT defect.id, defect.reference, defect.class_code, defect.street_id, defect.lat, defect.lon
    FROM defect
    WHERE defect.updated_at >= :since
      AND (CAST(:defect_id AS bigint) IS NULL OR defect.id = :defect_id OR defect.merged_into = :defect_id)
      AND (CAST(:street_key AS text) IS NULL OR defect.street_key = :street_key)
      AND (CAST(:area_id AS bigint) IS NULL OR EXISTS (
          SELECT FROM area_piece
          WHERE area_piece.area_id = :area_id AND ST_Intersects(area_piece.geom, defect.geom)))
      AND (CAST(:wkb AS bytea) IS NULL OR ST_Intersects(defect.geom, ST_GeomFromWKB(:wkb, :grid)))
)
SELECT event.id AS event_id, event.at, event.kind, event.after, event.data->>'clock' AS clock, here.id AS defect_id,
       here.reference AS defect, here.class_code, nullif(street.name, '') AS street, here.lat, here.lon
FROM here
JOIN event ON event.subject = 'defect' AND event.subject_id = here.id
LEFT JOIN street ON street.id = here.street_id
WHERE event.at > :since AND event.at <= :until AND event.kind = ANY (:kinds)
ORDER BY event.id DESC
LIMIT :most
