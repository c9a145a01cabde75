-- Streets from the staging table: added, or drawn anew under the same network id. Their key is given afterwards. The
-- hierarchy that a person set is kept.
INSERT INTO street (network_id, street_key, usrn, name, class, hierarchy, maintainer, level, rural, geom)
SELECT DISTINCT ON (network_id)
    network_id, coalesce(usrn::text, ''), usrn, name, class, hierarchy, maintainer, level, rural,
    ST_Multi(ST_Transform(ST_SetSRID(ST_GeomFromWKB(wkb), :srid), :grid))
FROM arriving_street
ORDER BY network_id, line DESC
ON CONFLICT (network_id) DO UPDATE SET
    usrn = excluded.usrn, name = excluded.name, class = excluded.class,
    hierarchy = CASE WHEN street.hierarchy_by IS NULL THEN excluded.hierarchy ELSE street.hierarchy END,
    maintainer = excluded.maintainer, level = excluded.level, rural = excluded.rural, geom = excluded.geom,
    street_key = CASE
        WHEN excluded.street_key <> '' THEN excluded.street_key
        WHEN street.usrn IS NULL AND street.name = excluded.name THEN street.street_key
        ELSE '' END
