"""A holiday announced late moves the due times that it touches, once, and the old ones are kept (DOMAIN case 2)."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from shared.domain.deadlines import Clock, due
from shared.domain.policy import parse
from shared.flows import grade_defects, move_deadlines
from shared.flows.assess_defect import assess
from shared.flows.weigh_finding import Decision, Finding
from shared.settings import settings
from shared.store import policies, works
from shared.store.engine import WriteTx
from shared.store.policies import InForce
from shared.store.tables import defect, event
from tests.factories import a_defect, adopt_default_policy, an_order

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def rules(tx: WriteTx) -> InForce:
    return adopt_default_policy(tx)


def confirmed(tx: WriteTx, **more: Any) -> int:
    """A defect of ten working days that is ordered."""
    defect_id = a_defect(tx, state="candidate", band=None, reports=1, known_at=NOW - DAY, **more)
    reference = str(tx.scalar(select(defect.c.reference).where(defect.c.id == defect_id)))
    finding = Finding(decision=Decision.CONFIRM, why="Seen.", impact=2, likelihood=2)
    assess(tx, reference, finding, NOW - DAY, supervises=False)
    return defect_id


def row(tx: WriteTx, defect_id: int) -> Any:
    return tx.execute(select(defect).where(defect.c.id == defect_id)).one()


def announce(tx: WriteTx, *days: date, now: datetime = NOW) -> InForce:
    """A new version of the same policy that knows of these holidays more, in force from now."""
    written = settings().policy_file.read_text()
    anew = written.replace("extra_holidays = []", f"extra_holidays = [{', '.join(map(str, days))}]  # {now}")
    assert anew != written
    policies.adopt(tx, anew, parse(anew, "announced.toml"), now)
    return policies.in_force(tx, now)


def a_working_day(rules: InForce, after: datetime) -> date:
    return rules.calendar.next_working_day((after + 2 * DAY).date())


def the_next_working_day(rules: InForce, day: date) -> date:
    return rules.calendar.next_working_day(day + DAY)


def test_a_day_that_becomes_a_holiday_moves_what_is_due_beyond_it(tx: WriteTx, rules: InForce) -> None:
    defect_id = confirmed(tx)
    was = row(tx, defect_id).permanent_due_at
    anew = announce(tx, a_working_day(rules, NOW))

    moved = move_deadlines.move(tx, NOW)

    found = row(tx, defect_id)
    assert moved == 1
    assert found.permanent_due_at == due(NOW - DAY, Clock.parse("10wd"), anew.calendar).at > was
    assert found.policy_id == rules.id
    told = tx.execute(select(event.c.data).where(event.c.kind == "DeadlineMoved")).scalar_one()
    assert (told["clock"], datetime.fromisoformat(told["was"])) == ("permanent", was)
    assert datetime.fromisoformat(told["due_at"]) == found.permanent_due_at
    assert "holidays have changed" in found.due_why[-1]


def test_moving_again_and_grading_again_change_nothing_more(tx: WriteTx, rules: InForce) -> None:
    defect_id = confirmed(tx)
    announce(tx, a_working_day(rules, NOW))
    move_deadlines.move(tx, NOW)
    after = row(tx, defect_id).permanent_due_at

    again = move_deadlines.move(tx, NOW)
    grade_defects.grade(tx, [defect_id], NOW)

    assert (again, row(tx, defect_id).permanent_due_at) == (0, after)


def test_an_emergency_is_not_moved_by_a_holiday(tx: WriteTx, rules: InForce) -> None:
    defect_id = a_defect(tx, state="candidate", band=None, known_at=NOW)
    reference = str(row(tx, defect_id).reference)
    finding = Finding(decision=Decision.CONFIRM, why="Seen.", facts={"collapse": True})
    assess(tx, reference, finding, NOW, supervises=False)
    announce(tx, a_working_day(rules, NOW))

    move_deadlines.move(tx, NOW)

    assert row(tx, defect_id).make_safe_due_at == NOW + timedelta(hours=4)
    assert list(tx.scalars(select(event.c.data["clock"].astext).where(event.c.kind == "DeadlineMoved"))) == [
        "permanent"
    ]


def test_a_holiday_that_it_does_not_count_moves_nothing(tx: WriteTx, rules: InForce) -> None:
    confirmed(tx)
    announce(tx, a_working_day(rules, NOW + 90 * DAY))

    assert move_deadlines.move(tx, NOW) == 0


def test_the_works_order_follows(tx: WriteTx, rules: InForce) -> None:
    defect_id = confirmed(tx)
    order = an_order(tx, defect_id, now=NOW)
    announce(tx, a_working_day(rules, NOW))

    move_deadlines.move(tx, NOW)

    after = works.lock_many(tx, [order.id])[0]
    assert after.permanent_due_at == row(tx, defect_id).permanent_due_at
    assert after.permanent_due_at != order.permanent_due_at


def test_a_holiday_that_was_a_mistake_is_taken_back(tx: WriteTx, rules: InForce) -> None:
    defect_id = confirmed(tx)
    was = row(tx, defect_id).permanent_due_at
    announce(tx, a_working_day(rules, NOW))
    move_deadlines.move(tx, NOW)
    between = row(tx, defect_id).permanent_due_at
    announce(tx, now=NOW + HOUR)

    moved = move_deadlines.move(tx, NOW + HOUR)

    assert (moved, row(tx, defect_id).permanent_due_at) == (1, was)
    told = select(event.c.data["was"].astext).where(event.c.kind == "DeadlineMoved").order_by(event.c.id.desc())
    assert datetime.fromisoformat(str(tx.scalar(told.limit(1)))) == between > was


def test_a_second_holiday_moves_what_the_first_has_moved(tx: WriteTx, rules: InForce) -> None:
    defect_id = confirmed(tx)
    first = a_working_day(rules, NOW)
    announce(tx, first)
    move_deadlines.move(tx, NOW)
    anew = announce(tx, first, the_next_working_day(rules, first), now=NOW + HOUR)

    moved = move_deadlines.move(tx, NOW + HOUR)

    assert (moved, row(tx, defect_id).permanent_due_at) == (1, due(NOW - DAY, Clock.parse("10wd"), anew.calendar).at)


def test_a_due_time_that_was_set_in_another_way_stays(tx: WriteTx, rules: InForce) -> None:
    defect_id = confirmed(tx)
    sooner = row(tx, defect_id).permanent_due_at - HOUR
    tx.execute(update(defect).values(permanent_due_at=sooner))
    announce(tx, a_working_day(rules, NOW))

    assert move_deadlines.move(tx, NOW) == 0
    assert row(tx, defect_id).permanent_due_at == sooner


def test_workers_that_were_down_for_days_move_it_when_they_are_back_and_then_look_no_more(
    tx: WriteTx, rules: InForce
) -> None:
    defect_id = confirmed(tx)
    was = row(tx, defect_id).permanent_due_at
    announce(tx, a_working_day(rules, NOW))

    late = move_deadlines.move(tx, NOW + 2 * DAY)
    tx.execute(update(defect).values(permanent_due_at=was))
    again = move_deadlines.move(tx, NOW + 2 * DAY)

    assert (late, again) == (1, 0)


def test_what_was_graded_beside_the_first_move_is_met_in_the_versions_first_day(tx: WriteTx, rules: InForce) -> None:
    defect_id = confirmed(tx)
    was = row(tx, defect_id).permanent_due_at
    announce(tx, a_working_day(rules, NOW))
    move_deadlines.move(tx, NOW)
    tx.execute(update(defect).values(permanent_due_at=was))

    assert move_deadlines.move(tx, NOW + HOUR) == 1
    assert row(tx, defect_id).permanent_due_at > was
