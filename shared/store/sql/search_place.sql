-- What lies near a postcode's middle, nearest first: reports by where they put a defect, or wait to be read; defects; and
-- the orders of these defects.
WITH middle AS (SELECT geom FROM postcode WHERE postcode = :postcode),
defects AS (
    SELECT defect.id, defect.geom <-> middle.geom AS metres
    FROM middle CROSS JOIN LATERAL (
        SELECT id, geom FROM defect WHERE ST_DWithin(defect.geom, middle.geom, :reach)
        ORDER BY defect.geom <-> middle.geom LIMIT :most
    ) AS defect
), reports AS (
    SELECT place.report_id AS id, place.geom <-> middle.geom AS metres
    FROM middle CROSS JOIN LATERAL (
        SELECT report_id, geom FROM sighting
        WHERE ST_DWithin(sighting.geom, middle.geom, :reach) AND unlinked_at IS NULL AND report_id IS NOT NULL
        ORDER BY sighting.geom <-> middle.geom LIMIT :most
    ) AS place
    UNION ALL
    SELECT report.id, report.geom <-> middle.geom
    FROM middle JOIN report ON ST_DWithin(report.geom, middle.geom, :reach)
    WHERE report.state IN ('received', 'triage', 'needs_info', 'challenged')
)
SELECT 'defect' AS kind, id, metres FROM defects
UNION ALL SELECT 'report', id, min(metres) FROM reports GROUP BY id
UNION ALL SELECT 'works_order', works_order_id, min(metres)
    FROM defects JOIN works_order_defect ON defect_id = defects.id GROUP BY works_order_id
ORDER BY metres
