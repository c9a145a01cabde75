"""Reports become defects on a real PostGIS: joined, new, asked about, or a recall; never two defects of one hole."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from shared.domain.events import Consumer
from shared.domain.terms import ReportId
from shared.flows import report_to_defect
from shared.store.engine import WriteTx
from shared.store.tables import apart, defect, event, question, report, sighting
from tests.factories import a_defect, a_report, adopt_default_policy, hear

NOW = datetime.now(UTC)
EASTING, NORTHING = 353_000.0, 430_000.0


@pytest.fixture
def triage(tx: WriteTx) -> Callable[..., None]:
    """Adopt the policy, and let the triage consumer hear all that is due."""
    adopt_default_policy(tx)
    return lambda: hear(tx, Consumer.TRIAGE, report_to_defect.run, datetime.now(UTC))


def defect_of(tx: WriteTx, report_id: int) -> int | None:
    found: int | None = tx.scalar(
        select(sighting.c.defect_id).where(sighting.c.report_id == report_id, sighting.c.unlinked_at.is_(None))
    )
    return found


def row_of(tx: WriteTx, table: Any, row_id: int | None) -> Any:
    return tx.execute(select(table).where(table.c.id == row_id)).one()


def events_of(tx: WriteTx, subject: str, subject_id: int | None) -> list[str]:
    told = select(event.c.kind).where(event.c.subject == subject, event.c.subject_id == subject_id)
    return list(tx.scalars(told.order_by(event.c.id)))


def test_a_first_report_founds_a_candidate_that_knows_when_it_was_told(
    tx: WriteTx, triage: Callable[..., None]
) -> None:
    told = NOW - timedelta(hours=3)
    report_id = a_report(tx, received_at=told, danger=True, house_number=12)

    triage()

    found = row_of(tx, defect, defect_of(tx, report_id))
    assert (found.state, found.class_code, found.reports, found.danger) == ("candidate", "pothole", 1, True)
    assert (found.known_at, found.clock_from, found.house_number) == (told, told, 12)
    assert row_of(tx, report, report_id).state == "linked"
    assert events_of(tx, "defect", found.id) == ["DefectRecorded"]
    assert events_of(tx, "report", report_id) == ["ReportReceived", "ReportLinked"]


def test_a_second_report_joins_and_says_why(tx: WriteTx, triage: Callable[..., None]) -> None:
    first = a_report(tx, received_at=NOW - timedelta(days=3, hours=1), street_side="left")
    triage()
    second = a_report(tx, easting=EASTING + 9, received_at=NOW, street_side="left")

    triage()

    assert defect_of(tx, second) == defect_of(tx, first)
    link = tx.execute(select(sighting).where(sighting.c.report_id == second)).one()
    assert link.verdict == "same"
    assert link.why == "9 m away, same street and side, same class, opened 3 days ago"
    assert link.policy_id is not None


def test_twelve_reports_in_one_batch_are_one_defect_at_their_weighted_mean(
    tx: WriteTx, triage: Callable[..., None]
) -> None:
    sure = a_report(tx, accuracy_m=2.0)
    reports = [sure, *(a_report(tx, easting=EASTING + 3, accuracy_m=4.0) for _ in range(11))]

    triage()

    assert {defect_of(tx, one) for one in reports} == {defect_of(tx, sure)}
    found = row_of(tx, defect, defect_of(tx, sure))
    assert found.reports == 12
    mean = EASTING + 3 * 11 / 16 / (1 / 4 + 11 / 16)
    assert tx.scalar(select(func.ST_X(defect.c.geom)).where(defect.c.id == found.id)) == pytest.approx(mean)
    assert found.accuracy_m == pytest.approx((1 / 4 + 11 / 16) ** -0.5)


def test_a_late_report_brings_earlier_knowledge_with_it(tx: WriteTx, triage: Callable[..., None]) -> None:
    first = a_report(tx, received_at=NOW - timedelta(days=1))
    triage()
    earlier = NOW - timedelta(days=2)
    a_report(tx, received_at=earlier)

    triage()

    found = row_of(tx, defect, defect_of(tx, first))
    assert (found.known_at, found.clock_from) == (earlier, earlier)
    assert events_of(tx, "defect", found.id) == ["DefectRecorded", "DefectSighted"]


def test_a_clock_that_was_based_anew_stays_when_earlier_knowledge_comes(
    tx: WriteTx, triage: Callable[..., None]
) -> None:
    first = a_report(tx, received_at=NOW - timedelta(days=5))
    triage()
    raised = NOW - timedelta(days=1)
    tx.execute(update(defect).where(defect.c.id == defect_of(tx, first)).values(clock_from=raised))
    a_report(tx, received_at=NOW - timedelta(days=6))

    triage()

    found = row_of(tx, defect, defect_of(tx, first))
    assert (found.known_at, found.clock_from) == (NOW - timedelta(days=6), raised)


def test_another_class_at_the_same_place_is_another_defect(tx: WriteTx, triage: Callable[..., None]) -> None:
    hole, lamp = a_report(tx), a_report(tx, class_code="street_light")

    triage()

    assert defect_of(tx, hole) != defect_of(tx, lamp)


def test_near_but_different_is_asked_not_joined(tx: WriteTx, triage: Callable[..., None]) -> None:
    """Case 5: opposite carriageways and another street; a bridge over the road is not even asked."""
    first = a_report(tx, street_side="left", accuracy_m=4.0)
    triage()
    across = a_report(tx, easting=EASTING + 7, street_side="right", accuracy_m=4.0)
    corner = a_report(tx, easting=EASTING + 2, street_key="mill-lane")
    bridge = a_report(tx, level=1)

    triage()

    assert defect_of(tx, across) is None
    assert defect_of(tx, corner) is None
    assert row_of(tx, report, across).state == "triage"
    asked = tx.execute(select(question).where(question.c.report_id == across)).one()
    assert asked.candidates[0]["defect_id"] == defect_of(tx, first)
    assert asked.candidates[0]["why"] == "7 m away, same street, other side, same class, opened today"
    assert defect_of(tx, bridge) not in (None, defect_of(tx, first))


def test_between_holes_that_a_person_split_a_person_decides(tx: WriteTx, triage: Callable[..., None]) -> None:
    one, other = a_defect(tx), a_defect(tx, easting=EASTING + 1)
    tx.execute(apart.insert().values(defect_id=one, other_id=other, at=NOW))
    report_id = a_report(tx)

    triage()

    asked = tx.execute(select(question).where(question.c.report_id == report_id)).one()
    assert {each["defect_id"] for each in asked.candidates} == {one, other}


def test_a_question_about_a_defect_of_the_same_batch_names_the_recorded_one(
    tx: WriteTx, triage: Callable[..., None]
) -> None:
    first, unsure = a_report(tx), a_report(tx, easting=EASTING + 40)

    triage()

    asked = tx.execute(select(question).where(question.c.report_id == unsure)).one()
    assert [each["defect_id"] for each in asked.candidates] == [defect_of(tx, first)]


def test_late_repeated_and_doubled_deliveries_change_nothing(tx: WriteTx, triage: Callable[..., None]) -> None:
    report_id = a_report(tx)
    triage()
    before = row_of(tx, defect, defect_of(tx, report_id))

    for _ in range(2):
        report_to_defect.triage(tx, [ReportId(report_id), ReportId(report_id)], NOW)

    assert row_of(tx, defect, before.id) == before
    assert tx.scalar(select(func.count()).select_from(sighting).where(sighting.c.report_id == report_id)) == 1
    assert events_of(tx, "report", report_id) == ["ReportReceived", "ReportLinked"]


@pytest.mark.parametrize("state", ["withdrawn", "rejected", "referred"])
def test_a_report_that_somebody_has_settled_is_left(tx: WriteTx, triage: Callable[..., None], state: str) -> None:
    report_id = a_report(tx, state=state)

    triage()

    assert defect_of(tx, report_id) is None
    assert row_of(tx, report, report_id).state == state


@pytest.mark.parametrize("state", ["closed", "no_defect", "closed_no_action", "duplicate", "verified"])
def test_finished_work_is_never_joined(tx: WriteTx, triage: Callable[..., None], state: str) -> None:
    ended = a_defect(tx, state=state, repaired_at=NOW - timedelta(days=500) if state == "closed" else None)
    report_id = a_report(tx)

    triage()

    assert defect_of(tx, report_id) not in (None, ended)
    recurrence = row_of(tx, defect, defect_of(tx, report_id)).recurrence_of
    assert recurrence == (ended if state == "closed" else None)


@pytest.mark.parametrize("state", ["candidate", "monitor", "made_safe", "ordered", "repair_claimed", "recalled"])
def test_what_is_not_finished_is_joined(tx: WriteTx, triage: Callable[..., None], state: str) -> None:
    standing = a_defect(tx, state=state)
    report_id = a_report(tx)

    triage()

    assert defect_of(tx, report_id) == standing


def test_the_address_as_typed_gives_street_and_number_where_no_network_is_loaded(
    tx: WriteTx, triage: Callable[..., None]
) -> None:
    first = a_report(tx, street_key=None, address="12 High Street, Preston")
    other = a_report(tx, street_key=None, address="3 Mill Lane", easting=EASTING + 1)

    triage()

    found = row_of(tx, defect, defect_of(tx, first))
    assert (found.street_key, found.house_number) == ("high st", 12)
    assert defect_of(tx, other) is None
    assert row_of(tx, report, other).state == "triage"
