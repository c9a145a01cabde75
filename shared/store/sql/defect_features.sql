-- One GeoJSON feature a defect, as text, with the place in the list that it has. "columns" are the properties that the
-- asker may see, "filters" are conditions of ours. A duplicate shows the status of its original.
-- The page is found first: built before the limit, six thousand overdue ones cost 180 ms where five hundred are shown.
WITH page AS (
    SELECT defect.id FROM defect WHERE {filters} ORDER BY defect.updated_at, defect.id LIMIT :most
)
SELECT defect.updated_at, defect.reference, json_build_object(
    'type', 'Feature',
    'id', defect.reference,
    'geometry', json_build_object('type', 'Point', 'coordinates',
        json_build_array(round(defect.lon::numeric, 6), round(defect.lat::numeric, 6))),
    'properties', json_build_object(
        {columns}
        'reference', defect.reference,
        'class', defect.class_code,
        'status', told.status,
        'same_as', original.reference,
        'street', street.name,
        'area', defect.area_code,
        'reports', defect.reports,
        'opened_at', defect.opened_at,
        'updated_at', defect.updated_at
    ))::text AS feature
FROM page
JOIN defect ON defect.id = page.id
LEFT JOIN street ON street.id = defect.street_id
LEFT JOIN defect AS original ON original.id = defect.merged_into
JOIN unnest(CAST(:states_told AS text[]), CAST(:statuses AS json[])) AS told(state, status)
    ON told.state = coalesce(original.state, defect.state)
ORDER BY defect.updated_at, defect.id
