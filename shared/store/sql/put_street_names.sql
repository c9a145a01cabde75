-- Every name once, in lower case, for those who mistype one. A name that no street has any more finds nothing.
INSERT INTO street_name (name)
SELECT DISTINCT lower(name) FROM arriving_street WHERE name <> ''
ON CONFLICT DO NOTHING
