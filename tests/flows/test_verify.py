"""Evidence is judged, repairs are verified by somebody else, and only then warranted (DOMAIN 10.3, case 12)."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from shared.domain.events import Consumer
from shared.domain.evidence import VerifierIsCompleter, draw
from shared.domain.lifecycle import GuardNotMet, UnlawfulStep
from shared.domain.place import Point
from shared.domain.terms import VisitOutcome
from shared.domain.visits import VisitTold
from shared.flows import assign_works, pass_by, record_visit, verify_repair
from shared.store import policies, references
from shared.store.engine import WriteTx
from shared.store.tables import contractor, defect, event, report, visit, warranty, works_order, works_order_defect
from shared.store.works import Order
from tests.factories import PLACE, a_defect, a_visit, a_visit_photo, adopt_default_policy, an_order, hear, triaged

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)
MADE_SAFE, TEMPORARY, PERMANENT, ABORTED = VisitOutcome


@pytest.fixture(autouse=True)
def _policy(tx: WriteTx) -> None:
    """The policy, and contractors who have worked here for long: not every repair is checked."""
    adopt_default_policy(tx)
    tx.execute(update(contractor).values(since=date(2020, 1, 1)))


def repaired(tx: WriteTx, *, photos: bool = True, band: str = "P10", **more: object) -> tuple[Order, VisitTold]:
    """An order whose permanent repair was told an hour ago, by another than the test's own actor."""
    order = an_order(tx, a_defect(tx, band=band), now=NOW - 5 * HOUR)
    told = a_visit(order, PERMANENT, NOW - HOUR, **more)
    crew = WriteTx(tx.connection, "person:77")
    record_visit.record(crew, told, order.contractor_id, NOW)
    if photos:
        a_visit_photo(tx, told, order.contractor_id, "before", NOW - 2 * HOUR)
        a_visit_photo(tx, told, order.contractor_id, "after", NOW - HOUR)
    return order, told


def judged(tx: WriteTx) -> None:
    hear(tx, Consumer.VERIFY, verify_repair.run, NOW)


def row_of(tx: WriteTx, order: Order) -> dict[str, object]:
    return dict(tx.execute(select(works_order).where(works_order.c.id == order.id)).one()._mapping)


def missing_codes(tx: WriteTx) -> set[str]:
    (evidence,) = tx.scalars(select(visit.c.evidence))
    return {one["code"] for one in evidence["missing"]}


def flags(tx: WriteTx) -> set[str]:
    (evidence,) = tx.scalars(select(visit.c.evidence))
    return {one["code"] for one in evidence["flags"]}


def not_drawn(tx: WriteTx, order: Order) -> Order:
    """The order under a reference that the policy's sample does not draw."""
    seed = policies.in_force(tx, NOW).policy.sha256
    reference = next(name for name in references.fresh_many("W", 100) if draw(name, seed) > 0.5)
    tx.execute(update(works_order).where(works_order.c.id == order.id).values(reference=reference))
    return replace(order, reference=reference)


def drawn(tx: WriteTx, order: Order) -> str:
    """Let the sample draw it: a band of which every repair is checked."""
    tx.execute(update(works_order).where(works_order.c.id == order.id).values(band="P2"))
    return order.reference


def test_complete_evidence_that_is_not_drawn_is_verified_by_the_rules_and_warranted(tx: WriteTx) -> None:
    order, _ = repaired(tx)
    not_drawn(tx, order)

    judged(tx)

    row = row_of(tx, order)
    assert (row["state"], row["sampled"], row["verified_at"]) == ("payable", False, NOW)
    assert str(row["verifier"]).startswith("policy:")
    assert tx.scalar(select(defect.c.state)) == "in_warranty"
    promise = tx.execute(select(warranty)).one()
    assert (promise.works_order_id, promise.repaired_at, promise.state) == (order.id, NOW - HOUR, "active")
    assert tx.scalar(select(works_order_defect.c.ended_at)) == NOW


def test_a_repair_that_is_drawn_waits_for_a_person(tx: WriteTx) -> None:
    order, _ = repaired(tx)
    drawn(tx, order)

    judged(tx)

    row = row_of(tx, order)
    assert (row["state"], row["sampled"]) == ("evidence_ok", True)
    assert row["verify_due_at"] is not None
    assert tx.scalar(select(defect.c.state)) == "repair_claimed"
    assert tx.execute(select(warranty)).all() == []


def test_the_draw_can_be_drawn_again_by_anybody(tx: WriteTx) -> None:
    order, _ = repaired(tx)
    not_drawn(tx, order)
    judged(tx)

    first = row_of(tx, order)["sampled"]
    stepped = tx.scalars(select(event.c.data).where(event.c.kind == "OrderStepped", event.c.after == "evidence_ok"))

    again = draw(str(row_of(tx, order)["reference"]), policies.in_force(tx, NOW).policy.sha256)
    assert (first, again < 0.10) == (False, False)
    assert "Not drawn: 10%" in stepped.one()["why"]


def test_a_person_passes_a_drawn_repair_and_the_warranty_starts(tx: WriteTx) -> None:
    order, _ = repaired(tx)
    reference = drawn(tx, order)
    judged(tx)

    verify_repair.decide(tx, reference, passed=True, why="Level and sealed.", site_check=True, company=None, now=NOW)

    row = row_of(tx, order)
    assert (row["state"], row["verifier"]) == ("payable", "test")
    assert tx.scalar(select(defect.c.state)) == "in_warranty"


def test_nobody_verifies_their_own_repair(tx: WriteTx) -> None:
    order, _ = repaired(tx)
    reference = drawn(tx, order)
    judged(tx)
    crew = WriteTx(tx.connection, "person:77")

    with pytest.raises(VerifierIsCompleter):
        verify_repair.decide(crew, reference, passed=True, why="Fine.", site_check=True, company=None, now=NOW)


def test_a_colleague_of_the_crew_does_not_verify_either(tx: WriteTx) -> None:
    order, _ = repaired(tx)
    reference = drawn(tx, order)
    judged(tx)

    with pytest.raises(VerifierIsCompleter):
        verify_repair.decide(
            tx, reference, passed=True, why="Fine.", site_check=True, company=order.contractor_id, now=NOW
        )


def test_what_is_verified_is_not_verified_again(tx: WriteTx) -> None:
    order, _ = repaired(tx)
    reference = drawn(tx, order)
    judged(tx)
    verify_repair.decide(tx, reference, passed=True, why="Level.", site_check=True, company=None, now=NOW)

    with pytest.raises(verify_repair.AlreadyVerified):
        verify_repair.decide(tx, reference, passed=False, why="Sunken.", site_check=True, company=None, now=NOW)


def test_a_failed_repair_goes_back_to_the_same_contractor_and_starts_no_warranty(tx: WriteTx) -> None:
    order, _ = repaired(tx)
    reference = drawn(tx, order)
    judged(tx)

    verify_repair.decide(tx, reference, passed=False, why="Sunken by 15 mm.", site_check=True, company=None, now=NOW)

    row = row_of(tx, order)
    assert (row["state"], row["contractor_id"], row["completed_at"]) == ("remedial", order.contractor_id, None)
    assert tx.scalar(select(defect.c.state)) == "ordered"
    assert tx.execute(select(warranty)).all() == []
    kinds = list(tx.scalars(select(event.c.kind).where(event.c.subject == "defect").order_by(event.c.id)))
    assert kinds[-2:] == ["RepairRejected", "DefectOrdered"]


def test_a_failed_repair_that_is_done_again_is_judged_anew(tx: WriteTx) -> None:
    order, _ = repaired(tx)
    reference = drawn(tx, order)
    judged(tx)
    verify_repair.decide(tx, reference, passed=False, why="Sunken.", site_check=True, company=None, now=NOW)

    again = a_visit(order, PERMANENT, NOW)
    record_visit.record(WriteTx(tx.connection, "person:78"), again, order.contractor_id, NOW)
    a_visit_photo(tx, again, order.contractor_id, "before", NOW - HOUR / 4)
    a_visit_photo(tx, again, order.contractor_id, "after", NOW)
    judged(tx)

    assert row_of(tx, order)["state"] == "evidence_ok"
    verify_repair.decide(tx, reference, passed=True, why="Level.", site_check=True, company=None, now=NOW)
    assert len(tx.execute(select(warranty)).all()) == 1


def test_missing_photos_are_named_and_a_late_photo_completes_the_evidence(tx: WriteTx) -> None:
    order, told = repaired(tx, photos=False)
    not_drawn(tx, order)
    judged(tx)
    assert row_of(tx, order)["state"] == "evidence_failed"
    assert missing_codes(tx) == {"no_before_photo", "no_after_photo"}
    assert len(row_of(tx, order)["missing"]) == 2  # type: ignore[arg-type]

    a_visit_photo(tx, told, order.contractor_id, "before", NOW - 2 * HOUR)
    a_visit_photo(tx, told, order.contractor_id, "after", NOW - HOUR)
    verify_repair.judge_orders(tx, [order.id], NOW)

    assert row_of(tx, order)["state"] == "payable"
    assert row_of(tx, order)["missing"] == []


def the_report(tx: WriteTx) -> str:
    return str(tx.scalar(select(report.c.state)))


def late_photos(tx: WriteTx, order: Order, told: VisitTold) -> None:
    """They come after somebody has spoken, and pass."""
    for role, taken_at in (("before", NOW - 2 * HOUR), ("after", NOW - HOUR)):
        a_visit_photo(tx, told, order.contractor_id, role, taken_at)
    verify_repair.judge_orders(tx, [order.id], NOW)


def test_what_is_seen_again_after_the_work_is_not_answered_by_the_rules_but_has_a_person_look(tx: WriteTx) -> None:
    order, told = repaired(tx, photos=False)
    order = not_drawn(tx, order)
    judged(tx)
    triaged(tx, NOW - HOUR / 2)

    late_photos(tx, order, told)

    row = row_of(tx, order)
    assert (row["state"], row["sampled"], flags(tx)) == ("evidence_ok", True, {"seen_again"})
    assert the_report(tx) == "linked"
    assert tx.scalar(select(defect.c.state)) == "repair_claimed"
    # Who has seen that, and passes the repair all the same, answers for it.
    verify_repair.decide(tx, order.reference, passed=True, why="I was there.", site_check=True, company=None, now=NOW)
    assert the_report(tx) == "resolved"


def test_a_passer_by_who_sees_it_after_the_work_has_a_person_look_too(tx: WriteTx) -> None:
    order, told = repaired(tx, photos=False)
    order = not_drawn(tx, order)
    judged(tx)
    pass_by.pass_by(tx, str(tx.scalar(select(defect.c.reference))), Point(*PLACE, 5.0), NOW - HOUR / 2, danger=False)

    late_photos(tx, order, told)

    assert (row_of(tx, order)["sampled"], flags(tx)) == (True, {"seen_again"})


def test_what_was_seen_before_the_work_and_told_after_it_is_answered_by_the_repair(tx: WriteTx) -> None:
    order, told = repaired(tx, photos=False)
    order = not_drawn(tx, order)
    judged(tx)
    triaged(tx, NOW - HOUR / 2, observed_at=NOW - 3 * HOUR)

    late_photos(tx, order, told)

    assert (row_of(tx, order)["state"], flags(tx), the_report(tx)) == ("payable", set(), "resolved")


def test_a_late_photo_does_not_close_an_order_that_a_person_must_check(tx: WriteTx) -> None:
    order, told = repaired(tx, photos=False)
    drawn(tx, order)
    judged(tx)

    a_visit_photo(tx, told, order.contractor_id, "before", NOW - 2 * HOUR)
    a_visit_photo(tx, told, order.contractor_id, "after", NOW - HOUR)
    verify_repair.judge_orders(tx, [order.id], NOW)

    assert row_of(tx, order)["state"] == "evidence_ok"
    assert tx.scalar(select(defect.c.state)) == "repair_claimed"


def test_judging_again_without_news_changes_nothing(tx: WriteTx) -> None:
    order, _ = repaired(tx, photos=False)
    judged(tx)
    before = len(tx.execute(select(event.c.id)).all())

    verify_repair.judge_orders(tx, [order.id], NOW)

    assert len(tx.execute(select(event.c.id)).all()) == before


def test_every_hole_of_an_order_is_proved_for_itself(tx: WriteTx) -> None:
    order = an_order(tx, a_defect(tx), a_defect(tx, easting=353_004.0), now=NOW - 5 * HOUR)
    told = a_visit(order, PERMANENT, NOW - HOUR)
    record_visit.record(tx, told, order.contractor_id, NOW)
    a_visit_photo(tx, told, order.contractor_id, "before", NOW - 2 * HOUR)
    a_visit_photo(tx, told, order.contractor_id, "after", NOW - HOUR)

    judged(tx)

    assert row_of(tx, order)["state"] == "evidence_failed"
    assert missing_codes(tx) == {"no_before_photo", "no_after_photo"}


def test_without_evidence_only_a_site_check_verifies(tx: WriteTx) -> None:
    order, _ = repaired(tx, photos=False)
    judged(tx)

    with pytest.raises(GuardNotMet):
        verify_repair.decide(tx, order.reference, passed=True, why="Ok.", site_check=False, company=None, now=NOW)
    verify_repair.decide(tx, order.reference, passed=True, why="Seen.", site_check=True, company=None, now=NOW)

    assert row_of(tx, order)["state"] == "payable"


def test_a_repair_whose_evidence_is_not_judged_yet_has_no_verdict(tx: WriteTx) -> None:
    order, _ = repaired(tx)

    with pytest.raises(UnlawfulStep):
        verify_repair.decide(tx, order.reference, passed=True, why="Ok.", site_check=True, company=None, now=NOW)


# --- evidence games (case 12) ----------------------------------------------------------------------------------------


def test_a_photo_used_again_is_found_even_when_a_few_bits_differ(tx: WriteTx) -> None:
    first, first_visit = repaired(tx, photos=False)
    a_visit_photo(tx, first_visit, first.contractor_id, "after", NOW - HOUR, phash="f0e1d2c3b4a59687")
    order = an_order(tx, a_defect(tx, street_key="elsewhere"), now=NOW - 5 * HOUR)
    told = a_visit(order, PERMANENT, NOW - HOUR)
    record_visit.record(tx, told, order.contractor_id, NOW)
    a_visit_photo(tx, told, order.contractor_id, "before", NOW - 2 * HOUR)
    a_visit_photo(tx, told, order.contractor_id, "after", NOW - HOUR, phash="f1e1d2c3b5a59686")

    judged(tx)

    evidence = tx.scalar(select(visit.c.evidence).where(visit.c.client_id == told.client_id))
    assert [one["code"] for one in evidence["missing"]] == ["photo_used_again"]
    assert row_of(tx, order)["state"] == "evidence_failed"


def test_a_residents_photo_is_no_evidence_of_a_repair(tx: WriteTx) -> None:
    order, told = repaired(tx, photos=False)
    a_visit_photo(tx, told, order.contractor_id, "report", None, phash="0f0f0f0f0f0f0f0f", visit_client_id=None)
    a_visit_photo(tx, told, order.contractor_id, "before", NOW - 2 * HOUR, phash="0f0f0f0f0f0f0f0f")
    a_visit_photo(tx, told, order.contractor_id, "after", NOW - HOUR)

    judged(tx)

    assert missing_codes(tx) == {"photo_used_again"}


def test_an_after_photo_that_equals_the_before_photo_is_no_evidence(tx: WriteTx) -> None:
    order, told = repaired(tx, photos=False)
    a_visit_photo(tx, told, order.contractor_id, "before", NOW - 2 * HOUR, phash="f0e1d2c3b4a59687")
    a_visit_photo(tx, told, order.contractor_id, "after", NOW - HOUR, phash="f0e1d2c3b4a59687")

    judged(tx)

    assert missing_codes(tx) == {"after_equals_before"}


def test_a_photo_from_before_the_order_is_no_evidence(tx: WriteTx) -> None:
    order, told = repaired(tx, photos=False)
    a_visit_photo(tx, told, order.contractor_id, "before", NOW - 48 * HOUR)
    a_visit_photo(tx, told, order.contractor_id, "after", NOW - HOUR)

    judged(tx)

    assert missing_codes(tx) == {"photo_before_order"}


def test_a_photo_taken_400_metres_away_is_no_evidence(tx: WriteTx) -> None:
    order, told = repaired(tx, photos=False)
    a_visit_photo(tx, told, order.contractor_id, "before", NOW - 2 * HOUR)
    a_visit_photo(tx, told, order.contractor_id, "after", NOW - HOUR, taken_lat=53.7642175 + 400 / 111_320)

    judged(tx)

    assert missing_codes(tx) == {"photo_too_far"}


def test_a_visit_told_from_400_metres_away_is_no_evidence(tx: WriteTx) -> None:
    repaired(tx, photos=False, lat=53.7642175 + 400 / 111_320)

    judged(tx)

    assert "too_far" in missing_codes(tx)


def test_a_photo_without_a_time_has_a_person_look(tx: WriteTx) -> None:
    order, told = repaired(tx, photos=False)
    not_drawn(tx, order)
    a_visit_photo(tx, told, order.contractor_id, "before", None, taken_lat=None, taken_lon=None)
    a_visit_photo(tx, told, order.contractor_id, "after", NOW - HOUR)

    judged(tx)

    assert flags(tx) == {"no_photo_time"}
    assert row_of(tx, order)["sampled"] is True
    assert row_of(tx, order)["state"] == "evidence_ok"


def test_work_that_ended_before_the_order_was_issued_is_not_for_this_order(tx: WriteTx) -> None:
    order = an_order(tx, now=NOW - 5 * HOUR)
    record_visit.record(tx, a_visit(order, PERMANENT, NOW - 7 * HOUR), order.contractor_id, NOW)

    judged(tx)

    assert "before_issue" in missing_codes(tx)


def test_a_completion_told_days_later_is_flagged_and_seen_by_a_person(tx: WriteTx) -> None:
    order = an_order(tx, now=NOW - 120 * HOUR)
    told = a_visit(not_drawn(tx, order), PERMANENT, NOW - 96 * HOUR)
    record_visit.record(tx, told, order.contractor_id, NOW)
    a_visit_photo(tx, told, order.contractor_id, "before", NOW - 97 * HOUR)
    a_visit_photo(tx, told, order.contractor_id, "after", NOW - 96 * HOUR)

    judged(tx)

    assert flags(tx) == {"backdated"}
    assert row_of(tx, order)["sampled"] is True


def test_made_safe_needs_only_an_after_photo_and_leaves_the_order_open(tx: WriteTx) -> None:
    order = an_order(tx, a_defect(tx, band="E", make_safe_due_at=NOW), now=NOW - 5 * HOUR)
    told = a_visit(order, MADE_SAFE, NOW - HOUR)
    record_visit.record(tx, told, order.contractor_id, NOW)
    judged(tx)
    assert row_of(tx, order)["state"] == "made_safe"
    assert missing_codes(tx) == {"no_after_photo"}

    a_visit_photo(tx, told, order.contractor_id, "after", NOW - HOUR)
    verify_repair.judge_orders(tx, [order.id], NOW)

    assert row_of(tx, order)["state"] == "made_safe"
    assert row_of(tx, order)["missing"] == []
    assert tx.execute(select(warranty)).all() == []


def test_a_temporary_repair_is_verified_and_paid_and_warrants_nothing(tx: WriteTx) -> None:
    order = an_order(tx, a_defect(tx), now=NOW - 5 * HOUR)
    told = a_visit(not_drawn(tx, order), TEMPORARY, NOW - HOUR)
    record_visit.record(tx, told, order.contractor_id, NOW)
    a_visit_photo(tx, told, order.contractor_id, "before", NOW - 2 * HOUR)
    a_visit_photo(tx, told, order.contractor_id, "after", NOW - HOUR)

    judged(tx)

    assert row_of(tx, order)["state"] == "payable"
    assert tx.scalar(select(defect.c.state)) == "repaired_temporary"
    assert tx.execute(select(warranty)).all() == []


def test_a_temporary_repair_that_failed_is_not_done_again_because_its_permanent_order_is(tx: WriteTx) -> None:
    order = an_order(tx, a_defect(tx), now=NOW - 5 * HOUR)
    reference = drawn(tx, order)
    told = a_visit(order, TEMPORARY, NOW - HOUR)
    record_visit.record(WriteTx(tx.connection, "person:77"), told, order.contractor_id, NOW)
    a_visit_photo(tx, told, order.contractor_id, "before", NOW - 2 * HOUR)
    a_visit_photo(tx, told, order.contractor_id, "after", NOW - HOUR)
    judged(tx)

    verify_repair.decide(tx, reference, passed=False, why="It is out again.", site_check=True, company=None, now=NOW)
    hear(tx, Consumer.ASSIGN, assign_works.run, NOW)

    first, second = tx.execute(select(works_order).order_by(works_order.c.id)).all()
    assert (first.state, first.ended_at) == ("failed", NOW)
    assert (second.state, second.kind) == ("issued", "permanent")


def test_making_safe_for_another_is_verified_and_paid_and_the_defect_stays_with_its_owner(tx: WriteTx) -> None:
    cover = a_defect(tx, state="third_party", band="T", make_safe_due_at=NOW + HOUR)
    order = not_drawn(tx, an_order(tx, cover, now=NOW - 5 * HOUR))
    told = a_visit(order, MADE_SAFE, NOW - HOUR)
    record_visit.record(tx, told, order.contractor_id, NOW)
    a_visit_photo(tx, told, order.contractor_id, "after", NOW - HOUR)

    judged(tx)
    hear(tx, Consumer.ASSIGN, assign_works.run, NOW)

    assert row_of(tx, order)["state"] == "payable"
    assert tx.scalar(select(defect.c.state)) == "third_party"
    assert tx.scalar(select(works_order_defect.c.ended_at)) == NOW
    assert len(tx.execute(select(works_order.c.id)).all()) == 1


def test_making_safe_that_was_not_safe_has_its_clock_run_on(tx: WriteTx) -> None:
    cover = a_defect(tx, state="third_party", band="E", make_safe_due_at=NOW + HOUR)
    order = an_order(tx, cover, now=NOW - 5 * HOUR)
    told = a_visit(order, MADE_SAFE, NOW - HOUR)
    record_visit.record(WriteTx(tx.connection, "person:77"), told, order.contractor_id, NOW)
    a_visit_photo(tx, told, order.contractor_id, "after", NOW - HOUR)
    judged(tx)

    verify_repair.decide(
        tx, order.reference, passed=False, why="The cones are gone.", site_check=True, company=None, now=NOW
    )

    assert row_of(tx, order)["state"] == "remedial"
    assert tx.scalar(select(defect.c.made_safe_at)) is None


def test_a_batch_is_judged_in_the_same_number_of_statements_as_one(tx: WriteTx) -> None:
    for number in range(30):
        order = an_order(tx, a_defect(tx, street_key=f"street-{number}"), now=NOW - 5 * HOUR)
        told = a_visit(order, PERMANENT, NOW - HOUR)
        record_visit.record(tx, told, order.contractor_id, NOW)
        a_visit_photo(tx, told, order.contractor_id, "before", NOW - 2 * HOUR)
        a_visit_photo(tx, told, order.contractor_id, "after", NOW - HOUR)
    counting = _Counting(tx)

    hear(counting, Consumer.VERIFY, verify_repair.run, NOW)

    states = list(tx.scalars(select(works_order.c.state)))
    assert set(states) <= {"payable", "evidence_ok"}
    assert counting.statements < 60


class _Counting(WriteTx):
    """A transaction that counts what it is asked."""

    def __init__(self, tx: WriteTx) -> None:
        super().__init__(tx.connection, tx.actor)
        self.statements = 0

    def execute(self, *args: object, **more: object):  # type: ignore[no-untyped-def,override]
        self.statements += 1
        return super().execute(*args, **more)  # type: ignore[arg-type]

    def scalars(self, *args: object, **more: object):  # type: ignore[no-untyped-def,override]
        self.statements += 1
        return super().scalars(*args, **more)  # type: ignore[arg-type]

    def scalar(self, *args: object, **more: object):  # type: ignore[no-untyped-def,override]
        self.statements += 1
        return super().scalar(*args, **more)  # type: ignore[arg-type]
