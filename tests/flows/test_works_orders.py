"""Defects become works orders: the right contractor, shared orders, nothing twice, nothing left out of sight."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import URL, func, insert, select, update

from shared.domain.events import Consumer
from shared.domain.lifecycle import UnlawfulStep
from shared.domain.policy import parse
from shared.domain.terms import VisitOutcome
from shared.errors import Invalid
from shared.flows import act_on_order, assign_works, record_visit
from shared.flows.order_by_hand import order_by_hand
from shared.settings import settings
from shared.store import policies, works
from shared.store.deliveries import Delivery
from shared.store.engine import WriteTx, transaction
from shared.store.tables import (
    contractor,
    defect,
    event,
    recall,
    visit,
    warranty,
    works_order,
    works_order_defect,
)
from tests.factories import a_defect, a_visit, adopt_default_policy, an_order, hear

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _policy(request: pytest.FixtureRequest) -> None:
    if "tx" in request.fixturenames:
        adopt_default_policy(request.getfixturevalue("tx"))


def graded(*defect_ids: int) -> list[Delivery]:
    return [Delivery("assign", n, NOW, "DefectGraded", defect_id, 0) for n, defect_id in enumerate(defect_ids, 1)]


def orders(tx: WriteTx) -> list[tuple[str, str, str, str]]:
    rows = tx.execute(
        select(contractor.c.code, works_order.c.state, works_order.c.kind, works_order.c.band)
        .join(contractor, contractor.c.id == works_order.c.contractor_id)
        .order_by(works_order.c.id)
    )
    return [tuple(row) for row in rows]


def covers(tx: WriteTx, order_id: int) -> set[int]:
    rows = select(works_order_defect.c.defect_id).where(
        works_order_defect.c.works_order_id == order_id, works_order_defect.c.ended_at.is_(None)
    )
    return set(tx.scalars(rows))


def test_a_confirmed_defect_goes_to_the_contractor_whose_lot_covers_it(tx: WriteTx) -> None:
    in_the_north = a_defect(tx, area_code="E07000123", street_key="one")
    elsewhere = a_defect(tx, area_code="E07000117", street_key="two")

    assign_works.run(tx, graded(in_the_north, elsewhere), NOW)

    assert orders(tx) == [("alder", "issued", "repair", "P10"), ("birch", "issued", "repair", "P10")]


def test_an_emergency_goes_to_the_crews_who_keep_them_with_both_clocks_on_one_order(tx: WriteTx) -> None:
    hole = a_defect(tx, band="E", make_safe_due_at=NOW + 4 * HOUR, permanent_due_at=NOW + 480 * HOUR)

    assign_works.run(tx, graded(hole), NOW)

    row = tx.execute(select(works_order)).one()
    assert orders(tx) == [("county", "issued", "repair", "E")]
    assert (row.make_safe_due_at, row.permanent_due_at) == (NOW + 4 * HOUR, NOW + 480 * HOUR)


def test_defects_of_one_street_and_band_share_an_order(tx: WriteTx) -> None:
    holes = [a_defect(tx, street_key="one") for _ in range(3)]
    other_street = a_defect(tx, street_key="two")
    other_band = a_defect(tx, street_key="one", band="P20")
    nowhere = [a_defect(tx, street_key=None) for _ in range(2)]

    assign_works.run(tx, graded(*holes, other_street, other_band, *nowhere), NOW)

    shared = {frozenset(covers(tx, order_id)) for order_id in tx.scalars(select(works_order.c.id))}
    assert shared == {
        frozenset(holes),
        frozenset({other_street}),
        frozenset({other_band}),
        *(frozenset({one}) for one in nowhere),
    }


def test_emergencies_share_no_order(tx: WriteTx) -> None:
    holes = [a_defect(tx, band="E", street_key="one", make_safe_due_at=NOW) for _ in range(2)]

    assign_works.run(tx, graded(*holes), NOW)

    assert len(orders(tx)) == 2


def test_an_order_holds_no_more_defects_than_the_policy_says(tx: WriteTx) -> None:
    holes = [a_defect(tx, street_key="one") for _ in range(23)]

    assign_works.run(tx, graded(*holes), NOW)

    assert sorted(len(covers(tx, order_id)) for order_id in tx.scalars(select(works_order.c.id))) == [3, 10, 10]


def test_a_later_defect_joins_an_order_that_nobody_has_accepted(tx: WriteTx) -> None:
    first = a_defect(tx, street_key="one", permanent_due_at=NOW + 200 * HOUR)
    order = an_order(tx, first, now=NOW)
    sooner = a_defect(tx, street_key="one", permanent_due_at=NOW + 100 * HOUR)

    assign_works.run(tx, graded(sooner), NOW)

    assert covers(tx, order.id) == {first, sooner}
    assert tx.scalar(select(works_order.c.permanent_due_at)) == NOW + 100 * HOUR
    assert tx.scalar(select(event.c.data).where(event.c.kind == "OrderRegraded")) is not None


def test_a_later_defect_does_not_join_an_order_that_is_accepted(tx: WriteTx) -> None:
    order = an_order(tx, a_defect(tx, street_key="one"), now=NOW)
    act_on_order.accept(tx, order.reference, order.contractor_id, NOW)

    assign_works.run(tx, graded(a_defect(tx, street_key="one")), NOW)

    assert [state for _, state, _, _ in orders(tx)] == ["accepted", "issued"]


def test_hearing_twice_orders_once(tx: WriteTx) -> None:
    hole = a_defect(tx)

    assign_works.run(tx, graded(hole, hole), NOW)
    assign_works.run(tx, graded(hole), NOW)

    assert len(orders(tx)) == 1


@pytest.mark.parametrize("state", ["candidate", "monitor", "no_defect", "third_party", "deferred_to_scheme", "closed"])
def test_only_confirmed_defects_are_ordered(tx: WriteTx, state: str) -> None:
    assign_works.run(tx, graded(a_defect(tx, state=state)), NOW)

    assert orders(tx) == []


def test_a_defect_whose_repair_clock_does_not_run_is_not_ordered(tx: WriteTx) -> None:
    watched = a_defect(tx, band="M")
    tx.execute(update(defect).values(permanent_due_at=None))

    assign_works.run(tx, graded(watched), NOW)

    assert orders(tx) == []


def test_a_defect_that_no_lot_covers_waits_in_sight_until_one_does(tx: WriteTx) -> None:
    hole = a_defect(tx, class_code="gully_blocked", band="M")
    assign_works.run(tx, graded(hole), NOW)
    assert orders(tx) == []
    assert tx.scalar(select(defect.c.state)) == "confirmed"

    adopt(tx, 'bands = ["E", "P2", "P5", "P10", "P20", "G", "R"]', 'bands = ["E", "P2", "P5", "P10", "P20", "G", "M"]')
    assert assign_works.assign_waiting(tx, NOW) == 1

    assert orders(tx) == [("county", "issued", "repair", "M")]


def test_what_waits_for_a_lot_does_not_stand_in_the_way_of_the_rest(tx: WriteTx, monkeypatch: Any) -> None:
    monkeypatch.setattr(assign_works, "MOST_AT_ONCE", 2)
    for _ in range(5):
        a_defect(tx, class_code="gully_blocked", band="M", permanent_due_at=NOW)
    ordinary = a_defect(tx, permanent_due_at=NOW + 100 * HOUR)

    assign_works.assign_waiting(tx, NOW)

    assert tx.scalar(select(defect.c.state).where(defect.c.id == ordinary)) == "ordered"


def test_a_defect_graded_anew_takes_its_open_order_along(tx: WriteTx) -> None:
    hole = a_defect(tx, band="P20")
    order = an_order(tx, hole, now=NOW)
    tx.execute(update(defect).values(band="P2", make_safe_due_at=NOW + HOUR, permanent_due_at=NOW + 9 * HOUR))

    assign_works.run(tx, graded(hole), NOW)

    row = tx.execute(select(works_order)).one()
    assert (row.id, row.band, row.make_safe_due_at, row.permanent_due_at) == (
        order.id,
        "P2",
        NOW + HOUR,
        NOW + 9 * HOUR,
    )
    told = tx.execute(select(event.c.data).where(event.c.kind == "OrderRegraded")).scalar_one()
    assert (told["was"], told["band"]) == ("P20", "P2")


# --- contractors and operators ---------------------------------------------------------------------------------------


def test_a_declined_order_goes_to_the_next_contractor_who_is_not_asked_twice(tx: WriteTx) -> None:
    hole = a_defect(tx)
    order = an_order(tx, hole, now=NOW)

    act_on_order.decline(tx, order.reference, order.contractor_id, "No crew this week.", NOW)

    assert orders(tx) == [("alder", "declined", "repair", "P10"), ("birch", "issued", "repair", "P10")]
    new = tx.execute(select(works_order).where(works_order.c.state == "issued")).one()
    assert (new.follows, new.declined_by) == (order.id, [order.contractor_id])
    assert covers(tx, new.id) == {hole}
    assert covers(tx, order.id) == set()
    assert tx.scalar(select(defect.c.state)) == "ordered"


def test_an_order_that_everybody_declines_stays_with_the_operators_who_can_give_it_to_anybody(tx: WriteTx) -> None:
    hole = a_defect(tx)
    first = an_order(tx, hole, now=NOW)
    act_on_order.decline(tx, first.reference, first.contractor_id, "No crew.", NOW)
    second = tx.execute(select(works_order).where(works_order.c.state == "issued")).one()
    act_on_order.decline(tx, second.reference, second.contractor_id, "No crew either.", NOW)
    assert [state for _, state, _, _ in orders(tx)] == ["declined", "declined"]
    assert covers(tx, second.id) == {hole}

    given = act_on_order.reissue(tx, second.reference, "county", "Crews are free.", NOW)

    assert given.state == "issued"
    assert covers(tx, given.id) == {hole}
    assert orders(tx)[-1] == ("county", "issued", "repair", "P10")


def test_declining_twice_is_declining_once(tx: WriteTx) -> None:
    order = an_order(tx, now=NOW)
    act_on_order.decline(tx, order.reference, order.contractor_id, "No crew.", NOW)

    act_on_order.decline(tx, order.reference, order.contractor_id, "No crew.", NOW)

    assert len(orders(tx)) == 2


def test_an_accepted_order_is_not_declined(tx: WriteTx) -> None:
    order = an_order(tx, now=NOW)
    act_on_order.accept(tx, order.reference, order.contractor_id, NOW)

    with pytest.raises(UnlawfulStep):
        act_on_order.decline(tx, order.reference, order.contractor_id, "Changed our mind.", NOW)


def test_accepting_twice_is_accepting_once(tx: WriteTx) -> None:
    order = an_order(tx, now=NOW)
    act_on_order.accept(tx, order.reference, order.contractor_id, NOW)

    again = act_on_order.accept(tx, order.reference, order.contractor_id, NOW + HOUR)

    assert again.accepted_at == NOW
    assert len(list(tx.scalars(select(event.c.id).where(event.c.kind == "OrderStepped")))) == 1


def test_many_are_accepted_at_once_and_a_refused_one_holds_up_no_other(tx: WriteTx) -> None:
    mine = [an_order(tx, a_defect(tx, street_key=f"street-{n}"), now=NOW) for n in range(3)]
    gone = an_order(tx, a_defect(tx, street_key="gone"), now=NOW)
    act_on_order.cancel(tx, gone.reference, "Not ours.", NOW)
    references = [*(one.reference for one in mine), gone.reference, "W-0000-0000", mine[0].reference]

    answers = act_on_order.accept_many(tx, references, mine[0].contractor_id, NOW)

    assert [one.state for one in answers] == ["accepted", "accepted", "accepted", "cancelled", None]
    assert [one.refusal is None for one in answers] == [True, True, True, False, False]
    assert [state for _, state, _, _ in orders(tx)] == ["accepted"] * 3 + ["cancelled"]


def test_scheduling_accepts_and_a_promise_that_slips_says_why(tx: WriteTx) -> None:
    order = an_order(tx, now=NOW)
    act_on_order.schedule(tx, order.reference, order.contractor_id, NOW + 24 * HOUR, "", NOW)

    with pytest.raises(Invalid):
        act_on_order.schedule(tx, order.reference, order.contractor_id, NOW + 48 * HOUR, "", NOW)
    slipped = act_on_order.schedule(tx, order.reference, order.contractor_id, NOW + 48 * HOUR, "Permit is late.", NOW)

    assert slipped.scheduled_for == NOW + 48 * HOUR
    told = tx.execute(
        select(event.c.before, event.c.after, event.c.data["why"].astext).where(event.c.kind == "OrderStepped")
    ).all()
    assert [(row[0], row[1]) for row in told] == [
        ("issued", "accepted"),
        ("accepted", "scheduled"),
        ("scheduled", "scheduled"),
    ]
    assert "Permit is late." in told[-1][2]


def test_an_earlier_promise_needs_no_reason_and_the_past_is_no_promise(tx: WriteTx) -> None:
    order = an_order(tx, now=NOW)
    act_on_order.schedule(tx, order.reference, order.contractor_id, NOW + 48 * HOUR, "", NOW)

    act_on_order.schedule(tx, order.reference, order.contractor_id, NOW + 24 * HOUR, "", NOW)
    with pytest.raises(Invalid):
        act_on_order.schedule(tx, order.reference, order.contractor_id, NOW - HOUR, "", NOW)

    assert tx.scalar(select(works_order.c.scheduled_for)) == NOW + 24 * HOUR


def test_a_cancelled_orders_defects_wait_for_a_person_not_for_the_sweep(tx: WriteTx) -> None:
    hole = a_defect(tx)
    order = an_order(tx, hole, now=NOW)

    act_on_order.cancel(tx, order.reference, "The scheme of next month covers it.", NOW)

    assert tx.scalar(select(defect.c.state)) == "confirmed"
    assert assign_works.assign_waiting(tx, NOW) == 0
    assign_works.run(tx, graded(hole), NOW)
    assert [state for _, state, _, _ in orders(tx)] == ["cancelled", "issued"]


def test_an_order_is_not_cancelled_once_a_crew_is_there(tx: WriteTx) -> None:
    order = an_order(tx, now=NOW)
    act_on_order.start(tx, order.reference, order.contractor_id, "visit", NOW, NOW)

    with pytest.raises(UnlawfulStep):
        act_on_order.cancel(tx, order.reference, "Too late.", NOW)


def test_an_order_given_to_another_keeps_its_defects_ordered(tx: WriteTx) -> None:
    hole = a_defect(tx)
    order = an_order(tx, hole, now=NOW)
    act_on_order.accept(tx, order.reference, order.contractor_id, NOW)

    given = act_on_order.reissue(tx, order.reference, None, "The crew broke down.", NOW)

    assert orders(tx) == [("alder", "cancelled", "repair", "P10"), ("birch", "issued", "repair", "P10")]
    assert covers(tx, given.id) == {hole}
    assert tx.scalar(select(defect.c.state)) == "ordered"


def test_a_verified_order_is_paid_once(tx: WriteTx) -> None:
    order = an_order(tx, now=NOW)
    tx.execute(update(works_order).values(state="payable"))

    act_on_order.pay(tx, order.reference, NOW)
    again = act_on_order.pay(tx, order.reference, NOW)

    assert again.state == "paid"
    assert len(list(tx.scalars(select(event.c.id).where(event.c.after == "paid")))) == 1


def test_an_operator_orders_by_hand_what_no_lot_covers(tx: WriteTx) -> None:
    hole = a_defect(tx, class_code="gully_blocked", band="M", reference="D-1111-1111")

    with pytest.raises(Invalid) as refused:
        order_by_hand(tx, ["D-1111-1111"], None, "It floods the school.", NOW)
    (order,) = order_by_hand(tx, ["D-1111-1111"], "birch", "It floods the school.", NOW)

    assert "name a contractor" in refused.value.detail
    assert (order.defect_ids, order.lot) == ((hole,), "by hand")
    assert tx.scalar(select(defect.c.state)) == "ordered"


def test_what_has_an_order_is_not_ordered_by_hand_again(tx: WriteTx) -> None:
    an_order(tx, a_defect(tx, reference="D-1111-1111"), now=NOW)

    with pytest.raises(Invalid):
        order_by_hand(tx, ["D-1111-1111", "D-2222-2222"], "birch", "Hurry.", NOW)


def test_a_cancelled_orders_defect_is_ordered_by_hand_from_who_has_the_lot(tx: WriteTx) -> None:
    order = an_order(tx, a_defect(tx, reference="D-1111-1111"), now=NOW)
    act_on_order.cancel(tx, order.reference, "Wrong street.", NOW)

    (again,) = order_by_hand(tx, ["D-1111-1111"], None, "Right after all.", NOW)

    assert (again.contractor_id, again.lot) == (order.contractor_id, "north")


# --- recalls ---------------------------------------------------------------------------------------------------------


def test_a_recalled_defect_goes_back_to_who_mended_it_at_no_charge_whoever_has_the_lot_now(tx: WriteTx) -> None:
    hole, recall_id, mended_by = a_recall(tx)

    assign_works.run(tx, [Delivery("assign", 1, NOW, "RecallDecided", recall_id, 0)], NOW)
    assign_works.run(tx, [Delivery("assign", 2, NOW, "DefectRecalled", hole, 0)], NOW)

    remedial = tx.execute(select(works_order).where(works_order.c.kind == "remedial")).one()
    assert (remedial.contractor_id, remedial.charge_to, remedial.state) == (mended_by, "contractor", "issued")
    assert tx.scalar(select(recall.c.works_order_id)) == remedial.id
    assert tx.scalar(select(defect.c.state)) == "ordered"


def test_a_remedial_order_is_not_declined_nor_given_away_nor_cancelled(tx: WriteTx) -> None:
    hole, _, mended_by = a_recall(tx)
    assign_works.run(tx, graded(hole), NOW)
    remedial = tx.execute(select(works_order).where(works_order.c.kind == "remedial")).one()

    with pytest.raises(act_on_order.CannotDecline):
        act_on_order.decline(tx, remedial.reference, mended_by, "Not our fault.", NOW)
    with pytest.raises(act_on_order.CannotDecline):
        act_on_order.reissue(tx, remedial.reference, "county", "They are slow.", NOW)
    with pytest.raises(act_on_order.CannotDecline, match="a supervisor has ruled"):
        act_on_order.cancel(tx, remedial.reference, "They are slow.", NOW)


def test_a_remedial_repair_that_is_only_temporary_stays_at_the_contractors_cost(tx: WriteTx) -> None:
    hole, _, mended_by = a_recall(tx)
    assign_works.run(tx, graded(hole), NOW)
    remedial = tx.execute(select(works_order).where(works_order.c.kind == "remedial")).one()
    order = works.lock_many(tx, [remedial.id])[0]
    record_visit.record(tx, a_visit(order, VisitOutcome.TEMPORARY, NOW), mended_by, NOW)

    hear(tx, Consumer.ASSIGN, assign_works.run, NOW)

    lasting = tx.execute(select(works_order).where(works_order.c.follows == remedial.id)).one()
    assert (lasting.contractor_id, lasting.charge_to, lasting.kind) == (mended_by, "contractor", "remedial")
    assert tx.scalar(select(recall.c.works_order_id)) == lasting.id


def a_recall(tx: WriteTx) -> tuple[int, int, int]:
    """An attributable recall: its defect, itself, and the contractor, whose lot no longer covers the place."""
    hole = a_defect(tx, state="ordered", area_code="E07000117")
    alder = tx.scalar(select(contractor.c.id).where(contractor.c.code == "alder"))
    first = tx.scalar(
        insert(works_order)
        .values(
            reference="W-1111-1111",
            contractor_id=alder,
            lot="old",
            state="payable",
            kind="repair",
            band="P10",
            issued_at=NOW,
            updated_at=NOW,
            ended_at=NOW,
        )
        .returning(works_order.c.id)
    )
    told = tx.scalar(
        insert(visit)
        .values(
            client_id=uuid4(),
            body_sha256=b"",
            works_order_id=first,
            contractor_id=alder,
            person="person:1",
            outcome="permanent",
            started_at=NOW,
            ended_at=NOW,
            received_at=NOW,
        )
        .returning(visit.c.id)
    )
    square = func.ST_Buffer(select(defect.c.geom).where(defect.c.id == hole).scalar_subquery(), 1, "endcap=square")
    promise = tx.scalar(
        insert(warranty)
        .values(
            defect_id=hole,
            works_order_id=first,
            visit_id=told,
            contractor_id=alder,
            state="attributable",
            class_code="pothole",
            repair_type="pothole_patch",
            repaired_at=NOW,
            starts_on=NOW.date(),
            ends_on=NOW.date() + timedelta(days=364),
            footprint=square,
            made_at=NOW,
            updated_at=NOW,
        )
        .returning(warranty.c.id)
    )
    recall_id = tx.scalar(
        insert(recall)
        .values(
            reference="C-1111-1111",
            warranty_id=promise,
            defect_id=hole,
            state="attributable",
            why="Seen in the patch.",
            proposed_at=NOW,
            decided_at=NOW,
        )
        .returning(recall.c.id)
    )
    tx.execute(update(defect).where(defect.c.id == hole).values(state="recalled"))
    return hole, recall_id, alder


def adopt(tx: WriteTx, words: str, instead: str) -> None:
    """Adopt the default policy with some words changed."""
    written = settings().policy_file.read_text()
    assert words in written
    changed = written.replace(words, instead)
    policies.adopt(tx, changed, parse(changed, "changed.toml"), NOW)


# --- many at once ----------------------------------------------------------------------------------------------------


def test_workers_that_hear_of_the_same_defects_at_once_order_each_once(own_db: URL) -> None:
    with transaction("test") as tx:
        adopt_default_policy(tx)
        holes = [a_defect(tx, street_key=f"street-{n % 7}") for n in range(60)]

    def work(_: int) -> None:
        with transaction("worker:assign") as tx:
            assign_works.run(tx, graded(*holes), NOW)

    with ThreadPoolExecutor(6) as workers:
        list(workers.map(work, range(6)))

    with transaction("test") as tx:
        links = tx.execute(select(works_order_defect.c.defect_id, works_order_defect.c.ended_at)).all()
    assert sorted(link.defect_id for link in links) == sorted(holes)
    assert all(link.ended_at is None for link in links)


# --- merges ----------------------------------------------------------------------------------------------------------


def merged(tx: WriteTx, absorbed: int, into: int) -> None:
    """What a merge leaves behind, and its delivery."""
    tx.execute(update(defect).where(defect.c.id == absorbed).values(state="duplicate", merged_into=into))
    assign_works.run(tx, [Delivery("assign", 1, NOW, "DefectMerged", absorbed, 0)], NOW)


def test_the_order_of_a_merged_defect_covers_the_one_that_stays(tx: WriteTx) -> None:
    absorbed = a_defect(tx, street_key="one")
    order = an_order(tx, absorbed, now=NOW)
    stays = a_defect(tx, street_key=None)

    merged(tx, absorbed, stays)

    assert covers(tx, order.id) == {stays}
    assert tx.scalar(select(defect.c.state).where(defect.c.id == stays)) == "ordered"


def test_a_second_order_for_what_turns_out_to_be_one_hole_is_withdrawn(tx: WriteTx) -> None:
    absorbed, stays = a_defect(tx, street_key=None), a_defect(tx, street_key=None)
    second, first = an_order(tx, absorbed, now=NOW), an_order(tx, stays, now=NOW)

    merged(tx, absorbed, stays)

    assert covers(tx, first.id) == {stays}
    assert tx.scalar(select(works_order.c.state).where(works_order.c.id == second.id)) == "cancelled"
    assert tx.scalar(select(works_order.c.state).where(works_order.c.id == first.id)) == "issued"


def test_an_unmerged_defect_gets_an_order_of_its_own_again(tx: WriteTx) -> None:
    absorbed, stays = a_defect(tx, street_key=None), a_defect(tx, street_key=None)
    an_order(tx, absorbed, now=NOW)
    an_order(tx, stays, now=NOW)
    merged(tx, absorbed, stays)

    tx.execute(update(defect).where(defect.c.id == absorbed).values(state="ordered", merged_into=None))
    assign_works.run(tx, [Delivery("assign", 2, NOW, "DefectUnmerged", absorbed, 0)], NOW)

    newest = tx.execute(select(works_order).order_by(works_order.c.id.desc()).limit(1)).one()
    assert covers(tx, newest.id) == {absorbed}
    assert newest.state == "issued"
