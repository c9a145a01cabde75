-- Of a batch's next detections, those that are plainly of one open defect, each with it: see store/plain_matches.py.
-- "far" is how far apart two sharp positions may lie and be one hole, "reach" how far any two. `kind` says of each class
-- what it may be mixed up with (kin), from how near it joins for certain, and how long ago that may have been seen.
WITH kind AS MATERIALIZED (
    SELECT * FROM unnest(
        CAST(%(classes)s AS text[]), CAST(%(kins)s AS integer[]), CAST(%(acting)s AS boolean[]),
        CAST(%(near)s AS float8[]), CAST(%(days)s AS float8[])) AS kind(class_code, kin, acting, near_m, days)
), part AS MATERIALIZED (
    SELECT id, class_code, captured_at, street_key, street_side, level, survey_pass_id, confidence,
           ST_X(geom) AS x, ST_Y(geom) AS y, accuracy_m <= %(sharp)s AS sharp,
           floor(ST_X(geom) / %(box)s)::integer AS east, floor(ST_Y(geom) / %(box)s)::integer AS north
    FROM detection
    WHERE batch_id = %(batch)s AND received_at = %(received_at)s AND id BETWEEN %(first)s AND %(last)s
), due AS MATERIALIZED (
    SELECT part.*, kin, near_m, days
    FROM part JOIN kind USING (class_code) WHERE kind.acting AND confidence >= %(confidence)s
), square AS MATERIALIZED (
    SELECT east, north, ST_MakeEnvelope(min(x), min(y), max(x), max(y), %(grid)s) AS box FROM due GROUP BY east, north
), standing AS MATERIALIZED (
    SELECT square.east, square.north, near.*, kind.kin
    FROM square CROSS JOIN LATERAL (
        SELECT defect.id, class_code, coalesce(mean_x, ST_X(geom)) AS x, coalesce(mean_y, ST_Y(geom)) AS y,
               accuracy_m <= %(sharp)s AND state = ANY(CAST(%(open)s AS text[])) AS certain,
               accuracy_m <= %(sharp)s AS sharp, street_key, street_side, level, last_seen_at
        FROM defect
        WHERE defect.geom && ST_Expand(square.box, %(reach)s + %(shown)s)
          AND (defect.state = ANY(CAST(%(open)s AS text[]))
               OR defect.repaired_at IS NOT NULL AND defect.state <> 'duplicate')
        OFFSET 0
    ) AS near JOIN kind USING (class_code)
), place AS MATERIALIZED (
    SELECT * FROM standing
    UNION ALL
    SELECT square.east, square.north, seen.defect_id, near.class_code, seen.x, seen.y, seen.sharp, seen.sharp,
           seen.street_key, seen.street_side, seen.level, near.last_seen_at, kind.kin
    FROM square CROSS JOIN LATERAL (
        SELECT defect_id, ST_X(geom) AS x, ST_Y(geom) AS y, accuracy_m <= %(sharp)s AS sharp, street_key, street_side,
               level
        FROM sighting
        WHERE geom && ST_Expand(square.box, %(reach)s) AND unlinked_at IS NULL AND report_id IS NOT NULL
        OFFSET 0
    ) AS seen CROSS JOIN LATERAL (
        SELECT class_code, last_seen_at FROM defect
        WHERE defect.id = seen.defect_id AND defect.state = ANY(CAST(%(open)s AS text[])) OFFSET 0
    ) AS near JOIN kind USING (class_code)
), of_one AS MATERIALIZED (
    -- Whatever the rest of the rule says, it can be of nothing else; and of this it is.
    SELECT due.id, min(place.id) AS defect_id, min(away.m) AS away_m, count(place.street_side) > 0 AS sided
    FROM due JOIN place USING (east, north, kin)
    CROSS JOIN LATERAL (SELECT sqrt((place.x - due.x) ^ 2 + (place.y - due.y) ^ 2) AS m) AS away
    WHERE due.sharp AND away.m <= CASE WHEN place.sharp THEN %(far)s ELSE %(reach)s END
    GROUP BY due.id
    HAVING min(place.id) = max(place.id) AND count(place.street_side) IN (0, count(*)) AND bool_and(coalesce(
        place.certain AND away.m <= due.near_m AND place.class_code = due.class_code AND place.level = due.level
        AND place.street_key = due.street_key AND coalesce(place.street_side = due.street_side, true)
        AND extract(epoch FROM due.captured_at - place.last_seen_at)::float8 / 86400 <= due.days, false))
), reaching AS MATERIALIZED (
    -- Each of the batch in every cell that it reaches into.
    SELECT id, kin, x, y, m, cell_east,
           generate_series(floor((y - m) / %(cell)s)::integer, floor((y + m) / %(cell)s)::integer) AS cell_north
    FROM (
        SELECT id, kin, x, y, m,
               generate_series(floor((x - m) / %(cell)s)::integer, floor((x + m) / %(cell)s)::integer) AS cell_east
        FROM (SELECT id, kin, x, y, CASE WHEN sharp THEN 2 * %(far)s ELSE 2 * %(reach)s END AS m FROM due) AS other
    ) AS east
), crowd AS MATERIALIZED (
    -- Others of the batch whose verdict might change this one, or this one theirs.
    SELECT due.id
    FROM due JOIN reaching AS other
        ON other.cell_east = floor(due.x / %(cell)s)::integer AND other.cell_north = floor(due.y / %(cell)s)::integer
       AND other.kin = due.kin AND other.id <> due.id
       AND (other.x - due.x) ^ 2 + (other.y - due.y) ^ 2 <= other.m ^ 2
), waiting AS MATERIALIZED (
    SELECT square.east, square.north, kind.kin, near.x, near.y, near.apart_m
    FROM square CROSS JOIN LATERAL (
        SELECT class_code, ST_X(geom) AS x, ST_Y(geom) AS y,
               CASE WHEN accuracy_m <= %(sharp)s THEN 2 * %(far)s ELSE 2 * %(reach)s END AS apart_m
        FROM detection
        WHERE detection.geom && ST_Expand(square.box, 2 * %(reach)s) AND verdict = 'waiting'
          AND received_at BETWEEN %(since)s AND %(until)s
        OFFSET 0
    ) AS near JOIN kind USING (class_code)
), promised AS MATERIALIZED (
    SELECT square.east, square.north, kind.kin, ST_Expand(warranty.footprint, %(reach)s) AS box
    FROM square JOIN warranty ON warranty.footprint && ST_Expand(square.box, %(reach)s) JOIN kind USING (class_code)
    WHERE warranty.state = ANY(CAST(%(live)s AS text[]))
), failed AS MATERIALIZED (
    -- Repairs that are said to have failed: what else was seen of them is not looked for here.
    SELECT DISTINCT east, north, kin FROM standing
    WHERE id IN (SELECT defect_id FROM recall WHERE state IN ('proposed', 'disputed'))
), own AS MATERIALIZED (
    -- Where the very passes of the batch have seen something.
    SELECT standing.east, standing.north, standing.id, seen.*
    FROM standing CROSS JOIN LATERAL (
        SELECT survey_pass, ST_X(geom) AS x, ST_Y(geom) AS y
        FROM sighting
        WHERE defect_id = standing.id AND unlinked_at IS NULL 
          AND survey_pass = ANY(ARRAY(SELECT DISTINCT survey_pass_id FROM due))
        OFFSET 0
    ) AS seen
    WHERE standing.last_seen_at >= (SELECT min(captured_at) FROM part) - CAST(%(a_pass)s AS interval)
)
SELECT of_one.id, of_one.defect_id, of_one.away_m, of_one.sided
FROM of_one JOIN due USING (id)
WHERE NOT EXISTS (SELECT FROM crowd WHERE crowd.id = of_one.id)
  AND NOT EXISTS (
      SELECT FROM waiting
      WHERE waiting.east = due.east AND waiting.north = due.north AND waiting.kin = due.kin
        AND (waiting.x - due.x) ^ 2 + (waiting.y - due.y) ^ 2 <= waiting.apart_m ^ 2)
  AND NOT EXISTS (
      SELECT FROM promised
      WHERE promised.east = due.east AND promised.north = due.north AND promised.kin = due.kin
        AND promised.box && ST_SetSRID(ST_MakePoint(due.x, due.y), %(grid)s))
  AND NOT EXISTS (
      SELECT FROM failed WHERE failed.east = due.east AND failed.north = due.north AND failed.kin = due.kin)
  AND NOT EXISTS (
      SELECT FROM own
      WHERE own.east = due.east AND own.north = due.north AND own.survey_pass = due.survey_pass_id
        AND (own.id = of_one.defect_id OR (own.x - due.x) ^ 2 + (own.y - due.y) ^ 2 <= %(far)s ^ 2))
