"""Visits move orders and defects as far as they can, in whatever order the news comes (DOMAIN 10.3, cases 8 and 11)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import URL, func, select
from sqlalchemy.exc import OperationalError

from shared.domain.events import Consumer
from shared.domain.lifecycle import DEFECT, ORDER
from shared.domain.terms import AbortReason, OrderState, VisitOutcome
from shared.errors import Conflict, Invalid, NotFound, Refusal
from shared.flows import act_on_order, assign_works, record_visit, verify_repair
from shared.store import works
from shared.store.engine import WriteTx, transaction
from shared.store.tables import contractor, defect, event, visit, warranty, works_order, works_order_defect
from shared.store.works import Order
from tests.factories import a_defect, a_visit, adopt_default_policy, an_order, hear

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)
MADE_SAFE, TEMPORARY, PERMANENT, ABORTED = VisitOutcome


@pytest.fixture(autouse=True)
def _policy(request: pytest.FixtureRequest) -> None:
    if "tx" in request.fixturenames:
        adopt_default_policy(request.getfixturevalue("tx"))


def state_of(tx: WriteTx, order: Order) -> str:
    state: str = tx.scalar(select(works_order.c.state).where(works_order.c.id == order.id))
    return state


def defect_state(tx: WriteTx, defect_id: int) -> str:
    state: str = tx.scalar(select(defect.c.state).where(defect.c.id == defect_id))
    return state


def steps(tx: WriteTx, subject: str, subject_id: int) -> list[tuple[str | None, str]]:
    rows = select(event.c.before, event.c.after).where(
        event.c.subject == subject, event.c.subject_id == subject_id, event.c.after.is_not(None)
    )
    return [(before, after) for before, after in tx.execute(rows.order_by(event.c.id))]


def test_a_permanent_repair_claims_the_defect_and_completes_the_order(tx: WriteTx) -> None:
    hole = a_defect(tx)
    order = an_order(tx, hole, now=NOW - 5 * HOUR)
    act_on_order.accept(tx, order.reference, order.contractor_id, NOW - 4 * HOUR)

    told = record_visit.record(tx, a_visit(order, PERMANENT, NOW - HOUR), order.contractor_id, NOW)

    assert (told.new, told.applied, told.order_state) == (True, True, "completed_permanent")
    assert defect_state(tx, hole) == "repair_claimed"
    assert steps(tx, "works_order", order.id) == [
        (None, "issued"),
        ("issued", "accepted"),
        ("accepted", "on_site"),
        ("on_site", "completed_permanent"),
    ]


def test_made_safe_is_not_mended(tx: WriteTx) -> None:
    hole = a_defect(tx, band="E", make_safe_due_at=NOW + HOUR)
    order = an_order(tx, hole, now=NOW - 2 * HOUR)

    record_visit.record(tx, a_visit(order, MADE_SAFE, NOW - HOUR), order.contractor_id, NOW)

    assert defect_state(tx, hole) == "made_safe"
    assert state_of(tx, order) == "made_safe"
    row = tx.execute(select(defect.c.made_safe_at, defect.c.repaired_at, defect.c.permanent_due_at)).one()
    assert row.made_safe_at == NOW - HOUR
    assert row.repaired_at is None
    assert row.permanent_due_at is not None
    assert tx.execute(select(warranty)).all() == []


def test_the_same_order_goes_on_from_made_safe_to_the_permanent_repair(tx: WriteTx) -> None:
    hole = a_defect(tx, band="E", make_safe_due_at=NOW + HOUR)
    order = an_order(tx, hole, now=NOW - 4 * HOUR)
    record_visit.record(tx, a_visit(order, MADE_SAFE, NOW - 3 * HOUR), order.contractor_id, NOW - 3 * HOUR)

    told = record_visit.record(tx, a_visit(order, PERMANENT, NOW - HOUR), order.contractor_id, NOW)

    assert told.order == order.reference
    assert told.order_state == "completed_permanent"
    assert defect_state(tx, hole) == "repair_claimed"
    assert tx.scalar(select(defect.c.made_safe_at)) == NOW - 3 * HOUR


def test_a_temporary_repair_raises_the_permanent_order_by_itself(tx: WriteTx) -> None:
    hole = a_defect(tx)
    order = an_order(tx, hole, now=NOW - 4 * HOUR)
    record_visit.record(tx, a_visit(order, TEMPORARY, NOW - HOUR), order.contractor_id, NOW)
    assert defect_state(tx, hole) == "repaired_temporary"

    hear(tx, Consumer.ASSIGN, assign_works.run, NOW)

    lasting = tx.execute(select(works_order).where(works_order.c.kind == "permanent")).one()
    assert lasting.follows == order.id
    assert lasting.state == "issued"
    assert defect_state(tx, hole) == "ordered"
    assert tx.execute(select(warranty)).all() == []


def test_the_same_visit_told_again_counts_once(tx: WriteTx) -> None:
    order = an_order(tx, now=NOW - 4 * HOUR)
    visit_told = a_visit(order, PERMANENT, NOW - HOUR)
    first = record_visit.record(tx, visit_told, order.contractor_id, NOW)
    events_before = len(tx.execute(select(event.c.id)).all())

    again = record_visit.record(tx, visit_told, order.contractor_id, NOW + HOUR)

    assert (again.visit_id, again.new, again.applied) == (first.visit_id, False, True)
    assert len(tx.execute(select(visit.c.id)).all()) == 1
    assert len(tx.execute(select(event.c.id)).all()) == events_before


def test_another_visit_under_the_same_client_id_is_refused(tx: WriteTx) -> None:
    order = an_order(tx, now=NOW - 4 * HOUR)
    client_id = uuid4()
    record_visit.record(tx, a_visit(order, PERMANENT, NOW - HOUR, client_id=client_id), order.contractor_id, NOW)

    with pytest.raises(Conflict):
        record_visit.record(tx, a_visit(order, TEMPORARY, NOW - HOUR, client_id=client_id), order.contractor_id, NOW)


def test_a_retry_with_another_time_of_sending_is_the_same_visit(tx: WriteTx) -> None:
    order = an_order(tx, now=NOW - 4 * HOUR)
    client_id = uuid4()
    first = a_visit(order, PERMANENT, NOW - HOUR, client_id=client_id, sent_at=NOW)
    record_visit.record(tx, first, order.contractor_id, NOW)

    again = a_visit(order, PERMANENT, NOW - HOUR, client_id=client_id, sent_at=NOW + HOUR)
    told = record_visit.record(tx, again, order.contractor_id, NOW + HOUR)

    assert not told.new


def test_a_visit_that_comes_before_the_acceptance_is_not_lost_and_the_late_acceptance_changes_nothing(
    tx: WriteTx,
) -> None:
    order = an_order(tx, now=NOW - 4 * HOUR)
    told = record_visit.record(tx, a_visit(order, PERMANENT, NOW - HOUR), order.contractor_id, NOW)

    late = act_on_order.accept(tx, order.reference, order.contractor_id, NOW)

    assert told.applied
    assert late.state is OrderState.COMPLETED_PERMANENT


def test_a_make_safe_that_is_told_after_the_permanent_repair_keeps_its_time_and_moves_nothing(tx: WriteTx) -> None:
    hole = a_defect(tx, band="E", make_safe_due_at=NOW + HOUR)
    order = an_order(tx, hole, now=NOW - 5 * HOUR)
    record_visit.record(tx, a_visit(order, PERMANENT, NOW - HOUR), order.contractor_id, NOW)

    late = record_visit.record(tx, a_visit(order, MADE_SAFE, NOW - 3 * HOUR), order.contractor_id, NOW)

    assert (late.applied, late.order_state) == (False, "completed_permanent")
    assert "kept on record" in late.why
    assert defect_state(tx, hole) == "repair_claimed"
    assert tx.scalar(select(defect.c.made_safe_at)) == NOW - 3 * HOUR


def test_an_aborted_visit_gives_the_order_back_and_is_kept(tx: WriteTx) -> None:
    hole = a_defect(tx)
    order = an_order(tx, hole, now=NOW - 4 * HOUR)

    aborted = a_visit(order, ABORTED, NOW - HOUR, reason=AbortReason.PARKED_CAR)
    told = record_visit.record(tx, aborted, order.contractor_id, NOW)

    assert told.order_state == "issued"
    assert defect_state(tx, hole) == "ordered"
    assert tx.scalar(select(visit.c.reason)) == "parked_car"
    assert ("aborted", "issued") in steps(tx, "works_order", order.id)


def test_an_aborted_visit_that_is_told_after_a_later_repair_moves_nothing(tx: WriteTx) -> None:
    order = an_order(tx, now=NOW - 6 * HOUR)
    record_visit.record(tx, a_visit(order, PERMANENT, NOW - HOUR), order.contractor_id, NOW)

    aborted = a_visit(order, ABORTED, NOW - 4 * HOUR, reason=AbortReason.WEATHER)
    late = record_visit.record(tx, aborted, order.contractor_id, NOW)

    assert not late.applied
    assert state_of(tx, order) == "completed_permanent"


def test_a_make_safe_that_is_told_after_a_later_aborted_visit_still_makes_safe(tx: WriteTx) -> None:
    hole = a_defect(tx, band="E", make_safe_due_at=NOW + HOUR)
    order = an_order(tx, hole, now=NOW - 6 * HOUR)
    aborted = a_visit(order, ABORTED, NOW - HOUR, reason=AbortReason.WEATHER)
    record_visit.record(tx, aborted, order.contractor_id, NOW)

    late = record_visit.record(tx, a_visit(order, MADE_SAFE, NOW - 4 * HOUR), order.contractor_id, NOW)

    assert late.applied
    assert defect_state(tx, hole) == "made_safe"


def test_a_phone_whose_clock_is_wrong_is_set_right(tx: WriteTx) -> None:
    order = an_order(tx, now=NOW - 4 * HOUR)
    three_hours_fast = a_visit(order, PERMANENT, NOW + 2 * HOUR, sent_at=NOW + 3 * HOUR)

    record_visit.record(tx, three_hours_fast, order.contractor_id, NOW)

    assert tx.scalar(select(works_order.c.completed_at)) == NOW - HOUR
    told = tx.execute(select(visit.c.ended_at, visit.c.sent_at)).one()
    assert (told.ended_at, told.sent_at) == (NOW + 2 * HOUR, NOW + 3 * HOUR)


def test_a_visit_never_ends_after_it_was_told(tx: WriteTx) -> None:
    order = an_order(tx, now=NOW - 4 * HOUR)

    record_visit.record(tx, a_visit(order, PERMANENT, NOW + 5 * HOUR), order.contractor_id, NOW)

    assert tx.scalar(select(works_order.c.completed_at)) == NOW


def test_events_tell_when_it_happened_and_when_it_was_told(tx: WriteTx) -> None:
    order = an_order(tx, now=NOW - 30 * HOUR)

    record_visit.record(tx, a_visit(order, PERMANENT, NOW - 26 * HOUR), order.contractor_id, NOW)

    claimed = tx.execute(select(event).where(event.c.kind == "RepairClaimed")).one()
    recorded = tx.execute(select(event).where(event.c.kind == "VisitRecorded")).one()
    assert (claimed.at, claimed.occurred_at) == (NOW, NOW - 26 * HOUR)
    assert recorded.data["late"] == 26 * 3600


def test_a_permanent_visit_sent_under_the_temporary_order_counts_to_the_permanent_one(tx: WriteTx) -> None:
    hole = a_defect(tx)
    order = an_order(tx, hole, now=NOW - 30 * HOUR)
    record_visit.record(tx, a_visit(order, TEMPORARY, NOW - 26 * HOUR), order.contractor_id, NOW)

    told = record_visit.record(tx, a_visit(order, PERMANENT, NOW - 2 * HOUR), order.contractor_id, NOW)

    assert told.applied
    assert told.order != order.reference
    assert defect_state(tx, hole) == "repair_claimed"


def test_a_visit_to_some_of_an_orders_defects_leaves_the_others_to_an_order_of_their_own(tx: WriteTx) -> None:
    smaller, larger = a_defect(tx), a_defect(tx, easting=353_006.0)
    order = an_order(tx, smaller, larger, now=NOW - 4 * HOUR)
    act_on_order.accept(tx, order.reference, order.contractor_id, NOW - 3 * HOUR)
    name = tx.scalar(select(defect.c.reference).where(defect.c.id == smaller))

    record_visit.record(tx, a_visit(order, PERMANENT, NOW - HOUR, defects=(name,)), order.contractor_id, NOW)

    assert defect_state(tx, smaller) == "repair_claimed"
    assert defect_state(tx, larger) == "ordered"
    other = tx.execute(select(works_order).where(works_order.c.follows == order.id)).one()
    assert (other.state, other.issued_at) == ("accepted", NOW - 4 * HOUR)
    assert works.lock_many(tx, [other.id])[0].defect_ids == (larger,)


def test_a_second_visit_under_the_first_orders_reference_finds_the_split_order(tx: WriteTx) -> None:
    smaller, larger = a_defect(tx), a_defect(tx, easting=353_006.0)
    order = an_order(tx, smaller, larger, now=NOW - 4 * HOUR)
    names = {row.id: row.reference for row in tx.execute(select(defect.c.id, defect.c.reference))}
    first = a_visit(order, PERMANENT, NOW - 2 * HOUR, defects=(names[smaller],))
    record_visit.record(tx, first, order.contractor_id, NOW)

    second = a_visit(order, PERMANENT, NOW - HOUR, defects=(names[larger],))
    told = record_visit.record(tx, second, order.contractor_id, NOW)

    assert told.applied
    assert told.order != order.reference
    assert defect_state(tx, larger) == "repair_claimed"


def test_a_visit_to_a_cancelled_order_stays_on_record(tx: WriteTx) -> None:
    hole = a_defect(tx)
    order = an_order(tx, hole, now=NOW - 4 * HOUR)
    act_on_order.cancel(tx, order.reference, "The scheme covers it.", NOW - 2 * HOUR)

    told = record_visit.record(tx, a_visit(order, PERMANENT, NOW - 3 * HOUR), order.contractor_id, NOW)

    assert not told.applied
    assert len(tx.execute(select(visit.c.id)).all()) == 1
    assert defect_state(tx, hole) == "confirmed"


def test_another_contractors_order_does_not_exist_for_me(tx: WriteTx) -> None:
    order = an_order(tx, now=NOW - 4 * HOUR)
    other = tx.scalar(select(contractor.c.id).where(contractor.c.id != order.contractor_id).limit(1))

    with pytest.raises(NotFound):
        record_visit.record(tx, a_visit(order, PERMANENT, NOW - HOUR), other, NOW)


def test_a_visit_that_cannot_be_is_refused_with_every_field(tx: WriteTx) -> None:
    order = an_order(tx, now=NOW - 4 * HOUR)
    wrong = a_visit(order, ABORTED, NOW, started_at=NOW + HOUR, repair_type="chewing_gum")

    with pytest.raises(Invalid) as refused:
        record_visit.record(tx, wrong, order.contractor_id, NOW)

    assert set(refused.value.errors) == {"ended_at", "reason", "repair_type"}


def test_making_safe_what_another_owns_leaves_it_with_its_owner(tx: WriteTx) -> None:
    cover = a_defect(tx, state="third_party", band="T", make_safe_due_at=NOW + HOUR)
    order = an_order(tx, cover, now=NOW - 4 * HOUR)
    assert order.kind == "make_safe"
    assert defect_state(tx, cover) == "third_party"

    record_visit.record(tx, a_visit(order, MADE_SAFE, NOW - HOUR), order.contractor_id, NOW)

    assert defect_state(tx, cover) == "third_party"
    assert tx.scalar(select(defect.c.made_safe_at)) == NOW - HOUR
    assert ("third_party", "made_safe") in steps(tx, "defect", cover)


def test_one_visit_told_by_many_requests_at_once_is_one_visit(own_db: URL) -> None:
    del own_db
    with transaction("test") as tx:
        adopt_default_policy(tx)
        order = an_order(tx, a_defect(tx), now=NOW - 4 * HOUR)
    told = a_visit(order, PERMANENT, NOW - HOUR)

    def tell(_: int) -> bool:
        with transaction("key:1") as tx:
            return record_visit.record(tx, told, order.contractor_id, NOW).new

    with ThreadPoolExecutor(8) as phones:
        answers = list(phones.map(tell, range(8)))

    assert sorted(answers) == [False] * 7 + [True]


def test_crews_offices_and_workers_who_act_at_once_leave_every_step_lawful(own_db: URL) -> None:
    del own_db
    with transaction("test") as tx:
        adopt_default_policy(tx)
        holes = [a_defect(tx, street_key=f"street-{n % 3}") for n in range(12)]
        assign_works.assign(tx, holes, NOW - 5 * HOUR)
        orders = works.lock_many(tx, list(tx.scalars(select(works_order.c.id))))
    lost: list[BaseException] = []

    def act(number: int) -> None:
        order = orders[number // 6 % len(orders)]
        acts = [
            lambda tx: act_on_order.accept(tx, order.reference, order.contractor_id, NOW),
            lambda tx: act_on_order.decline(tx, order.reference, order.contractor_id, "No crew.", NOW),
            lambda tx: record_visit.record(tx, a_visit(order, PERMANENT, NOW - HOUR), order.contractor_id, NOW),
            lambda tx: act_on_order.cancel(tx, order.reference, "Not needed.", NOW),
            lambda tx: assign_works.assign(tx, holes, NOW),
            lambda tx: verify_repair.judge_orders(tx, [one.id for one in orders], NOW),
        ]
        try:
            with transaction("key:1") as tx:
                acts[number % len(acts)](tx)
        except Refusal:
            pass
        except OperationalError as deadlock:
            lost.append(deadlock)

    with ThreadPoolExecutor(8) as everybody:
        list(everybody.map(act, range(120)))

    assert lost == []
    with transaction("test") as tx:
        assert unlawful(tx) == []
        assert covered_twice(tx) == []


def unlawful(tx: WriteTx) -> list[tuple[str, str | None, str]]:
    """Steps in the record that the lifecycles have not, or that do not begin where the one before ended."""
    rows = tx.execute(
        select(event.c.subject, event.c.subject_id, event.c.before, event.c.after)
        .where(event.c.subject.in_(("works_order", "defect")), event.c.after.is_not(None))
        .order_by(event.c.id)
    )
    wrong, last = [], {}
    for row in rows:
        machine = ORDER if row.subject == "works_order" else DEFECT
        key = (row.subject, row.subject_id)
        lawful = row.before is None or (machine.may(row.before, row.after) and last[key] == row.before)
        if not lawful:
            wrong.append((row.subject, row.before, row.after))
        last[key] = row.after
    return wrong


def covered_twice(tx: WriteTx) -> list[int]:
    rows = (
        select(works_order_defect.c.defect_id)
        .where(works_order_defect.c.ended_at.is_(None))
        .group_by(works_order_defect.c.defect_id)
        .having(func.count() > 1)
    )
    return list(tx.scalars(rows))
