-- One vector tile from near: the layer "defects", whose units are 4096 to a side, from the north-west; each defect by
-- itself, with the properties that it has from afar when it stands alone. A defect is in one tile of a zoom only.
WITH placed AS (
    SELECT defect.*,
           floor((defect.lon + 180) / 360 * :units)::bigint - :west_unit AS x,
           floor((1 - asinh(tan(radians(defect.lat))) / pi()) / 2 * :units)::bigint - :north_unit AS y
    FROM defect
    WHERE {filters}
    OFFSET 0
)
SELECT ST_AsMVT(shown, 'defects', 4096, 'geom')
FROM (
    SELECT ST_MakePoint(x, y) AS geom, 1 AS count, {columns}
           reference, class_code AS class, told.status, told.label, told.open, reports
    FROM placed AS defect
    JOIN unnest(CAST(:states_told AS text[]), CAST(:codes AS text[]), CAST(:labels AS text[]),
                CAST(:opens AS boolean[])) AS told(state, status, label, open) USING (state)
    WHERE CASE WHEN x BETWEEN 0 AND 4095 AND y BETWEEN 0 AND 4095 THEN true ELSE false END
    ORDER BY id
) AS shown
