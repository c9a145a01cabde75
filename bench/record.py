"""Fills the record of a made-up county: what happened to each of its reports, defects and orders, months back.

Each open defect was recorded and graded, each that has ended also ordered, attended, claimed and
verified, or stepped out of. Times lie where the rows have them; ids follow time.
"""

from bench.county import unhampered_still
from bench.database import Db


def add(db: Db) -> None:
    """The events of everything that is there, three years back, and a visit for each order that has ended."""
    db.execute(_PARTITIONS)
    with unhampered_still(db, "visit"):
        db.execute(_VISITS)
    with db.transaction():
        db.execute("SET LOCAL session_replication_role = replica")
        db.execute("SET LOCAL work_mem = '256MB'")
        db.execute(_EVENTS)
    db.execute("VACUUM (ANALYZE) event, visit")


_PARTITIONS = """
    DO $$
    DECLARE
        first timestamptz;
    BEGIN
        FOR back IN 2..36 LOOP
            first := date_trunc('month', now()) - make_interval(months => back);
            EXECUTE format('CREATE TABLE %I PARTITION OF event FOR VALUES FROM (%L) TO (%L)',
                'event_' || to_char(first, 'YYYY_MM'), first, first + interval '1 month');
        END LOOP;
    END $$
"""

_VISITS = """
    INSERT INTO visit (client_id, body_sha256, works_order_id, defect_ids, contractor_id, person, outcome, started_at,
                       ended_at, received_at, applied)
    SELECT gen_random_uuid(), '\\x00', works_order.id, ARRAY[defect.id], contractor_id, 'person:1', 'permanent',
           defect.repaired_at - interval '1 hour', defect.repaired_at, defect.repaired_at, true
    FROM works_order JOIN defect ON defect.id = works_order.id
    WHERE works_order.state = 'paid' AND defect.repaired_at IS NOT NULL
"""

_EVENTS = """
    INSERT INTO event (at, occurred_at, kind, subject, subject_id, before, after, actor, data)
    SELECT at, at, kind, subject, subject_id, before, after, 'bench', data::jsonb FROM (
        SELECT received_at AS at, 'ReportReceived' AS kind, 'report' AS subject, id AS subject_id, NULL AS before,
               'received' AS after, '{"class_code": "pothole", "danger": false}' AS data
        FROM report
        UNION ALL
        SELECT received_at, 'ReportLinked', 'report', id, 'received', 'linked',
               '{"defect_id": 1, "verdict": "same", "why": "2 m away, same street and side, same class"}'
        FROM report WHERE state = 'linked'
        UNION ALL
        SELECT known_at, 'DefectRecorded', 'defect', id, NULL, 'confirmed',
               '{"class_code": "pothole", "recurrence_of": null}' FROM defect
        UNION ALL
        SELECT known_at, 'DefectGraded', 'defect', id, NULL, NULL,
               json_build_object('band', band, 'was', null, 'why', '["risk 2 x 3"]'::json, 'make_safe_due',
                   CASE WHEN band = 'P2' THEN known_at + interval '3 days' END, 'permanent_due',
                   known_at + interval '20 days')::text
        FROM defect
        UNION ALL
        SELECT known_at + interval '1 hour', 'DefectOrdered', 'defect', id, 'confirmed', 'ordered',
               '{"works_order_id": 1}' FROM defect WHERE state IN ('ordered', 'closed', 'in_warranty')
        UNION ALL
        SELECT repaired_at, 'RepairClaimed', 'defect', id, 'ordered', 'repair_claimed', '{"visit_id": 1}'
        FROM defect WHERE state IN ('closed', 'in_warranty')
        UNION ALL
        SELECT ended_at, 'RepairVerified', 'defect', id, 'repair_claimed', 'verified',
               json_build_object('works_order_id', id, 'visit_id', 1, 'verifier', 'rules', 'why', '')::text
        FROM defect WHERE state IN ('closed', 'in_warranty')
        UNION ALL
        SELECT ended_at + interval '1 minute', 'DefectStepped', 'defect', id, 'verified', state, '{"why": ""}'
        FROM defect WHERE state IN ('closed', 'in_warranty')
        UNION ALL
        SELECT ended_at, 'DefectStepped', 'defect', id, 'confirmed', state, '{"why": "Nothing there."}'
        FROM defect WHERE state IN ('closed_no_action', 'no_defect')
    ) AS happened
    ORDER BY at
"""
