-- Postcodes from the staging table: added, or moved.
INSERT INTO postcode (postcode, quality, geom)
SELECT DISTINCT ON (postcode)
    postcode, quality, ST_Transform(ST_SetSRID(ST_MakePoint(x, y), :srid), :grid)
FROM arriving_postcode
ORDER BY postcode, line DESC
ON CONFLICT (postcode) DO UPDATE SET quality = excluded.quality, geom = excluded.geom
