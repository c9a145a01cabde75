"""People assess defects: what they measure sets band and clocks, and less urgent than before takes two of them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, literal, select

from shared.domain.deadlines import Clock, due
from shared.domain.events import Consumer
from shared.domain.lifecycle import GuardNotMet, UnlawfulStep
from shared.domain.priority import NeedsSecond
from shared.domain.terms import VisitOutcome
from shared.errors import Invalid, NotFound
from shared.flows import act_on_order, assign_works
from shared.flows.assess_defect import Assessed, Refused, assess, assess_many
from shared.flows.weigh_finding import BelowLevel, Decision, Finding
from shared.store import works
from shared.store.engine import WriteTx
from shared.store.policies import InForce
from shared.store.tables import defect, event, report, sighting, visit, warranty, works_order
from shared.store.works import Order
from tests.factories import a_defect, a_repair, a_verified_repair, adopt_default_policy, an_order, hear, triaged

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def rules(tx: WriteTx) -> InForce:
    return adopt_default_policy(tx)


def person(tx: WriteTx, number: int) -> WriteTx:
    """The same transaction with this person acting in it."""
    return WriteTx(tx.connection, f"person:{number}")


def row(tx: WriteTx, defect_id: int) -> Any:
    return tx.execute(select(defect).where(defect.c.id == defect_id)).one()


def says(tx: WriteTx, defect_id: int, decision: Decision, now: datetime = NOW, **more: Any) -> Assessed:
    """Person 1, an operator, says so; `by` another, who `supervises` or not."""
    by, supervises = more.pop("by", 1), more.pop("supervises", False)
    finding = Finding(decision=decision, why=more.pop("why", "Looked at on site."), **more)
    return assess(person(tx, by), row(tx, defect_id).reference, finding, now, supervises=supervises)


def a_candidate(tx: WriteTx, **more: Any) -> int:
    return a_defect(tx, **{"state": "candidate", "band": None, "reports": 1, **more})


def due_by(start: datetime, clock: str, rules: InForce) -> datetime:
    return due(start, Clock.parse(clock), rules.calendar).at


def test_a_confirmed_defect_has_the_band_and_clocks_of_what_was_measured(tx: WriteTx, rules: InForce) -> None:
    defect_id = a_candidate(tx, hierarchy="3a", known_at=NOW - 3 * HOUR)

    said = says(tx, defect_id, Decision.CONFIRM, depth_mm=50, width_mm=300, likelihood=2, impact=2)

    found = row(tx, defect_id)
    assert (said.state, found.state, found.band) == ("confirmed", "confirmed", "P5")
    assert (found.make_safe_due_at, found.permanent_due_at) == (None, due_by(NOW - 3 * HOUR, "5wd", rules))
    assert (found.depth_mm, found.assessed_by, found.assessed_at) == (50.0, "person:1", NOW)
    assert found.inspect_due_at is None
    assert "defect size on a main road" in " ".join(found.band_why).lower()


def test_an_emergency_has_four_hours_from_first_knowledge_and_a_permanent_clock_beside(
    tx: WriteTx, rules: InForce
) -> None:
    defect_id = a_candidate(tx, known_at=NOW - HOUR)

    says(tx, defect_id, Decision.CONFIRM, facts={"collapse": True})

    found = row(tx, defect_id)
    assert (found.band, found.make_safe_due_at) == ("E", NOW + 3 * HOUR)
    assert found.permanent_due_at == due_by(NOW - HOUR, "20wd", rules)


def test_confirming_makes_a_works_order(tx: WriteTx) -> None:
    defect_id = a_candidate(tx)

    says(tx, defect_id, Decision.CONFIRM, impact=2, likelihood=2)
    hear(tx, Consumer.ASSIGN, assign_works.run, datetime.now(UTC))

    assert row(tx, defect_id).state == "ordered"


def test_what_measures_below_the_level_is_not_confirmed_but_may_be_watched(tx: WriteTx) -> None:
    defect_id = a_candidate(tx)

    with pytest.raises(BelowLevel, match="below the level of 40 mm"):
        says(tx, defect_id, Decision.CONFIRM, depth_mm=25, width_mm=300)
    says(tx, defect_id, Decision.MONITOR, depth_mm=25, width_mm=300)

    found = row(tx, defect_id)
    assert (found.state, found.band, found.permanent_due_at) == ("monitor", "M", None)
    assert NOW + 170 * DAY < found.inspect_due_at < NOW + 190 * DAY


def test_a_hole_that_deepens_is_raised_from_the_new_knowledge_and_first_knowledge_stays(
    tx: WriteTx, rules: InForce
) -> None:
    first = NOW - 6 * DAY
    triaged(tx, first)
    defect_id = tx.scalar(select(defect.c.id))
    says(tx, defect_id, Decision.CONFIRM, NOW - 5 * DAY, depth_mm=45, width_mm=200, impact=2, likelihood=2)
    before = row(tx, defect_id)
    told = NOW - 3 * HOUR
    triaged(tx, told)

    says(tx, defect_id, Decision.CONFIRM, facts={"collapse": True}, by=2)

    found = row(tx, defect_id)
    assert (before.band, found.band) == ("P10", "E")
    assert (found.known_at, found.clock_from) == (first, told)
    assert found.make_safe_due_at == told + 4 * HOUR
    assert found.permanent_due_at == before.permanent_due_at


def test_raised_without_anybody_telling_the_clock_runs_from_the_measuring(tx: WriteTx) -> None:
    defect_id = a_candidate(tx, known_at=NOW - 6 * DAY)
    says(tx, defect_id, Decision.CONFIRM, NOW - 5 * DAY, impact=2, likelihood=2)

    says(tx, defect_id, Decision.CONFIRM, depth_mm=120, width_mm=300)

    assert row(tx, defect_id).clock_from == NOW


def test_a_raised_band_moves_no_due_time_away(tx: WriteTx) -> None:
    defect_id = a_candidate(tx, known_at=NOW - 12 * DAY)
    says(tx, defect_id, Decision.CONFIRM, NOW - 12 * DAY, impact=2, likelihood=2)
    before = row(tx, defect_id)

    says(tx, defect_id, Decision.CONFIRM, impact=3, likelihood=3)

    found = row(tx, defect_id)
    assert (before.band, found.band) == ("P10", "P2")
    assert found.permanent_due_at == before.permanent_due_at


def test_the_order_follows_a_raised_band(tx: WriteTx) -> None:
    defect_id = a_candidate(tx)
    says(tx, defect_id, Decision.CONFIRM, NOW - DAY, impact=2, likelihood=2)
    order = an_order(tx, defect_id, now=NOW - DAY)

    says(tx, defect_id, Decision.CONFIRM, facts={"collapse": True})
    hear(tx, Consumer.ASSIGN, assign_works.run, datetime.now(UTC))

    after = works.lock_many(tx, [order.id])[0]
    assert (order.band, after.band) == ("P10", "E")
    assert after.make_safe_due_at == row(tx, defect_id).make_safe_due_at


def test_a_downgrade_needs_a_supervisor_other_than_who_assessed(tx: WriteTx) -> None:
    defect_id = a_candidate(tx)
    says(tx, defect_id, Decision.CONFIRM, impact=3, likelihood=3, by=5, supervises=True)
    lower = {"impact": 1, "likelihood": 2}

    with pytest.raises(NeedsSecond):
        says(tx, defect_id, Decision.CONFIRM, **lower, by=1)
    with pytest.raises(NeedsSecond):
        says(tx, defect_id, Decision.CONFIRM, **lower, by=5, supervises=True)
    says(tx, defect_id, Decision.CONFIRM, **lower, by=6, supervises=True)

    assert row(tx, defect_id).band == "P20"
    told = tx.scalars(select(event.c.data).where(event.c.kind == "DefectGraded").order_by(event.c.id)).all()
    assert (told[-1]["was"], told[-1]["band"], told[-1]["seconded_by"]) == ("P2", "P20", "person:6")


@pytest.mark.parametrize("decision", [Decision.MONITOR, Decision.NO_DEFECT])
def test_dropping_what_was_confirmed_needs_a_second_person_too(tx: WriteTx, decision: Decision) -> None:
    defect_id = a_candidate(tx)
    says(tx, defect_id, Decision.CONFIRM, impact=2, likelihood=2)

    with pytest.raises(NeedsSecond):
        says(tx, defect_id, decision, by=2)
    says(tx, defect_id, decision, by=6, supervises=True)

    assert row(tx, defect_id).state == decision.value
    assert row(tx, defect_id).permanent_due_at is None


def test_a_provisional_band_is_no_band_to_be_lowered_from(tx: WriteTx) -> None:
    defect_id = a_candidate(tx, band="E", danger=True)

    says(tx, defect_id, Decision.CONFIRM, facts={"danger": False}, impact=1, likelihood=2)

    assert row(tx, defect_id).band == "P20"


def test_danger_that_was_told_of_stands_until_a_person_says_there_is_none(tx: WriteTx) -> None:
    defect_id = a_candidate(tx, danger=True)

    says(tx, defect_id, Decision.CONFIRM)

    assert row(tx, defect_id).band in ("E", "P2")
    assert row(tx, defect_id).facts["danger"] is True


def test_no_defect_answers_the_reports_and_can_be_taken_back(tx: WriteTx) -> None:
    report_id = triaged(tx, NOW - DAY)
    defect_id = tx.scalar(select(defect.c.id))

    says(tx, defect_id, Decision.NO_DEFECT, why="A shadow.")
    answered = tx.scalar(select(report.c.state).where(report.c.id == report_id))
    says(tx, defect_id, Decision.REOPEN, why="It was not.")

    assert answered == "resolved"
    assert tx.scalar(select(report.c.state).where(report.c.id == report_id)) == "linked"
    assert row(tx, defect_id).state == "candidate"
    assert row(tx, defect_id).inspect_due_at is not None


def test_watching_answers_those_who_told_before_not_those_who_tell_after(tx: WriteTx) -> None:
    first = triaged(tx, NOW - 2 * DAY)
    defect_id = tx.scalar(select(defect.c.id))
    says(tx, defect_id, Decision.MONITOR, NOW - DAY)

    second = triaged(tx, NOW - HOUR)
    told = {one.id: one.state for one in tx.execute(select(report.c.id, report.c.state))}
    says(tx, defect_id, Decision.MONITOR)

    assert (told[first], told[second]) == ("resolved", "linked")
    assert tx.scalar(select(report.c.state).where(report.c.id == second)) == "resolved"


def test_two_clear_rechecks_end_a_watched_defect(tx: WriteTx) -> None:
    defect_id = a_candidate(tx)
    says(tx, defect_id, Decision.MONITOR, NOW - 3 * HOUR)

    says(tx, defect_id, Decision.MONITOR, NOW - 2 * HOUR)
    between = row(tx, defect_id).state
    says(tx, defect_id, Decision.MONITOR, NOW - HOUR)

    assert (between, row(tx, defect_id).state) == ("monitor", "closed_no_action")
    assert row(tx, defect_id).ended_at == NOW - HOUR


def test_a_watched_defect_that_deepens_has_its_clocks_from_the_measuring(tx: WriteTx, rules: InForce) -> None:
    """DOMAIN 10.3, case 9: it was known for half a year, and nobody was late."""
    first = NOW - 200 * DAY
    defect_id = a_candidate(tx, known_at=first)
    says(tx, defect_id, Decision.MONITOR, NOW - 20 * DAY, depth_mm=20)

    says(tx, defect_id, Decision.CONFIRM, depth_mm=60, width_mm=400, impact=2, likelihood=2)

    found = row(tx, defect_id)
    assert (found.state, found.band) == ("confirmed", "P10")
    assert (found.known_at, found.clock_from) == (first, NOW)
    assert found.permanent_due_at == due_by(NOW, "10wd", rules)


def test_a_watched_defect_that_was_told_of_anew_has_four_hours_from_what_was_told(tx: WriteTx) -> None:
    triaged(tx, NOW - 20 * DAY)
    defect_id = tx.scalar(select(defect.c.id))
    says(tx, defect_id, Decision.MONITOR, NOW - 19 * DAY, depth_mm=20)
    triaged(tx, NOW - HOUR)

    says(tx, defect_id, Decision.CONFIRM, facts={"collapse": True})

    assert (row(tx, defect_id).band, row(tx, defect_id).make_safe_due_at) == ("E", NOW + 3 * HOUR)


def test_a_utility_cover_is_made_safe_by_the_council_and_its_owner_is_chased(tx: WriteTx, rules: InForce) -> None:
    report_id = triaged(tx, NOW - HOUR, class_code="ironwork_missing")
    defect_id = tx.scalar(select(defect.c.id))

    says(tx, defect_id, Decision.THIRD_PARTY, owner="United Utilities", why="Its mark is on the frame.")
    hear(tx, Consumer.ASSIGN, assign_works.run, datetime.now(UTC))

    found = row(tx, defect_id)
    assert (found.state, found.band, found.facts["owner"]) == ("third_party", "E", "United Utilities")
    assert found.make_safe_due_at == NOW + 3 * HOUR
    assert found.permanent_due_at is None
    assert found.inspect_due_at == NOW + 23 * HOUR
    assert tx.scalar(select(works_order.c.kind)) == "make_safe"
    a_repair(tx, defect_id, NOW + 2 * HOUR, outcome=VisitOutcome.MADE_SAFE)
    assert row(tx, defect_id).state == "third_party"
    assert tx.scalar(select(report.c.state).where(report.c.id == report_id)) == "linked"
    says(tx, defect_id, Decision.MENDED, NOW + 5 * HOUR, why="A new cover is in.")
    assert row(tx, defect_id).state == "closed"
    assert tx.scalar(select(report.c.state).where(report.c.id == report_id)) == "resolved"
    assert tx.execute(select(warranty)).all() == []


def a_cover(tx: WriteTx, **more: Any) -> tuple[int, Order]:
    """Another's, that the council is to make safe, with the order to do so."""
    defect_id = a_candidate(tx, class_code="ironwork_missing", known_at=NOW - HOUR, **more)
    says(tx, defect_id, Decision.THIRD_PARTY, owner="United Utilities")
    order = an_order(tx, defect_id, now=NOW)
    assert order.kind == "make_safe"
    return defect_id, order


def as_it_is(tx: WriteTx, order: Order) -> Order:
    return works.lock_many(tx, [order.id])[0]


@pytest.mark.parametrize("accepted", [False, True])
def test_what_its_owner_mended_is_not_made_safe_any_more(tx: WriteTx, accepted: bool) -> None:
    defect_id, order = a_cover(tx)
    if accepted:
        act_on_order.accept(tx, order.reference, order.contractor_id, NOW)

    says(tx, defect_id, Decision.MENDED)

    assert row(tx, defect_id).state == "closed"
    after = as_it_is(tx, order)
    assert (after.state, after.defect_ids, after.ended_at) == ("cancelled", (), NOW)


def test_an_order_for_several_covers_goes_on_for_those_that_are_left(tx: WriteTx) -> None:
    mended, order = a_cover(tx)
    left = a_candidate(tx, class_code="ironwork_missing", known_at=NOW - HOUR / 2)
    says(tx, left, Decision.THIRD_PARTY)
    works.cover(tx, [(order.id, left)])

    says(tx, mended, Decision.MENDED)

    after = as_it_is(tx, order)
    assert (after.state, after.defect_ids) == ("issued", (left,))
    assert after.make_safe_due_at == row(tx, left).make_safe_due_at > order.make_safe_due_at


def test_a_crew_that_has_come_tells_what_it_did_though_the_owner_was_sooner(tx: WriteTx) -> None:
    defect_id, order = a_cover(tx)
    act_on_order.start(tx, order.reference, order.contractor_id, "a-visit", NOW, NOW)

    says(tx, defect_id, Decision.MENDED)

    assert (as_it_is(tx, order).state, as_it_is(tx, order).defect_ids) == ("on_site", (defect_id,))
    a_repair(tx, defect_id, NOW + 2 * HOUR, outcome=VisitOutcome.MADE_SAFE)
    assert (as_it_is(tx, order).state, row(tx, defect_id).state) == ("evidence_ok", "closed")


def test_what_the_council_mends_after_all_has_an_order_to_repair_it(tx: WriteTx) -> None:
    defect_id, order = a_cover(tx)

    says(tx, defect_id, Decision.CONFIRM, facts={"collapse": True}, why="It is ours.")
    hear(tx, Consumer.ASSIGN, assign_works.run, datetime.now(UTC))

    (anew,) = works.lock_many(tx, works.open_orders_of(tx, [defect_id]))
    assert (as_it_is(tx, order).state, anew.kind, row(tx, defect_id).state) == ("cancelled", "repair", "ordered")


def test_an_owner_who_is_not_known_does_not_make_it_the_councils(tx: WriteTx) -> None:
    defect_id = a_candidate(tx)

    says(tx, defect_id, Decision.THIRD_PARTY)

    assert row(tx, defect_id).facts["owner"] == "unknown"


def test_a_defect_made_safe_by_the_council_is_handed_to_its_owner_and_the_order_ends(tx: WriteTx) -> None:
    defect_id = a_candidate(tx)
    says(tx, defect_id, Decision.CONFIRM, NOW - DAY, facts={"collapse": True})
    order = an_order(tx, defect_id, now=NOW - DAY)
    a_repair(tx, defect_id, NOW - 20 * HOUR, outcome=VisitOutcome.MADE_SAFE)

    says(tx, defect_id, Decision.THIRD_PARTY, owner="United Utilities")

    assert row(tx, defect_id).state == "third_party"
    after = works.lock_many(tx, [order.id])[0]
    assert (after.kind, after.state) == ("make_safe", "evidence_ok")


def test_deferring_needs_a_date_and_safety_or_somebody_who_signs(tx: WriteTx) -> None:
    defect_id = a_candidate(tx)
    says(tx, defect_id, Decision.CONFIRM, impact=2, likelihood=2)
    scheme = NOW.date() + timedelta(days=60)

    with pytest.raises(GuardNotMet):
        says(tx, defect_id, Decision.DEFER, scheme_on=scheme)
    says(tx, defect_id, Decision.DEFER, scheme_on=scheme, risk_signed_by="A. Head")

    found = row(tx, defect_id)
    assert (found.state, found.permanent_due_at) == ("deferred_to_scheme", None)
    assert found.inspect_due_at.date() == scheme


def test_a_scheme_that_slips_brings_the_clocks_back(tx: WriteTx) -> None:
    defect_id = a_candidate(tx)
    says(tx, defect_id, Decision.CONFIRM, impact=2, likelihood=2)
    says(tx, defect_id, Decision.DEFER, scheme_on=date(2027, 3, 1), risk_signed_by="A. Head")

    says(tx, defect_id, Decision.CONFIRM, why="The scheme has slipped.")

    found = row(tx, defect_id)
    assert found.state == "confirmed"
    assert found.permanent_due_at is not None


def test_a_scheme_is_no_way_to_a_less_urgent_band_without_a_second_person(tx: WriteTx) -> None:
    defect_id = a_candidate(tx)
    says(tx, defect_id, Decision.CONFIRM, impact=3, likelihood=3)
    says(tx, defect_id, Decision.DEFER, scheme_on=date(2027, 3, 1), risk_signed_by="A. Head")
    lower = {"impact": 2, "likelihood": 2}

    with pytest.raises(NeedsSecond):
        says(tx, defect_id, Decision.CONFIRM, **lower)
    says(tx, defect_id, Decision.CONFIRM, **lower, by=6, supervises=True)

    assert (row(tx, defect_id).state, row(tx, defect_id).band) == ("confirmed", "P10")


def test_an_ordered_defect_is_not_dropped_under_the_crew(tx: WriteTx) -> None:
    defect_id = a_candidate(tx)
    says(tx, defect_id, Decision.CONFIRM, impact=2, likelihood=2)
    an_order(tx, defect_id)

    with pytest.raises(UnlawfulStep, match="ordered"):
        says(tx, defect_id, Decision.NO_DEFECT, by=6, supervises=True)


def test_many_are_assessed_at_once_each_with_its_own_answer(tx: WriteTx) -> None:
    fine = [a_candidate(tx, street_key=str(n)) for n in range(3)]
    closed = a_defect(tx, state="closed")
    named = [row(tx, one).reference for one in (*fine, closed)] + ["D-0000-0000"]
    finding = Finding(decision=Decision.CONFIRM, why="Seen on the round.", impact=2, likelihood=2)

    answers = assess_many(person(tx, 1), named, finding, NOW, supervises=False)

    assert [answer.reference for answer in answers] == named
    assert [type(answer) for answer in answers] == [Assessed, Assessed, Assessed, Refused, Refused]
    refusals = [answer.refusal for answer in answers if isinstance(answer, Refused)]
    assert [type(refusal) for refusal in refusals] == [UnlawfulStep, NotFound]
    assert {row(tx, one).state for one in fine} == {"confirmed"}


def test_an_unknown_fact_is_named(tx: WriteTx) -> None:
    with pytest.raises(Invalid, match="on_fire"):
        Finding(decision=Decision.CONFIRM, why="Seen.", facts={"on_fire": True})


def test_one_report_of_two_holes_stays_open_until_both_have_ended(tx: WriteTx) -> None:
    """DOMAIN 10.3, case 3: the smaller was filled, and both were told "completed"."""
    report_id = triaged(tx, NOW - 2 * DAY)
    first = tx.scalar(select(defect.c.id))
    second = a_candidate(tx, street_key="high-street", easting=353_003.0, reports=0)
    link(tx, report_id, second)
    for one in (first, second):
        says(tx, one, Decision.CONFIRM, NOW - DAY, impact=2, likelihood=2)
        an_order(tx, one, now=NOW - DAY)

    a_verified_repair(tx, first, NOW)
    after_one = tx.scalar(select(report.c.state).where(report.c.id == report_id))
    a_verified_repair(tx, second, NOW + HOUR)

    assert after_one == "linked"
    assert tx.scalar(select(report.c.state).where(report.c.id == report_id)) == "resolved"
    assert len(tx.execute(select(visit)).all()) == 2


def link(tx: WriteTx, report_id: int, defect_id: int) -> None:
    """The report saw this defect too."""
    names = [column.name for column in sighting.c if column.name not in ("id", "defect_id")]
    copied = select(literal(defect_id), *(sighting.c[name] for name in names)).where(sighting.c.report_id == report_id)
    tx.execute(insert(sighting).from_select(["defect_id", *names], copied))
