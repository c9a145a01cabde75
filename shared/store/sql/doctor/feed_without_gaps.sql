-- Feed lines run from 1 to N without a gap.
SELECT 'lines ' || min(number) || ' to ' || max(number) || ' are ' || count(*)
FROM feed_line
HAVING count(*) > 0 AND (min(number) <> 1 OR max(number) <> count(*))
