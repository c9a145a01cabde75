"""Defects are graded from what is known: provisionally by machines, for real by people, never twice for one thing."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, update

from shared.domain.deadlines import Clock, due
from shared.domain.events import Consumer
from shared.domain.terms import EventId
from shared.flows import grade_defects
from shared.flows.assess_defect import assess
from shared.flows.weigh_finding import Decision, Finding
from shared.store import missed
from shared.store.deliveries import Delivery
from shared.store.engine import WriteTx
from shared.store.policies import InForce
from shared.store.tables import defect, event
from tests.factories import a_defect, adopt_default_policy, hear, triaged

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
LONDON = ZoneInfo("Europe/London")


@pytest.fixture(autouse=True)
def rules(tx: WriteTx) -> InForce:
    return adopt_default_policy(tx)


def a_candidate(tx: WriteTx, **more: Any) -> int:
    return a_defect(tx, state="candidate", band=None, **more)


def ungraded(tx: WriteTx, **more: Any) -> int:
    """A defect whose permanent clock nobody has set."""
    defect_id = a_candidate(tx, **more)
    tx.execute(update(defect).where(defect.c.id == defect_id).values(permanent_due_at=None))
    return defect_id


def graded(tx: WriteTx) -> None:
    hear(tx, Consumer.GRADE, grade_defects.run, datetime.now(UTC))


def row(tx: WriteTx, defect_id: int) -> Any:
    return tx.execute(select(defect).where(defect.c.id == defect_id)).one()


def gradings(tx: WriteTx, defect_id: int) -> list[dict[str, Any]]:
    told = select(event.c.data).where(event.c.kind == "DefectGraded", event.c.subject_id == defect_id)
    return list(tx.scalars(told.order_by(event.c.id)))


def due_by(start: datetime, clock: str, rules: InForce) -> datetime:
    return due(start, Clock.parse(clock), rules.calendar).at


def test_a_candidate_gets_a_band_and_an_inspection_but_no_repair_clock(tx: WriteTx, rules: InForce) -> None:
    defect_id = ungraded(tx, reports=1)

    graded(tx)

    found = row(tx, defect_id)
    assert found.band is not None
    assert (found.make_safe_due_at, found.permanent_due_at) == (None, None)
    assert found.inspect_due_at == due_by(found.known_at, "5wd", rules)
    assert found.policy_id == rules.id
    assert found.state == "candidate"


def test_a_dangerous_report_is_looked_at_within_the_hour_day_and_night(tx: WriteTx) -> None:
    report_id = triaged(tx, NOW - 10 * timedelta(minutes=1), danger=True)

    graded(tx)

    found = tx.execute(select(defect)).one()
    assert found.inspect_due_at == NOW + timedelta(minutes=50)
    assert "dangerous" in " ".join(found.band_why)
    assert found.state == "candidate"
    assert report_id


def test_danger_told_of_on_a_friday_afternoon_does_not_wait_for_monday(tx: WriteTx, rules: InForce) -> None:
    """DOMAIN 10.3, case 1 (Crawley v Barnsley): phoned in on Friday at 16:20, read on Monday, injury on Saturday."""
    friday = datetime.combine(NOW.date() + timedelta(days=(4 - NOW.weekday()) % 7), time(16, 20), tzinfo=LONDON)
    triaged(tx, friday.astimezone(UTC), danger=True)
    triaged(tx, friday.astimezone(UTC), easting=354_000.0)

    grade_defects.grade(tx, list(tx.scalars(select(defect.c.id))), friday.astimezone(UTC))

    dangerous, other = tx.scalars(select(defect.c.inspect_due_at).order_by(defect.c.id))
    assert dangerous.astimezone(LONDON) == friday + HOUR
    assert other > friday + 5 * DAY
    assert rules


def test_machines_alone_never_make_an_emergency(tx: WriteTx) -> None:
    deep = ungraded(tx, detections=3, hierarchy="2", depth_mm=150.0, facts={"wheel_path": True})

    graded(tx)

    assert row(tx, deep).band == "P2"
    assert "until a person confirms it" in row(tx, deep).band_why[0]


def test_cracks_seen_by_machines_only_are_watched_by_rule(tx: WriteTx) -> None:
    crack = ungraded(tx, class_code="cracking", detections=2)

    graded(tx)

    found = row(tx, crack)
    assert (found.state, found.band, found.permanent_due_at) == ("monitor", "M", None)
    assert found.assessed_by == f"policy:{found.policy_id}"
    assert found.inspect_due_at > NOW + 90 * DAY
    assert gradings(tx, crack)[-1]["band"] == "M"


def test_grading_again_tells_nothing_new(tx: WriteTx) -> None:
    defect_id = ungraded(tx, reports=1)
    graded(tx)

    grade_defects.grade(tx, [defect_id, defect_id], NOW)
    grade_defects.grade(tx, [defect_id], NOW + HOUR)

    assert len(gradings(tx, defect_id)) == 1


def test_a_batch_is_graded_in_one_go_whatever_its_states(tx: WriteTx) -> None:
    ids = [ungraded(tx, reports=1, street_key=str(n)) for n in range(20)]
    closed = a_defect(tx, state="closed", band="P10")

    graded(tx)

    assert tx.scalar(select(func.count()).where(defect.c.id.in_(ids), defect.c.band.is_(None))) == 0
    assert gradings(tx, closed) == []


def test_earlier_knowledge_brings_the_due_time_forward(tx: WriteTx, rules: InForce) -> None:
    defect_id = a_defect(tx, band="P10", known_at=NOW - DAY, policy_id=rules.id)
    tx.execute(update(defect).values(permanent_due_at=None))
    grade_defects.grade(tx, [defect_id], NOW)
    first = row(tx, defect_id).permanent_due_at
    earlier = NOW - 8 * DAY
    tx.execute(update(defect).where(defect.c.id == defect_id).values(known_at=earlier, clock_from=earlier))

    grade_defects.grade(tx, [defect_id], NOW)

    assert row(tx, defect_id).permanent_due_at == due_by(earlier, "10wd", rules) < first
    assert len(gradings(tx, defect_id)) == 2


def test_a_due_time_never_moves_away_by_itself(tx: WriteTx, rules: InForce) -> None:
    defect_id = a_defect(tx, band="P20", known_at=NOW - DAY, policy_id=rules.id, permanent_due_at=NOW + DAY)

    grade_defects.grade(tx, [defect_id], NOW)

    assert row(tx, defect_id).permanent_due_at == NOW + DAY


def test_a_new_report_on_what_is_watched_brings_a_person_not_a_crew(tx: WriteTx, rules: InForce) -> None:
    triaged(tx, NOW - DAY)
    defect_id = tx.scalar(select(defect.c.id))
    reference = row(tx, defect_id).reference
    assess(tx, reference, Finding(decision=Decision.MONITOR, why="20 mm deep."), NOW - HOUR, supervises=False)

    triaged(tx, NOW)
    graded(tx)

    found = row(tx, defect_id)
    assert (found.state, found.band) == ("monitor", "M")
    assert found.inspect_due_at == due_by(NOW, "5wd", rules)


def test_a_dangerous_report_on_what_a_rule_watches_brings_a_person_within_the_hour(tx: WriteTx) -> None:
    crack = ungraded(tx, class_code="cracking", detections=2)
    graded(tx)
    watched = row(tx, crack).state
    triaged(tx, NOW + HOUR, class_code="cracking", danger=True)

    grade_defects.grade(tx, [crack], NOW + HOUR)

    assert (watched, row(tx, crack).reports) == ("monitor", 1)
    assert row(tx, crack).inspect_due_at == NOW + 2 * HOUR


def test_a_dangerous_report_on_what_is_confirmed_brings_a_person_within_the_hour(tx: WriteTx) -> None:
    triaged(tx, NOW - DAY)
    defect_id = tx.scalar(select(defect.c.id))
    before = assess(
        tx, row(tx, defect_id).reference, Finding(decision=Decision.CONFIRM, why="Seen."), NOW - HOUR, supervises=False
    )

    triaged(tx, NOW, danger=True)
    graded(tx)

    found = row(tx, defect_id)
    assert found.band == before.graded.band
    assert found.inspect_due_at == NOW + HOUR


def test_a_defect_that_took_another_in_is_graded_with_it(tx: WriteTx, rules: InForce) -> None:
    kept = ungraded(tx, reports=1)
    taken = a_defect(tx, state="duplicate", merged_into=kept)
    graded(tx)
    tx.execute(update(defect).where(defect.c.id == kept).values(band=None))

    grade_defects.run(tx, [], NOW)
    hear_of(tx, taken)

    assert row(tx, kept).band is not None


def hear_of(tx: WriteTx, defect_id: int) -> None:
    grade_defects.run(tx, [Delivery("grade", EventId(1), NOW, "DefectMerged", defect_id, 0)], NOW)


def test_a_look_that_nobody_took_is_told_once_in_whatever_state(tx: WriteTx) -> None:
    triaged(tx, NOW - 2 * DAY)
    defect_id = tx.scalar(select(defect.c.id))
    finding = Finding(decision=Decision.CONFIRM, why="Seen.", impact=2, likelihood=2)
    assess(tx, row(tx, defect_id).reference, finding, NOW - DAY, supervises=False)
    triaged(tx, NOW - 3 * HOUR, danger=True)
    grade_defects.grade(tx, [defect_id], NOW)

    told = [one.clock for _ in range(2) for one in missed.notice(tx, NOW) if one.subject_id == defect_id]

    assert told == ["inspect"]
