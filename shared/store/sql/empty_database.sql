-- Drops every table, view, sequence and routine of the schema public that no extension owns.
DO $$
DECLARE
    statements text;
BEGIN
    SELECT string_agg(statement, '; ') INTO statements FROM (
        SELECT format('DROP %s IF EXISTS %s CASCADE',
                      CASE relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW'
                                   WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END,
                      pg_class.oid::regclass) AS statement
        FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'S', 'v', 'm') AND NOT relispartition
          AND NOT EXISTS (SELECT FROM pg_depend
                          WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND objsubid = 0
                            AND deptype IN ('e', 'i'))
        UNION ALL
        SELECT format('DROP ROUTINE IF EXISTS %s CASCADE', pg_proc.oid::regprocedure)
        FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace
          AND NOT EXISTS (SELECT FROM pg_depend
                          WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e')
    ) AS everything_of_ours;
    EXECUTE coalesce(statements, '');
END $$
