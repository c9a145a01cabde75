"""The doctor: all is well after a whole story, and each thing that can break is named by its check."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from shared.domain.events import Consumer
from shared.flows import assess_defect, assign_works, grade_defects, project_feed, report_to_defect
from shared.flows.weigh_finding import Decision, Finding
from shared.store import doctor
from shared.store.engine import WriteTx
from shared.store.tables import defect
from tests.factories import a_report, a_verified_repair, adopt_default_policy, hear

NOW = datetime.now(UTC) + timedelta(hours=3)
"""After everything that the tests append."""
EARLIER = NOW - timedelta(days=2)


@pytest.fixture
def told(tx: WriteTx) -> WriteTx:
    """Two holes, a hundred metres apart: one reported twice, mended and under warranty; one a candidate."""
    adopt_default_policy(tx)
    for northing in (430_000.0, 430_002.0, 430_100.0):
        a_report(tx, received_at=EARLIER, northing=northing)
    hear(tx, Consumer.TRIAGE, report_to_defect.run, NOW)
    first = tx.execute(select(defect.c.id, defect.c.reference).where(defect.c.reports == 2)).one()
    inspector = WriteTx(tx.connection, "person:5")
    found = Finding(decision=Decision.CONFIRM, why="Measured.", depth_mm=60, width_mm=300)
    assess_defect.assess(inspector, first.reference, found, EARLIER, supervises=False)
    hear(tx, Consumer.GRADE, grade_defects.run, NOW)
    assign_works.assign(tx, [first.id], EARLIER)
    a_verified_repair(tx, first.id, NOW)
    for consumer in (Consumer.GRADE, Consumer.ASSIGN, Consumer.VERIFY):
        hear(tx, consumer, _nothing_more, NOW)
    hear(tx, Consumer.FEED, project_feed.run, NOW)
    return tx


def _nothing_more(*_: Any) -> None:
    """A consumer that has heard it all already."""


def _broken(tx: WriteTx) -> dict[str, tuple[str, ...]]:
    return {one.check: one.shown for one in doctor.examine(tx, NOW, audit=True) if not one.clean}


def test_nothing_is_broken_after_a_whole_story(told: WriteTx) -> None:
    assert _broken(told) == {}


BREAKS = {
    "steps_follow_the_record": "UPDATE defect SET state = 'closed' WHERE state = 'candidate'",
    "reports_in_limbo": "UPDATE sighting SET unlinked_at = now()",
    "detections_in_limbo": """
        WITH vendor AS (INSERT INTO source (code, name) VALUES ('van', 'Van') RETURNING id)
        INSERT INTO detection_batch (reference, source_id, received_at, accepted, repeated, refused)
        SELECT 'B-1', id, now(), 1, 0, 0 FROM vendor""",
    "verified_by_another": "UPDATE works_order SET verifier = (SELECT person FROM visit)",
    "warranty_for_each_repair": "DELETE FROM warranty",
    "orders_have_work": "UPDATE works_order SET state = 'remedial', ended_at = NULL",
    "visits_are_judged": "UPDATE visit SET judged_at = NULL",
    "defects_are_graded": "UPDATE defect SET band = NULL",
    "ordered_has_an_order": "UPDATE defect SET state = 'ordered' WHERE state = 'candidate'",
    "merged_without_chains": "UPDATE defect SET merged_into = (SELECT max(id) FROM defect) WHERE state = 'candidate'",
    "sightings_counted": "UPDATE defect SET reports = reports + 1",
    "recalls_hold_their_warranty": "UPDATE warranty SET state = 'claim_open'",
    "feed_without_gaps": "DELETE FROM feed_line WHERE number = 2",
    "feed_tells_everything": "DELETE FROM feed_line WHERE number = (SELECT max(number) FROM feed_line)",
    "feed_chain": "UPDATE feed_line SET body = '{}' WHERE number = 3",
    "deliveries_have_their_event": """
        INSERT INTO delivery (consumer, event_id, event_at, kind, subject_id, due_at)
        VALUES ('feed', 987654321, now(), 'ReportReceived', 1, now())""",
    "nothing_parked": """
        INSERT INTO delivery (consumer, event_id, event_at, kind, subject_id, due_at, tries, error, parked_at)
        SELECT 'feed', id, at, kind, subject_id, now(), 10, 'Bad: luck', now() FROM event LIMIT 1""",
    "nothing_personal_in_the_feed": """
        WITH told AS (INSERT INTO contact (report_id, email) SELECT min(id), 'Sam.Lee@example.org' FROM report)
        UPDATE feed_line SET body = body || '{"why": "said sam.lee@example.org"}' WHERE number = 1""",
    "messages_have_a_reader": """
        INSERT INTO message (key, report_id, channel, template, made_at, due_at, sent_at, parked_at)
        SELECT 'k', min(id), 'email', 'received', now(), now(), now(), now() FROM report""",
    "no_message_is_parked": """
        INSERT INTO message (key, report_id, channel, template, made_at, due_at, parked_at, tries)
        SELECT 'k', min(id), 'email', 'received', now(), now(), now(), 10 FROM report""",
    "partitions_are_ahead": """
        DO $$
        DECLARE gone text := 'detection_' || to_char((now() AT TIME ZONE 'UTC') + interval '1 month', 'YYYY_MM');
        BEGIN
            EXECUTE 'ALTER TABLE detection DETACH PARTITION ' || gone;
            EXECUTE 'DROP TABLE ' || gone;
        END $$""",
    "resolved_reports_have_ended": "UPDATE report SET state = 'resolved' WHERE state = 'linked'",
    "acts_are_undone_done_or_due": """
        INSERT INTO bulk_act (kind, actor, defects, made_at, due_at)
        VALUES ('refer', 'person:1', '{}', now(), now())""",
    "fit_to_work": "UPDATE policy_version SET effective_from = now() + interval '1 year'",
}
"""By the check that must name it: what breaks the told story."""


@pytest.mark.parametrize("check", sorted(BREAKS))
def test_what_is_broken_is_named_by_its_check(told: WriteTx, check: str) -> None:
    told.connection.exec_driver_sql(BREAKS[check])

    broken = _broken(told)

    assert check in broken
    assert broken[check]


def _two_candidates(tx: WriteTx) -> None:
    adopt_default_policy(tx)
    for northing in (430_000.0, 430_100.0):
        a_report(tx, northing=northing)
    hear(tx, Consumer.TRIAGE, report_to_defect.run, NOW)


def _moved_together(tx: WriteTx) -> None:
    tx.execute(text("UPDATE sighting SET geom = (SELECT geom FROM sighting ORDER BY id LIMIT 1)"))


def _split_by_a_person(tx: WriteTx) -> None:
    _moved_together(tx)
    tx.execute(text("INSERT INTO apart (defect_id, other_id, at) SELECT min(id), max(id), now() FROM defect"))


def _on_the_other_side(tx: WriteTx) -> None:
    _moved_together(tx)
    tx.execute(text("UPDATE sighting SET street_side = CASE WHEN id % 2 = 0 THEN 'left' ELSE 'right' END"))
    tx.execute(text("UPDATE sighting SET geom = ST_Translate(geom, 7, 0) WHERE street_side = 'left'"))


def _on_another_street(tx: WriteTx) -> None:
    _moved_together(tx)
    tx.execute(text("UPDATE sighting SET street_key = 'street ' || id"))


def _left_apart(_: WriteTx) -> None:
    """Where they are: a hundred metres from one another."""


@pytest.mark.parametrize(
    ("arranged", "doubled"),
    [
        (_moved_together, 1),
        (_split_by_a_person, 0),
        (_on_the_other_side, 0),
        (_on_another_street, 0),
        (_left_apart, 0),
    ],
)
def test_two_open_defects_are_one_only_where_the_rule_says_so(
    tx: WriteTx, arranged: Callable[[WriteTx], None], doubled: int
) -> None:
    _two_candidates(tx)

    arranged(tx)

    assert len(_broken(tx).get("no_defect_twice", ())) == doubled
