-- What the queue shows of these defects, in the order given: where, who has it, which clocks run.
SELECT defect.id, defect.reference, defect.class_code, defect.state, defect.band, defect.area_code, area.name AS area,
       nullif(street.name, '') AS street, defect.street_key, defect.danger, defect.overdue, defect.reports,
       defect.detections, defect.lat, defect.lon, defect.known_at, defect.clock_from, defect.inspect_due_at,
       defect.make_safe_due_at, defect.permanent_due_at, defect.made_safe_at, defect.due_why, defect.updated_at,
       had.reference AS works_order, had.state AS order_state, had.verify_due_at, had.completed_at, had.scheduled_for,
       contractor.code AS contractor, contractor.name AS contractor_name
FROM unnest(:ids) WITH ORDINALITY AS asked(id, place)
JOIN defect ON defect.id = asked.id
LEFT JOIN street ON street.id = defect.street_id
LEFT JOIN area ON area.code = defect.area_code
LEFT JOIN works_order_defect AS covered ON covered.defect_id = defect.id AND covered.ended_at IS NULL
LEFT JOIN works_order AS had ON had.id = covered.works_order_id
LEFT JOIN contractor ON contractor.id = had.contractor_id
ORDER BY asked.place
