-- One vector tile from afar: the layer "defects", whose units are 4096 to a side, from the north-west. What lies in one
-- square of "cell" units is counted together and drawn in its middle; who stands alone there is told of.
-- The words of a state are looked up in arrays: a join with them was begun anew for each cell, 4 ms a tile.
-- OFFSET 0: x and y are worked out once. CASE: the planner must not guess that next to nothing lies in the tile.
-- "columns" are the properties that the asker may see of a defect alone, "filters" are conditions of ours.
WITH placed AS (
    SELECT defect.id, defect.overdue, defect.danger,
           floor((defect.lon + 180) / 360 * :units)::bigint - :west_unit AS x,
           floor((1 - asinh(tan(radians(defect.lat))) / pi()) / 2 * :units)::bigint - :north_unit AS y
    FROM defect
    WHERE {filters}
    OFFSET 0
), cells AS (
    SELECT min(id) AS first, count(*) AS count, sum(x) / count(*) AS x, sum(y) / count(*) AS y,
           count(*) FILTER (WHERE overdue) AS overdue, count(*) FILTER (WHERE danger) AS danger
    FROM placed
    WHERE CASE WHEN x BETWEEN 0 AND 4095 AND y BETWEEN 0 AND 4095 THEN true ELSE false END
    GROUP BY x / :cell, y / :cell
)
SELECT ST_AsMVT(shown, 'defects', 4096, 'geom')
FROM (
    SELECT ST_MakePoint(cells.x, cells.y) AS geom, cells.count, {columns}
           defect.reference, defect.class_code AS class, (CAST(:codes AS text[]))[told.nth] AS status,
           (CAST(:labels AS text[]))[told.nth] AS label, (CAST(:opens AS boolean[]))[told.nth] AS open, defect.reports
    FROM cells
    LEFT JOIN defect ON defect.id = cells.first AND cells.count = 1
    CROSS JOIN LATERAL (SELECT array_position(CAST(:states_told AS text[]), defect.state) AS nth) AS told
    ORDER BY cells.first
) AS shown
