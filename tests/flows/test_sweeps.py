"""Sweeps: what beat does again and again is done once, whenever it runs."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, insert, select, text, update

from shared.domain.events import DefectGraded, ReportInfoAsked
from shared.flows import sweeps
from shared.store import event_log
from shared.store.engine import WriteTx
from shared.store.tables import defect, delivery, event, idempotency_key, kpi_snapshot, report
from tests.factories import a_defect, a_report, adopt_default_policy

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)


def _told(tx: WriteTx, kind: str) -> list[str]:
    """The clocks that were told as missed, in order."""
    rows = select(event.c.data["clock"].astext).where(event.c.kind == kind).order_by(event.c.id)
    return list(tx.scalars(rows))


def test_each_missed_clock_of_a_defect_is_told_once_however_often_the_sweep_runs(tx: WriteTx) -> None:
    a_defect(tx, make_safe_due_at=NOW - 2 * HOUR, permanent_due_at=NOW - HOUR)
    a_defect(tx, permanent_due_at=NOW + HOUR)

    for _ in range(3):
        sweeps.mark_overdue(tx, NOW)

    assert _told(tx, "DeadlineMissed") == ["make_safe", "permanent"]
    assert tx.scalar(select(func.count()).where(defect.c.overdue)) == 1


def test_a_clock_that_is_set_anew_and_missed_again_is_told_again(tx: WriteTx) -> None:
    number = a_defect(tx, permanent_due_at=NOW - 2 * HOUR)
    sweeps.mark_overdue(tx, NOW)

    tx.execute(update(defect).where(defect.c.id == number).values(permanent_due_at=NOW - HOUR))
    sweeps.mark_overdue(tx, NOW)

    assert _told(tx, "DeadlineMissed") == ["permanent", "permanent"]


@pytest.mark.parametrize("state", ["repair_claimed", "in_warranty", "no_defect", "duplicate", "deferred_to_scheme"])
def test_a_defect_with_nothing_left_to_mend_is_not_overdue(tx: WriteTx, state: str) -> None:
    a_defect(tx, state=state, permanent_due_at=NOW - HOUR)

    sweeps.mark_overdue(tx, NOW)

    assert _told(tx, "DeadlineMissed") == []
    assert not tx.scalar(select(defect.c.overdue))


def test_a_defect_whose_time_was_moved_on_is_overdue_no_more(tx: WriteTx) -> None:
    a_defect(tx, permanent_due_at=NOW - HOUR)
    sweeps.mark_overdue(tx, NOW)

    tx.execute(update(defect).values(permanent_due_at=NOW + HOUR))
    sweeps.mark_overdue(tx, NOW)

    assert not tx.scalar(select(defect.c.overdue))


def test_a_report_that_nobody_read_in_time_is_told_once(tx: WriteTx) -> None:
    a_report(tx, triage_due_at=NOW - HOUR)
    a_report(tx, triage_due_at=NOW + HOUR)

    for _ in range(2):
        sweeps.mark_overdue(tx, NOW)

    assert len(_told(tx, "TriageMissed")) == 1


def test_a_question_that_no_reporter_answers_goes_back_to_triage_after_the_policys_days(tx: WriteTx) -> None:
    adopt_default_policy(tx)
    asked = NOW - timedelta(days=25)
    number = a_report(tx, received_at=asked, state="triage", triage_due_at=asked + timedelta(days=2))
    tx.execute(update(report).values(state="needs_info"))
    event_log.append(
        tx, ReportInfoAsked(report_id=number, before="triage", after="needs_info", question="Where?"), asked
    )

    sweeps.time_out_questions(tx, asked + timedelta(days=9))
    waiting = tx.scalar(select(report.c.state))
    sweeps.time_out_questions(tx, NOW)
    sweeps.mark_overdue(tx, NOW + HOUR)

    assert (waiting, tx.scalar(select(report.c.state))) == ("needs_info", "triage")
    assert _told(tx, "TriageMissed") == []


def test_everybody_with_something_due_is_nudged(tx: WriteTx) -> None:
    tx.execute(text("DELETE FROM delivery"))
    a_report(tx)
    tx.woken.clear()

    sweeps.nudge_due(tx, NOW + HOUR)

    assert tx.woken == set(tx.scalars(select(delivery.c.consumer)))


def test_old_idempotency_keys_are_forgotten_and_fresh_ones_kept(tx: WriteTx) -> None:
    for key, age in (("old", timedelta(days=8)), ("fresh", timedelta(days=6))):
        row = {"scope": "reports", "key": key, "body_sha256": b"x", "answer": {}, "at": NOW - age}
        tx.execute(insert(idempotency_key).values(row))

    sweeps.forget_old_keys(tx, NOW)

    assert list(tx.scalars(select(idempotency_key.c.key))) == ["fresh"]


def test_partitions_are_made_ahead_and_made_once(tx: WriteTx) -> None:
    sweeps.make_partitions(tx, NOW)
    sweeps.make_partitions(tx, NOW)

    counted = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'event'::regclass"
    assert tx.scalar(text(counted)) >= sweeps.MONTHS_AHEAD + 1


def test_a_quarter_is_frozen_once_and_restated_when_facts_arrive_late(tx: WriteTx) -> None:
    adopt_default_policy(tx)
    number = a_defect(tx, state="ordered", known_at=NOW)
    later = NOW + timedelta(days=200)
    tx.execute(text("SELECT make_partitions(8)"))
    graded = DefectGraded(
        defect_id=number, band="P10", was=None, why=(), permanent_due=(NOW + timedelta(days=1)).isoformat()
    )
    event_log.append(tx, graded, NOW)

    sweeps.freeze_quarters(tx, later)
    sweeps.freeze_quarters(tx, later + HOUR)
    once = tx.execute(select(kpi_snapshot.c.quarter, kpi_snapshot.c.revision)).all()
    _tell_late(tx, number, later)
    sweeps.freeze_quarters(tx, later + 4 * HOUR)
    sweeps.freeze_quarters(tx, later + 5 * HOUR)

    revisions = select(kpi_snapshot).order_by(kpi_snapshot.c.quarter, kpi_snapshot.c.revision)
    first, second, *_ = tx.execute(revisions).all()
    assert all(revision == 1 for _, revision in once)
    assert (first.quarter, first.revision, second.quarter, second.revision) == (first.quarter, 1, first.quarter, 2)
    assert "in_time_permanent_P10 was 0 of 1, is 1 of 1" in second.why
    assert tx.scalar(select(func.count()).where(kpi_snapshot.c.quarter == first.quarter)) == 2


def _tell_late(tx: WriteTx, number: int, later: datetime) -> None:
    """A repair of that time comes to our ears a year later."""
    tx.execute(
        text(
            "INSERT INTO event (at, occurred_at, kind, subject, subject_id, before, after, actor, data)"
            " VALUES (:at, :then, 'RepairClaimed', 'defect', :id, 'ordered', 'repair_claimed', 'test', '{}')"
        ),
        {"at": later + 2 * HOUR, "then": NOW + HOUR, "id": number},
    )
