"""A failure inside a live warranty is never absorbed by finished work: it is claimed, decided, mended or let go."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from shared.domain.events import Consumer
from shared.errors import Conflict, NotFound
from shared.flows import (
    act_on_order,
    answer_question,
    assess_defect,
    assign_works,
    decide_report,
    end_warranty,
    grade_defects,
    merge_defects,
    recall_repair,
    report_to_defect,
)
from shared.flows.answer_question import Answer
from shared.flows.recall_repair import Claim, Decision
from shared.flows.weigh_finding import Decision as Assessment
from shared.flows.weigh_finding import Finding
from shared.store import doctor, relinks, works
from shared.store.engine import WriteTx
from shared.store.tables import (
    contractor,
    defect,
    detection,
    event,
    question,
    recall,
    recall_sighting,
    report,
    sighting,
    visit,
    warranty,
    works_order,
)
from tests.factories import a_defect, a_report, a_verified_repair, adopt_default_policy, an_order, hear, triaged

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
YES, NO = Decision.ATTRIBUTABLE, Decision.NOT_ATTRIBUTABLE


@pytest.fixture(autouse=True)
def _policy(tx: WriteTx) -> None:
    adopt_default_policy(tx)


@pytest.fixture
def repaired(tx: WriteTx) -> int:
    """A defect that one report told of, and whose repair is under warranty."""
    first = triaged(tx, NOW - 3 * DAY)
    defect_id: int = tx.scalar(select(sighting.c.defect_id).where(sighting.c.report_id == first))
    finding = Finding(decision=Assessment.CONFIRM, why="Seen.", impact=2, likelihood=2)
    reference = str(tx.scalar(select(defect.c.reference)))
    assess_defect.assess(WriteTx(tx.connection, "person:1"), reference, finding, NOW - 2 * DAY, supervises=False)
    an_order(tx, defect_id, now=NOW - DAY)
    a_verified_repair(tx, defect_id, NOW - HOUR)
    return defect_id


def claimed(tx: WriteTx, **more: Any) -> tuple[int, str]:
    """A new report from the same place, and the reference of the recall that it proposes."""
    report_id = triaged(tx, NOW, **more)
    return report_id, str(tx.scalar(select(recall.c.reference).order_by(recall.c.id.desc()).limit(1)))


def state(tx: WriteTx, table: Any, row_id: int) -> str:
    return str(tx.scalar(select(table.c.state).where(table.c.id == row_id)))


def the_warranty(tx: WriteTx) -> Any:
    return tx.execute(select(warranty).order_by(warranty.c.id).limit(1)).one()


def assigned(tx: WriteTx) -> Any:
    """What the recall's decision made the works consumer issue."""
    hear(tx, Consumer.ASSIGN, assign_works.run, datetime.now(UTC))
    return tx.execute(select(works_order).order_by(works_order.c.id.desc()).limit(1)).one()


def steps(tx: WriteTx, subject: str, subject_id: int) -> list[str]:
    rows = select(event.c.after).where(
        event.c.subject == subject, event.c.subject_id == subject_id, event.c.after.is_not(None)
    )
    return list(tx.scalars(rows.order_by(event.c.id)))


def test_a_report_on_a_verified_repair_is_not_absorbed_but_proposes_a_recall(tx: WriteTx, repaired: int) -> None:
    first = tx.scalar(select(report.c.id))

    report_id, _ = claimed(tx)

    assert state(tx, report, report_id) == "triage"
    assert state(tx, report, first) == "resolved"
    assert state(tx, defect, repaired) == "in_warranty"
    assert the_warranty(tx).state == "claim_open"
    row = tx.execute(select(recall)).one()
    assert (row.state, row.defect_id, row.warranty_id) == ("proposed", repaired, the_warranty(tx).id)
    assert "under warranty" in row.why
    assert "no work by others is known since" in row.why
    assert tx.scalar(select(func.count()).select_from(sighting)) == 1


def test_more_reports_of_the_failure_wait_with_the_one_recall(tx: WriteTx, repaired: int) -> None:
    claimed(tx)

    for _ in range(3):
        claimed(tx)

    assert tx.scalar(select(func.count()).select_from(recall)) == 1
    assert tx.scalar(select(func.count()).select_from(recall_sighting)) == 4
    assert tx.scalar(select(func.count()).where(event.c.kind == "RecallProposed")) == 1
    assert repaired


def test_reports_of_one_batch_propose_one_recall(tx: WriteTx, repaired: int) -> None:
    for _ in range(3):
        a_report(tx, received_at=NOW)

    hear(tx, Consumer.TRIAGE, report_to_defect.run, datetime.now(UTC))

    assert tx.scalar(select(func.count()).select_from(recall)) == 1
    assert set(tx.scalars(select(report.c.state))) == {"resolved", "triage"}
    assert repaired


def test_the_same_claim_made_twice_waits_once(tx: WriteTx, repaired: int) -> None:
    report_id, _ = claimed(tx)
    claim = Claim(the_warranty(tx).id, report_id, None, "Said again.", NOW)

    recall_repair.propose(tx, [claim, claim], NOW)

    assert tx.scalar(select(func.count()).select_from(recall_sighting)) == 1
    assert repaired


def test_an_attributable_failure_goes_back_to_the_same_contractor_at_no_charge(tx: WriteTx, repaired: int) -> None:
    report_id, reference = claimed(tx)
    first_order = the_warranty(tx).works_order_id

    recall_repair.decide(tx, reference, YES, "The patch has come out.", NOW)

    assert state(tx, defect, repaired) == "recalled"
    assert state(tx, report, report_id) == "linked"
    order = assigned(tx)
    assert (order.kind, order.charge_to, order.follows, order.state) == (
        "remedial",
        "contractor",
        first_order,
        "issued",
    )
    assert order.contractor_id == the_warranty(tx).contractor_id
    assert works.lock_many(tx, [order.id])[0].defect_ids == (repaired,)
    assert steps(tx, "defect", repaired)[-2:] == ["recalled", "ordered"]


def test_the_remedy_goes_to_who_made_the_promise_though_the_lot_has_changed_hands(tx: WriteTx, repaired: int) -> None:
    other = tx.scalar(select(contractor.c.id).where(contractor.c.id != the_warranty(tx).contractor_id).limit(1))
    tx.execute(update(warranty).values(contractor_id=other))
    _, reference = claimed(tx)

    recall_repair.decide(tx, reference, YES, "The patch has come out.", NOW)

    assert assigned(tx).contractor_id == other
    assert repaired


def test_both_public_threads_are_kept_and_opened_by_a_recall(tx: WriteTx, repaired: int) -> None:
    first = tx.scalar(select(report.c.id))
    second, reference = claimed(tx)

    recall_repair.decide(tx, reference, YES, "The patch has come out.", NOW)

    assert (state(tx, report, first), state(tx, report, second)) == ("linked", "linked")
    assert set(tx.scalars(select(sighting.c.report_id).where(sighting.c.defect_id == repaired))) == {first, second}
    assert steps(tx, "report", first) == ["received", "linked", "resolved", "linked"]
    assert steps(tx, "report", second) == ["received", "triage", "linked"]
    counted = tx.execute(select(defect.c.reports, defect.c.known_at).where(defect.c.id == repaired)).one()
    assert tuple(counted) == (2, NOW - 3 * DAY)


def test_the_clocks_of_a_recall_run_from_when_the_failure_was_known(tx: WriteTx, repaired: int) -> None:
    report_id, reference = claimed(tx)

    recall_repair.decide(tx, reference, YES, "The patch has come out.", NOW + DAY)

    row = tx.execute(select(defect).where(defect.c.id == repaired)).one()
    received = tx.scalar(select(report.c.received_at).where(report.c.id == report_id))
    assert (row.clock_from, row.known_at) == (received, NOW - 3 * DAY)
    # The shorter of the band's clock and ten working days: P20 or P10 alone would give more or as much.
    assert NOW + 9 * DAY < row.permanent_due_at < NOW + 19 * DAY
    assert "10 working days" in " ".join(row.due_why) or "Working day 10" in " ".join(row.due_why)


def test_a_dangerous_failure_is_graded_as_one(tx: WriteTx, repaired: int) -> None:
    _, reference = claimed(tx, danger=True)

    recall_repair.decide(tx, reference, YES, "The patch has come out.", NOW)

    row = tx.execute(select(defect.c.band, defect.c.make_safe_due_at).where(defect.c.id == repaired)).one()
    assert row.band in ("E", "P2")
    assert row.make_safe_due_at is not None


def test_a_verified_remedy_settles_all_and_goes_on_under_warranty(tx: WriteTx, repaired: int) -> None:
    _, reference = claimed(tx)
    recall_repair.decide(tx, reference, YES, "The patch has come out.", NOW)
    assigned(tx)

    order = a_verified_repair(tx, repaired, NOW + 3 * HOUR)

    assert order.state == "verified"
    assert steps(tx, "warranty", the_warranty(tx).id) == ["active", "claim_open", "attributable", "remedied"]
    assert state(tx, defect, repaired) == "in_warranty"
    assert set(tx.scalars(select(report.c.state))) == {"resolved"}
    assert tx.scalar(select(func.count()).select_from(warranty)) == 2


def test_a_failure_that_is_not_the_repairs_is_a_defect_of_its_own(tx: WriteTx, repaired: int) -> None:
    report_id, reference = claimed(tx)

    recall_repair.decide(tx, reference, NO, "A lorry tore the kerb out.", NOW)

    assert the_warranty(tx).state == "active"
    assert steps(tx, "warranty", the_warranty(tx).id)[-2:] == ["not_attributable", "active"]
    anew = tx.execute(select(defect).where(defect.c.id != repaired)).one()
    assert (anew.state, anew.recurrence_of, anew.reports) == ("candidate", repaired, 1)
    assert state(tx, report, report_id) == "linked"
    assert tx.scalar(select(sighting.c.defect_id).where(sighting.c.report_id == report_id)) == anew.id
    assert tx.scalar(select(recall.c.new_defect_id)) == anew.id
    hear(tx, Consumer.GRADE, grade_defects.run, datetime.now(UTC))
    assert tx.scalar(select(defect.c.band).where(defect.c.id == anew.id)) is not None


def test_what_is_seen_next_joins_that_defect_and_claims_no_more(tx: WriteTx, repaired: int) -> None:
    _, reference = claimed(tx)
    recall_repair.decide(tx, reference, NO, "A lorry tore the kerb out.", NOW)

    report_id = triaged(tx, NOW + HOUR)

    assert state(tx, report, report_id) == "linked"
    assert tx.scalar(select(func.count()).select_from(recall)) == 1
    assert repaired


def test_a_recall_is_decided_once(tx: WriteTx, repaired: int) -> None:
    _, reference = claimed(tx)
    recall_repair.decide(tx, reference, NO, "A lorry tore the kerb out.", NOW)

    with pytest.raises(Conflict, match="not decided again"):
        recall_repair.decide(tx, reference, YES, "No, the patch has come out.", NOW)

    assert repaired


def test_a_contractor_disputes_its_own_recall_only(tx: WriteTx, repaired: int) -> None:
    _, reference = claimed(tx)
    mine = the_warranty(tx).contractor_id

    with pytest.raises(NotFound):
        recall_repair.dispute(tx, reference, mine + 1, "Not ours.", NOW)
    recall_repair.dispute(tx, reference, mine, "A trench was cut through it.", NOW)

    assert tx.scalar(select(recall.c.state)) == "disputed"
    assert the_warranty(tx).state == "disputed"
    with pytest.raises(Conflict, match="disputed"):
        recall_repair.decide(tx, reference, YES, "It is theirs.", NOW)
    assert repaired


@pytest.mark.parametrize(("ruling", "after"), [(YES, "recalled"), (NO, "in_warranty")])
def test_a_supervisor_rules_on_a_dispute(tx: WriteTx, repaired: int, ruling: Decision, after: str) -> None:
    _, reference = claimed(tx)
    recall_repair.dispute(tx, reference, the_warranty(tx).contractor_id, "Not ours.", NOW)

    recall_repair.rule(tx, reference, ruling, "Looked at on site.", NOW)

    assert state(tx, defect, repaired) == after
    row = tx.execute(select(recall)).one()
    assert (row.state, row.ruled_by) == (ruling, "test")
    said = tx.scalar(
        select(event.c.data).where(event.c.kind == "RecallDecided", event.c.data["ruling"].astext == "true")
    )
    assert said["decision"] == ruling


def test_only_a_disputed_recall_is_ruled_on(tx: WriteTx, repaired: int) -> None:
    _, reference = claimed(tx)

    with pytest.raises(Conflict, match="only a disputed one"):
        recall_repair.rule(tx, reference, YES, "Because.", NOW)

    assert repaired


def test_a_dispute_stops_no_work_and_what_is_seen_meanwhile_joins_the_defect(tx: WriteTx, repaired: int) -> None:
    _, reference = claimed(tx)
    recall_repair.decide(tx, reference, YES, "The patch has come out.", NOW)
    order = assigned(tx)

    recall_repair.dispute(tx, reference, order.contractor_id, "Not ours.", NOW)
    report_id = triaged(tx, NOW)

    assert state(tx, works_order, order.id) == "issued"
    assert state(tx, defect, repaired) == "ordered"
    assert state(tx, report, report_id) == "linked"


def test_a_ruling_for_the_contractor_makes_the_council_pay_for_the_remedy(tx: WriteTx, repaired: int) -> None:
    _, reference = claimed(tx)
    recall_repair.decide(tx, reference, YES, "The patch has come out.", NOW)
    order = assigned(tx)
    recall_repair.dispute(tx, reference, order.contractor_id, "A trench was cut through it.", NOW)

    recall_repair.rule(tx, reference, NO, "The trench is on the photo.", NOW)

    assert tx.scalar(select(works_order.c.charge_to).where(works_order.c.id == order.id)) == "council"
    told = tx.execute(select(event.c.data).where(event.c.kind == "OrderRecharged")).scalar_one()
    assert (told["charge_to"], told["why"]) == ("council", "The trench is on the photo.")
    assert steps(tx, "warranty", the_warranty(tx).id)[-2:] == ["not_attributable", "void"]
    paid = a_verified_repair(tx, repaired, NOW + 3 * HOUR)
    assert paid.state == "payable"
    new = tx.execute(select(warranty).order_by(warranty.c.id.desc()).limit(1)).one()
    assert (new.follows, new.ends_on > the_warranty(tx).ends_on - DAY) == (None, True)


def test_a_ruling_after_the_remedy_is_verified_makes_it_payable(tx: WriteTx, repaired: int) -> None:
    _, reference = claimed(tx)
    recall_repair.decide(tx, reference, YES, "The patch has come out.", NOW)
    order = assigned(tx)
    recall_repair.dispute(tx, reference, order.contractor_id, "Not ours.", NOW)
    a_verified_repair(tx, repaired, NOW + 3 * HOUR)

    recall_repair.rule(tx, reference, NO, "It was not.", NOW + 4 * HOUR)

    assert state(tx, works_order, order.id) == "payable"
    assert state(tx, defect, repaired) == "in_warranty"
    assert list(tx.scalars(select(warranty.c.state).order_by(warranty.c.id))) == ["void", "active"]


def test_a_ruling_against_the_contractor_after_the_remedy_changes_nothing_of_it(tx: WriteTx, repaired: int) -> None:
    _, reference = claimed(tx)
    recall_repair.decide(tx, reference, YES, "The patch has come out.", NOW)
    order = assigned(tx)
    recall_repair.dispute(tx, reference, order.contractor_id, "Not ours.", NOW)
    a_verified_repair(tx, repaired, NOW + 3 * HOUR)

    recall_repair.rule(tx, reference, YES, "It was.", NOW + 4 * HOUR)

    assert state(tx, works_order, order.id) == "verified"
    assert list(tx.scalars(select(warranty.c.state).order_by(warranty.c.id))) == ["remedied", "active"]


def test_a_ruling_is_final(tx: WriteTx, repaired: int) -> None:
    _, reference = claimed(tx)
    mine = the_warranty(tx).contractor_id
    recall_repair.dispute(tx, reference, mine, "Not ours.", NOW)
    recall_repair.rule(tx, reference, YES, "It is.", NOW)
    assigned(tx)

    with pytest.raises(Conflict, match="by a ruling"):
        recall_repair.dispute(tx, reference, mine, "Still not ours.", NOW)

    assert repaired


def told_after_the_end(tx: WriteTx) -> str:
    """The recall of what was seen in the warranty's term, and told after its end."""
    yesterday = (NOW - DAY).date()
    tx.execute(update(warranty).values(ends_on=yesterday, starts_on=date(2025, 11, 1), repaired_at=NOW - 300 * DAY))
    tx.execute(update(defect).values(repaired_at=NOW - 300 * DAY))
    end_warranty.expire_due(tx, NOW)
    _, reference = claimed(tx, observed_at=NOW - DAY)
    return reference


def test_a_failure_seen_in_time_and_told_after_the_end_still_goes_back(tx: WriteTx, repaired: int) -> None:
    reference = told_after_the_end(tx)

    recall_repair.decide(tx, reference, YES, "The picture is of yesterday.", NOW)

    assert state(tx, defect, repaired) == "closed"
    anew = tx.execute(select(defect).where(defect.c.id != repaired)).one()
    assert (anew.state, anew.recurrence_of) == ("ordered", repaired)
    order = assigned(tx)
    assert (order.kind, order.charge_to, order.contractor_id) == (
        "remedial",
        "contractor",
        the_warranty(tx).contractor_id,
    )
    a_verified_repair(tx, anew.id, NOW + 3 * HOUR)
    first, second = tx.execute(select(warranty).order_by(warranty.c.id))
    assert (first.state, second.state, second.follows, second.defect_id) == ("remedied", "active", first.id, anew.id)


def disputed_after_the_end(tx: WriteTx) -> tuple[str, int, Any]:
    """A recall that is disputed, the new defect that is mended in the place of the closed one, and its order."""
    reference = told_after_the_end(tx)
    place = tx.execute(select(defect.c.lat, defect.c.lon, defect.c.geom)).one()
    seen = a_detection(tx, **place._mapping)
    recall_repair.propose(tx, [Claim(the_warranty(tx).id, None, seen, "inside the patch.", NOW - DAY)], NOW)
    recall_repair.decide(tx, reference, YES, "The picture is of yesterday.", NOW)
    order = assigned(tx)
    recall_repair.dispute(tx, reference, order.contractor_id, "A trench was cut through it.", NOW)
    return reference, tx.scalar(select(recall.c.new_defect_id)), order


def promised(tx: WriteTx) -> list[tuple[str, int | None]]:
    return [(row.state, row.follows) for row in tx.execute(select(warranty).order_by(warranty.c.id))]


def test_what_went_back_after_the_end_and_is_ruled_not_to_be_the_repairs_is_the_councils_to_pay(
    tx: WriteTx, repaired: int
) -> None:
    reference, anew, order = disputed_after_the_end(tx)

    recall_repair.rule(tx, reference, NO, "The trench is on the photo.", NOW)

    assert tx.scalar(select(works_order.c.charge_to).where(works_order.c.id == order.id)) == "council"
    assert set(tx.scalars(select(defect.c.id))) == {repaired, anew}
    assert tx.scalar(select(recall.c.new_defect_id)) == anew
    assert a_verified_repair(tx, anew, NOW + 3 * HOUR).state == "payable"
    assert promised(tx) == [("void", None), ("active", None)]


def test_what_went_back_after_the_end_and_is_ruled_to_be_the_repairs_stays_the_contractors(
    tx: WriteTx, repaired: int
) -> None:
    reference, anew, order = disputed_after_the_end(tx)
    witness = a_report(tx, received_at=NOW, observed_at=NOW - DAY)
    recall_repair.propose(tx, [Claim(the_warranty(tx).id, witness, None, "inside the patch.", NOW - DAY)], NOW)

    recall_repair.rule(tx, reference, YES, "There is no trench.", NOW)

    assert set(tx.scalars(select(defect.c.id))) == {repaired, anew}
    assert tx.scalar(select(sighting.c.defect_id).where(sighting.c.report_id == witness)) == anew
    assert state(tx, report, witness) == "linked"
    assert a_verified_repair(tx, anew, NOW + 3 * HOUR).state == "verified"
    assert state(tx, works_order, order.id) == "verified"
    assert promised(tx) == [("remedied", None), ("active", the_warranty(tx).id)]


@pytest.mark.parametrize(("ruling", "order_after", "promise"), [(YES, "verified", "remedied"), (NO, "payable", "void")])
def test_a_ruling_after_the_remedy_says_who_pays_also_when_it_was_told_after_the_end(
    tx: WriteTx, repaired: int, ruling: Decision, order_after: str, promise: str
) -> None:
    reference, anew, order = disputed_after_the_end(tx)
    a_verified_repair(tx, anew, NOW + 3 * HOUR)

    recall_repair.rule(tx, reference, ruling, "Looked at on site.", NOW + 4 * HOUR)

    assert state(tx, works_order, order.id) == order_after
    assert promised(tx) == [(promise, None), ("active", the_warranty(tx).id)]
    assert set(tx.scalars(select(defect.c.id))) == {repaired, anew}


def test_a_remedy_is_cancelled_only_when_it_was_ruled_not_to_be_the_contractors(tx: WriteTx, repaired: int) -> None:
    _, reference = claimed(tx)
    recall_repair.decide(tx, reference, YES, "The patch has come out.", NOW)
    order = assigned(tx)
    with pytest.raises(act_on_order.CannotDecline, match="disputed the recall"):
        act_on_order.cancel(tx, order.reference, "The road is to be closed.", NOW)
    assert (state(tx, works_order, order.id), state(tx, defect, repaired)) == ("issued", "ordered")
    recall_repair.dispute(tx, reference, order.contractor_id, "A trench was cut through it.", NOW)
    recall_repair.rule(tx, reference, NO, "The trench is on the photo.", NOW)

    act_on_order.cancel(tx, order.reference, "The road is to be closed.", NOW)

    assert (state(tx, works_order, order.id), state(tx, defect, repaired)) == ("cancelled", "confirmed")


def test_a_reporter_who_says_it_is_not_fixed_calls_the_repair_in_question(tx: WriteTx, repaired: int) -> None:
    first, reference = tx.execute(select(report.c.id, report.c.reference)).one()

    decide_report.challenge(tx, reference, first, "It is still there!", NOW)

    assert state(tx, report, first) == "triage"
    assert the_warranty(tx).state == "claim_open"
    recall_reference = tx.scalar(select(recall.c.reference))
    recall_repair.decide(tx, recall_reference, YES, "It is still there.", NOW)
    assert state(tx, report, first) == "linked"
    assert tx.scalar(select(func.count()).select_from(sighting)) == 1
    row = tx.execute(select(defect.c.reports, defect.c.clock_from, defect.c.permanent_due_at)).one()
    assert (row.reports, row.clock_from) == (1, NOW)
    assert row.permanent_due_at > NOW + 9 * DAY
    assert repaired


def test_a_report_decided_otherwise_meanwhile_is_left_where_it_is(tx: WriteTx, repaired: int) -> None:
    report_id, reference = claimed(tx)
    other, _ = claimed(tx)
    decide_report.refer(
        tx,
        str(tx.scalar(select(report.c.reference).where(report.c.id == report_id))),
        "United Utilities",
        "Theirs.",
        NOW,
    )

    recall_repair.decide(tx, reference, YES, "The patch has come out.", NOW)

    assert (state(tx, report, report_id), state(tx, report, other)) == ("referred", "linked")
    assert tx.scalar(select(defect.c.reports).where(defect.c.id == repaired)) == 2


def test_a_recall_does_not_move_the_recorded_visits(tx: WriteTx, repaired: int) -> None:
    before = tx.execute(select(visit)).all()
    _, reference = claimed(tx)

    recall_repair.decide(tx, reference, YES, "The patch has come out.", NOW)

    assert tx.execute(select(visit)).all() == before
    assert repaired


def test_what_a_camera_sees_in_the_footprint_waits_with_the_recall_and_goes_along(tx: WriteTx, repaired: int) -> None:
    place = tx.execute(select(defect.c.lat, defect.c.lon, defect.c.geom).where(defect.c.id == repaired)).one()
    seen = a_detection(tx, lat=place.lat, lon=place.lon, geom=place.geom)
    claim = Claim(the_warranty(tx).id, None, seen, "inside the patch of a repair under warranty.", NOW)

    recall_repair.propose(tx, [claim], NOW)
    report_id, reference = claimed(tx)
    recall_repair.decide(tx, reference, YES, "The patch has come out.", NOW)

    row = tx.execute(select(defect).where(defect.c.id == repaired)).one()
    assert (row.reports, row.detections, row.survey_passes) == (2, 1, 1)
    assert tx.scalar(select(sighting.c.defect_id).where(sighting.c.detection_id == seen)) == repaired
    verdicts = dict(tx.execute(select(sighting.c.detection_id, sighting.c.verdict)).all())
    assert verdicts[seen] == "recall"
    assert state(tx, report, report_id) == "linked"


def a_detection(tx: WriteTx, **where: Any) -> int:
    made: int = tx.scalar(
        insert(detection)
        .values(
            received_at=NOW,
            batch_id=1,
            source_id=1,
            external_id="one",
            survey_pass_id="pass-1",
            captured_at=NOW,
            class_code="pothole",
            confidence=0.9,
            accuracy_m=3.0,
            verdict="recalled",
            **where,
        )
        .returning(detection.c.id)
    )
    return made


# --- what is seen beside the patch while the decision waits ----------------------------------------------------------

BESIDE = 353_009.0
"""Too far from the patch for a phone that is sure to 5 m; near enough to be the same defect, were that open."""


def waiting(tx: WriteTx) -> list[int]:
    return list(tx.scalars(select(recall_sighting.c.report_id).order_by(recall_sighting.c.id)))


def answered(tx: WriteTx, report_id: int, said: Answer) -> None:
    """A person says whether a report is of the repaired defect."""
    name = str(tx.scalar(select(report.c.reference).where(report.c.id == report_id)))
    mended = str(tx.scalar(select(defect.c.reference).order_by(defect.c.id).limit(1)))
    answer_question.answer(tx, name, said, mended if said is Answer.SAME else None, "I was there.", NOW)


def test_a_report_beside_the_patch_asks_whether_the_repair_has_failed_and_proposes_its_recall(
    tx: WriteTx, repaired: int
) -> None:
    report_id = triaged(tx, NOW, easting=BESIDE)
    (asked,) = tx.scalars(select(question.c.candidates))

    answered(tx, report_id, Answer.SAME)

    assert [one["defect_id"] for one in asked] == [repaired]
    assert (state(tx, report, report_id), waiting(tx)) == ("triage", [report_id])
    assert tx.scalar(select(recall.c.state)) == "proposed"


@pytest.mark.parametrize(("said", "after"), [(Answer.DIFFERENT, "candidate"), (Answer.CANNOT_TELL, "duplicate")])
def test_when_the_repair_fails_later_a_hole_beside_it_stays_another_only_if_a_person_said_so(
    tx: WriteTx, repaired: int, said: Answer, after: str
) -> None:
    report_id = triaged(tx, NOW, easting=BESIDE)
    answered(tx, report_id, said)
    founded = tx.scalar(select(sighting.c.defect_id).where(sighting.c.report_id == report_id))
    _, reference = claimed(tx, easting=352_999.0)

    recall_repair.decide(tx, reference, YES, "The patch has come out.", NOW)

    assert (state(tx, defect, repaired), state(tx, defect, founded)) == ("recalled", after)


def test_a_report_beside_a_repair_that_is_said_to_have_failed_is_one_more_witness(tx: WriteTx, repaired: int) -> None:
    first, reference = claimed(tx)

    second = triaged(tx, NOW, easting=BESIDE)

    assert (state(tx, report, second), waiting(tx)) == ("triage", [first, second])
    assert tx.scalar(select(recall_sighting.c.why).where(recall_sighting.c.report_id == second)) == (
        "9 m from a repair under warranty that is said to have failed."
    )
    recall_repair.decide(tx, reference, YES, "The patch has come out.", NOW)
    assert state(tx, report, second) == "linked"
    assert list(tx.scalars(select(defect.c.id))) == [repaired]


def test_a_witness_of_a_failure_that_is_not_the_repairs_joins_the_others(tx: WriteTx, repaired: int) -> None:
    first, reference = claimed(tx)
    second = triaged(tx, NOW, easting=BESIDE)

    recall_repair.decide(tx, reference, NO, "A lorry tore the kerb out.", NOW)

    anew = tx.execute(select(defect).where(defect.c.id != repaired)).one()
    linked = select(sighting.c.report_id).where(sighting.c.defect_id == anew.id)
    assert set(tx.scalars(linked)) == {first, second}


def test_a_batch_weighs_beside_the_patch_what_it_has_seen_in_it(tx: WriteTx, repaired: int) -> None:
    both = [a_report(tx, received_at=NOW), a_report(tx, received_at=NOW, easting=BESIDE)]

    hear(tx, Consumer.TRIAGE, report_to_defect.run, datetime.now(UTC))

    assert waiting(tx) == both
    assert list(tx.scalars(select(defect.c.id))) == [repaired]


def test_what_is_the_same_as_a_witness_waits_too(tx: WriteTx, repaired: int) -> None:
    claimed(tx)
    triaged(tx, NOW, easting=BESIDE)

    third = triaged(tx, NOW, easting=BESIDE + 8)

    assert third in waiting(tx)
    assert list(tx.scalars(select(defect.c.id))) == [repaired]


def test_what_may_be_a_repair_that_is_said_to_have_failed_is_asked_and_then_waits_with_it(
    tx: WriteTx, repaired: int
) -> None:
    first, _ = claimed(tx)
    unsure = triaged(tx, NOW, easting=353_030.0)
    (asked,) = tx.scalars(select(question.c.candidates))

    answered(tx, unsure, Answer.SAME)

    assert [one["defect_id"] for one in asked] == [repaired]
    assert (state(tx, report, unsure), waiting(tx)) == ("triage", [first, unsure])


def test_what_was_recorded_beside_the_repair_before_the_claim_is_taken_in_when_it_is_sent_back(
    tx: WriteTx, repaired: int
) -> None:
    doubled = a_defect(tx, easting=BESIDE, known_at=NOW, state="candidate")
    in_patch, reference = claimed(tx, easting=352_999.0)

    recall_repair.decide(tx, reference, YES, "The patch has come out.", NOW)

    row = tx.execute(select(defect.c.state, defect.c.merged_into).where(defect.c.id == doubled)).one()
    assert tuple(row) == ("duplicate", repaired)
    assert state(tx, report, in_patch) == "linked"
    merge_defects.unmerge(tx, str(tx.scalar(select(defect.c.reference).where(defect.c.id == doubled))), "Two.", NOW)
    assert state(tx, defect, doubled) == "candidate"


@pytest.mark.parametrize("why_not", ["ordered", "told apart", "older than the repair", "too far"])
def test_what_is_being_repaired_or_is_another_hole_is_not_taken_in(tx: WriteTx, repaired: int, why_not: str) -> None:
    facts = {"known_at": NOW - 2 * DAY} if why_not == "older than the repair" else {"known_at": NOW}
    away = 30 if why_not == "too far" else 9
    other = a_defect(tx, easting=353_000.0 + away, **facts)
    if why_not == "ordered":
        an_order(tx, other, now=NOW)
    if why_not == "told apart":
        relinks.tell_apart(tx, repaired, other, NOW)
    before = state(tx, defect, other)
    _, reference = claimed(tx, easting=352_999.0)

    recall_repair.decide(tx, reference, YES, "The patch has come out.", NOW)

    assert (state(tx, defect, repaired), state(tx, defect, other)) == ("recalled", before)


def test_a_dispute_about_an_earlier_repair_says_nothing_of_the_last_one(tx: WriteTx, repaired: int) -> None:
    _, reference = claimed(tx)
    recall_repair.decide(tx, reference, YES, "The patch has come out.", NOW)
    order = assigned(tx)
    recall_repair.dispute(tx, reference, order.contractor_id, "A trench was cut through it.", NOW)
    a_verified_repair(tx, repaired, NOW + 3 * HOUR)

    report_id = triaged(tx, NOW + 4 * HOUR, easting=BESIDE)

    assert report_id not in waiting(tx)
    assert tx.scalar(select(func.count()).where(question.c.report_id == report_id)) == 1


def test_what_is_seen_beside_a_remedy_is_asked_about_though_the_closed_defect_it_stands_for_is_disputed(
    tx: WriteTx, repaired: int
) -> None:
    _, anew, _ = disputed_after_the_end(tx)
    a_verified_repair(tx, anew, NOW + 3 * HOUR)

    report_id = triaged(tx, NOW + 4 * HOUR, easting=BESIDE)

    assert report_id not in waiting(tx)
    (asked,) = tx.scalars(select(question.c.candidates).where(question.c.report_id == report_id))
    assert [one["defect_id"] for one in asked] == [anew]
    assert repaired


def test_a_remedy_that_fails_is_claimed_on_its_own_warranty_while_the_first_is_disputed(
    tx: WriteTx, repaired: int
) -> None:
    _, reference = claimed(tx)
    recall_repair.decide(tx, reference, YES, "The patch has come out.", NOW)
    order = assigned(tx)
    recall_repair.dispute(tx, reference, order.contractor_id, "A trench was cut through it.", NOW)
    a_verified_repair(tx, repaired, NOW + 3 * HOUR, length_m=0.2, width_m=0.2)

    # In the patch of the first repair, and a little beside that of its remedy.
    report_id, another = claimed(tx, observed_at=NOW + 5 * HOUR, easting=353_000.5)

    second = tx.execute(select(warranty).order_by(warranty.c.id.desc()).limit(1)).one()
    row = tx.execute(select(recall).where(recall.c.reference == another)).one()
    assert (row.warranty_id, row.state, second.follows) == (second.id, "proposed", the_warranty(tx).id)
    assert waiting(tx)[-1] == report_id
    recall_repair.decide(tx, another, YES, "It has come out again.", NOW)
    assert assigned(tx).follows == order.id
    recall_repair.rule(tx, reference, NO, "The trench is on the photo.", NOW + 7 * HOUR)
    assert state(tx, works_order, order.id) == "payable"
    assert [one for one, _ in promised(tx)] == ["void", "attributable"]


def test_the_doctor_finds_nothing_after_claims_disputes_rulings_and_remedies(tx: WriteTx, repaired: int) -> None:
    _, reference = claimed(tx)
    recall_repair.decide(tx, reference, YES, "The patch has come out.", NOW)
    order = assigned(tx)
    recall_repair.dispute(tx, reference, order.contractor_id, "Not ours.", NOW)
    a_verified_repair(tx, repaired, NOW + 3 * HOUR)
    recall_repair.rule(tx, reference, YES, "It was.", NOW + 4 * HOUR)
    _, another = claimed(tx, observed_at=NOW + 5 * HOUR)
    recall_repair.decide(tx, another, NO, "A lorry tore the kerb out.", NOW + 5 * HOUR)
    hear(tx, Consumer.GRADE, grade_defects.run, datetime.now(UTC) + DAY)

    findings = {found.check: found.shown for found in doctor.examine(tx, NOW) if not found.clean}

    assert steps(tx, "warranty", the_warranty(tx).id)[-2:] == ["attributable", "remedied"]
    assert findings == {}
