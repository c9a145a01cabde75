-- The drawing is another one from now on. Locks its one row, so that two never draw at once.
INSERT INTO map_drawing (singleton, version) VALUES (true, gen_random_uuid()::text)
ON CONFLICT (singleton) DO UPDATE SET version = excluded.version
