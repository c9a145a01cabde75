-- Where people saw the open defects near a batch: one row a standing report, within :reach of one of its positions.
WITH asked AS (
    SELECT ST_SetSRID(ST_MakePoint(x, y), :grid) AS geom, class_code
    FROM unnest(:xs, :ys, :classes) AS point(x, y, class_code)
), alike AS MATERIALIZED (
    SELECT * FROM unnest(:ours, :others) AS alike(class_code, other)
)
SELECT DISTINCT ON (place.id)
       place.id, place.defect_id, ST_X(place.geom) AS x, ST_Y(place.geom) AS y, place.accuracy_m,
       place.street_key, place.street_side, place.level, place.house_number
FROM asked CROSS JOIN LATERAL (
    SELECT sighting.id, sighting.defect_id, sighting.geom, sighting.accuracy_m, sighting.street_key,
           sighting.street_side, sighting.level, sighting.house_number
    FROM sighting JOIN defect ON defect.id = sighting.defect_id
    WHERE ST_DWithin(sighting.geom, asked.geom, :reach)
      AND sighting.unlinked_at IS NULL AND sighting.report_id IS NOT NULL
      AND defect.state = ANY(:open)
      AND (asked.class_code, defect.class_code) IN (SELECT class_code, other FROM alike)
) AS place
ORDER BY place.id
