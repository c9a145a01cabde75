"""The timeline as it is read out of the record: dates of real gradings, slips that a sweep noticed, merges, recalls."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select, update

from shared.domain.events import Consumer
from shared.domain.terms import AbortReason, OrderState, VisitOutcome
from shared.domain.timeline import Moment
from shared.flows import decide_report, grade_defects, merge_defects, sweeps
from shared.flows.assess_defect import assess
from shared.flows.record_visit import record
from shared.flows.take_steps import OrderWalk, walk_orders
from shared.flows.weigh_finding import Decision, Finding
from shared.store.engine import WriteTx
from shared.store.read_models import defects, following, reports
from shared.store.tables import defect, report
from tests.factories import a_defect, a_verified_repair, a_visit, adopt_default_policy, an_order, hear, triaged

NOW = datetime.now(UTC).replace(microsecond=0) + timedelta(days=40)
"""Ahead, because factories record what they make at the real time: what happens to it comes after."""
PAST = NOW - timedelta(days=3)
FAR_M = 5_000.0


def _reference(tx: WriteTx, table: object, number: int) -> str:
    columns = table.c  # type: ignore[attr-defined]
    found: str = tx.scalar(select(columns.reference).where(columns.id == number))
    return found


def _defect_of(tx: WriteTx, report_id: int) -> str:
    (reference,) = reports.told(tx, _reference(tx, report, report_id)).defects
    return reference


def _graded(tx: WriteTx, report_id: int, at: datetime) -> str:
    """The report's defect, measured and confirmed a minute later."""
    hear(tx, Consumer.GRADE, grade_defects.run, at)
    reference = _defect_of(tx, report_id)
    finding = Finding(decision=Decision.CONFIRM, why="Measured.", depth_mm=60, width_mm=320)
    assess(WriteTx(tx.connection, "person:7"), reference, finding, at + timedelta(minutes=1), supervises=True)
    return reference


def _of_report(tx: WriteTx, report_id: int) -> list[Moment]:
    return reports.told(tx, _reference(tx, report, report_id)).timeline


def _labels(told: list[Moment]) -> list[str]:
    return [one.label for one in told]


def test_a_graded_report_tells_the_dates_that_the_policy_promised(tx: WriteTx) -> None:
    adopt_default_policy(tx)
    report_id = triaged(tx, NOW)
    reference = _graded(tx, report_id, NOW)

    told = defects.told(tx, reference)

    dated = {one.words: (one.promised, one.kept) for one in told.timeline if one.promised}
    assert dated["Somebody will look at it by this date."][1] is True
    assert dated["We will mend it by this date."] == (told.row.permanent_due_at, None)
    assert _of_report(tx, report_id)[-1].promised == told.row.permanent_due_at


def test_a_slip_that_the_sweep_noticed_is_told_with_what_kept_the_crew_from_it(tx: WriteTx) -> None:
    adopt_default_policy(tx)
    report_id = triaged(tx, PAST)
    reference = _graded(tx, report_id, PAST)
    number = tx.scalar(select(defect.c.id).where(defect.c.reference == reference))
    order = an_order(tx, number, now=PAST)
    walk_orders(tx, [OrderWalk(order, (OrderState.ACCEPTED,))], PAST)
    came = a_visit(order, VisitOutcome.ABORTED, PAST + timedelta(hours=3), reason=AbortReason.PARKED_CAR)
    record(WriteTx(tx.connection, "person:77"), came, order.contractor_id, PAST + timedelta(hours=4))
    tx.execute(update(defect).values(permanent_due_at=NOW - timedelta(hours=1)))

    sweeps.mark_overdue(tx, NOW)

    told = _of_report(tx, report_id)
    assert _labels(told)[-2:] == ["Work not done", "Date missed"]
    assert told[-1].words.endswith("A crew came, but a parked car was in the way.")
    assert told[-1].promised == NOW - timedelta(hours=1)


def test_an_unread_report_is_told_that_nobody_read_it_in_time(tx: WriteTx) -> None:
    adopt_default_policy(tx)
    report_id = triaged(tx, PAST)
    decide_report.ask(tx, _unlinked(tx, report_id), "Which lane?", PAST)
    decide_report.answer(tx, _reference(tx, report, report_id), report_id, "The left.", PAST)
    tx.execute(update(report).values(triage_due_at=NOW - timedelta(hours=1)))

    sweeps.mark_overdue(tx, NOW)

    told = _of_report(tx, report_id)
    assert _labels(told)[-2:] == ["Date promised", "Date missed"]
    assert (told[-2].kept, told[-1].kept) == (False, False)


def _unlinked(tx: WriteTx, report_id: int) -> str:
    reference = _reference(tx, report, report_id)
    staff = WriteTx(tx.connection, "person:7")
    merge_defects.unlink(staff, reference, _defect_of(tx, report_id), "Another.", PAST)
    return reference


def test_a_merged_report_has_its_own_news_and_then_its_originals_and_gets_its_own_back(tx: WriteTx) -> None:
    adopt_default_policy(tx)
    one, other = triaged(tx, PAST), triaged(tx, PAST, northing=430_000.0 + FAR_M, street_key="far-street")
    original, duplicate = _graded(tx, one, PAST), _defect_of(tx, other)
    staff = WriteTx(tx.connection, "person:7")

    merge_defects.merge(staff, duplicate, original, "One hole.", NOW)
    merged, page = _of_report(tx, other), defects.told(tx, duplicate)
    merge_defects.unmerge(staff, duplicate, "Two holes.", NOW + timedelta(minutes=1))
    apart = _of_report(tx, other)

    assert "Duplicate" in _labels(merged)
    assert "We will mend it by this date." in {moment.words for moment in merged}
    assert page.row.same_as == original
    assert "We will mend it by this date." in {moment.words for moment in page.timeline}
    assert "We will mend it by this date." not in {moment.words for moment in apart}


def test_a_recall_keeps_both_threads_and_tells_each_of_the_other(tx: WriteTx) -> None:
    adopt_default_policy(tx)
    began = NOW - timedelta(days=30)
    defect_id = a_defect(tx, known_at=began - timedelta(days=3))
    an_order(tx, defect_id, now=began - timedelta(days=2))
    a_verified_repair(tx, defect_id, began)
    repaired = _reference(tx, defect, defect_id)

    later = triaged(tx, NOW)

    assert following.questions_repair_of(tx, later) == repaired
    assert reports.told(tx, _reference(tx, report, later)).defects == []
    told = defects.told(tx, repaired)
    assert _labels(told.timeline)[-1] == "Being looked at again"
    assert told.status.label == "Fixed"
    assert following.warranted_until(tx, defect_id) is not None
