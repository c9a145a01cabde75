-- One GeoJSON feature a defect, as text, with the place in the list that it has. "columns" are the properties that the
-- asker may see, "filters" are conditions of ours. A duplicate shows the status of its original.
SELECT defect.updated_at, defect.reference, json_build_object(
    'type', 'Feature',
    'id', defect.reference,
    'geometry', json_build_object('type', 'Point', 'coordinates',
        json_build_array(round(defect.lon::numeric, 6), round(defect.lat::numeric, 6))),
    'properties', json_build_object(
        {columns}
        'reference', defect.reference,
        'class', defect.class_code,
        'status', CAST(:statuses AS json) -> coalesce(original.state, defect.state),
        'same_as', original.reference,
        'street', street.name,
        'area', defect.area_code,
        'reports', defect.reports,
        'opened_at', defect.opened_at,
        'updated_at', defect.updated_at
    ))::text AS feature
FROM defect
LEFT JOIN street ON street.id = defect.street_id
LEFT JOIN defect AS original ON original.id = defect.merged_into
WHERE {filters}
ORDER BY defect.updated_at, defect.id
LIMIT :most
