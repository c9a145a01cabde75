-- Streets by name, one row a street: those whose name begins with what was typed, then those in which a word does; with
-- :place only those in an area whose name begins so. The looks are bounded: each index is read in order, and no further.
WITH begins AS (
    SELECT street_key, lower(name) AS name, geom, (lower(name) <> :typed)::int AS rank FROM street
    WHERE lower(name) LIKE :beginning ORDER BY lower(name) USING ~<~ LIMIT :looks
), has AS (
    SELECT street_key, names.name, geom, 2 AS rank
    FROM (SELECT name FROM street_name WHERE name LIKE :word AND (SELECT count(DISTINCT street_key) FROM begins) < :most
          ORDER BY name LIMIT :most) AS names
    JOIN street ON lower(street.name) = names.name LIMIT :looks
), likely AS MATERIALIZED (
    SELECT * FROM begins UNION ALL SELECT * FROM has
), inside AS MATERIALIZED (
    SELECT area_piece.geom FROM area JOIN area_piece ON area_piece.area_id = area.id
    WHERE :place <> '' AND lower(area.name) LIKE :in_place
), chosen AS (
    SELECT street_key, min(rank) AS rank, min(name) AS name, count(*) AS pieces FROM likely
    WHERE :place = '' OR EXISTS (SELECT FROM inside WHERE ST_Intersects(inside.geom, likely.geom))
    GROUP BY street_key ORDER BY rank, name, pieces DESC, street_key LIMIT :most
)
SELECT chosen.rank, chosen.street_key AS key, drawn.* FROM chosen
