-- Defects beside the map, as anybody may see them, in the order of "order": those nearest a place, or the last changed.
-- "filters" are conditions of ours. A duplicate shows the status of its original.
WITH page AS (
    SELECT defect.id, {away} AS metres FROM defect WHERE {filters} ORDER BY {order} LIMIT :most OFFSET :skip
)
SELECT defect.id, defect.reference, defect.class_code, coalesce(original.state, defect.state) AS state, defect.lat, defect.lon,
       defect.reports, defect.opened_at, defect.updated_at, street.name AS street, district.name AS district, page.metres
FROM page
JOIN defect ON defect.id = page.id
LEFT JOIN street ON street.id = defect.street_id
LEFT JOIN area AS district ON district.code = defect.area_code
LEFT JOIN defect AS original ON original.id = defect.merged_into
ORDER BY {ordered}
