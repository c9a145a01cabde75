"""Warranties: one for each verified permanent repair, to the end of its last day, and void when others undo it."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, update

from shared.domain.lifecycle import GuardNotMet
from shared.domain.terms import VisitOutcome
from shared.errors import Conflict
from shared.flows import end_warranty, recall_repair, start_warranty
from shared.flows.start_warranty import VerifiedRepair
from shared.store.engine import WriteTx
from shared.store.tables import defect, event, recall, report, visit, warranty
from tests.factories import (
    a_defect,
    a_repair,
    a_verified_repair,
    adopt_default_policy,
    an_order,
    passed_by_a_supervisor,
    triaged,
)

NOW = datetime.now(UTC).replace(microsecond=0)
LONDON = ZoneInfo("Europe/London")
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _policy(tx: WriteTx) -> None:
    adopt_default_policy(tx)


def warranted(tx: WriteTx, **more: Any) -> int:
    """A defect whose repair is under warranty since an hour ago."""
    defect_id = a_defect(tx, known_at=NOW - 2 * DAY)
    an_order(tx, defect_id, now=NOW - DAY)
    a_verified_repair(tx, defect_id, NOW, **more)
    return defect_id


def ending_on(tx: WriteTx, defect_id: int, day: date) -> None:
    """As if the repair had been made so long ago that this is the warranty's last day."""
    tx.execute(
        update(warranty)
        .where(warranty.c.defect_id == defect_id)
        .values(ends_on=day, starts_on=day - 364 * DAY, repaired_at=NOW - 364 * DAY)
    )


def promise_of(tx: WriteTx, defect_id: int) -> Any:
    return tx.execute(select(warranty).where(warranty.c.defect_id == defect_id)).one()


def state_of(tx: WriteTx, defect_id: int) -> str:
    return str(tx.scalar(select(defect.c.state).where(defect.c.id == defect_id)))


def ref_of(tx: WriteTx, defect_id: int) -> str:
    return str(tx.scalar(select(defect.c.reference).where(defect.c.id == defect_id)))


def test_a_warranty_runs_from_physical_completion_not_from_verification(tx: WriteTx) -> None:
    defect_id = a_defect(tx, known_at=NOW - 9 * DAY)
    an_order(tx, defect_id, now=NOW - 8 * DAY)
    order = a_repair(tx, defect_id, NOW - 5 * DAY, outcome=VisitOutcome.PERMANENT)

    passed_by_a_supervisor(tx, order, NOW)

    promise = promise_of(tx, defect_id)
    assert promise.repaired_at == order.completed_at == NOW - 5 * DAY - timedelta(hours=1)
    assert promise.starts_on == promise.repaired_at.astimezone(LONDON).date()
    assert promise.ends_on == promise.starts_on.replace(year=promise.starts_on.year + 1) - DAY


@pytest.mark.parametrize(("repair_type", "months"), [("spray_injection", 6), ("structural_patch", 24)])
def test_the_term_is_that_of_the_repair_type(tx: WriteTx, repair_type: str, months: int) -> None:
    promise = promise_of(tx, warranted(tx, repair_type=repair_type))

    whole = (promise.ends_on + DAY).year * 12 + (promise.ends_on + DAY).month
    assert whole - (promise.starts_on.year * 12 + promise.starts_on.month) == months


def test_a_repair_without_a_term_closes_its_defect_and_says_why(tx: WriteTx) -> None:
    defect_id = warranted(tx, repair_type="clearance")

    said = tx.scalar(select(event.c.data["why"].astext).where(event.c.after == "closed"))

    assert state_of(tx, defect_id) == "closed"
    assert tx.scalar(select(func.count()).select_from(warranty)) == 0
    assert said == "The policy gives this kind of repair no warranty."


def test_a_temporary_repair_and_a_made_safe_one_are_not_warranted(tx: WriteTx) -> None:
    for outcome, street in ((VisitOutcome.TEMPORARY, "one"), (VisitOutcome.MADE_SAFE, "two")):
        defect_id = a_defect(tx, street_key=street, known_at=NOW - 2 * DAY)
        an_order(tx, defect_id, now=NOW - DAY)
        a_repair(tx, defect_id, NOW, outcome=outcome)

    assert tx.scalar(select(func.count()).select_from(warranty)) == 0


def test_the_footprint_is_the_patch_as_measured_around_the_surer_position(tx: WriteTx) -> None:
    defect_id = warranted(tx, length_m=4.0, width_m=3.0, accuracy_m=2.0, lat=53.76430, lon=-2.71446)

    footprint, area, from_phone, from_defect = tx.execute(
        select(
            func.ST_GeometryType(warranty.c.footprint),
            func.ST_Area(warranty.c.footprint),
            func.ST_Distance(func.ST_Centroid(warranty.c.footprint), visit.c.geom),
            func.ST_Distance(func.ST_Centroid(warranty.c.footprint), defect.c.geom),
        )
        .join(defect, defect.c.id == warranty.c.defect_id)
        .join(visit, visit.c.id == warranty.c.visit_id)
        .where(defect.c.id == defect_id)
    ).one()

    assert footprint == "ST_Polygon"
    assert area == pytest.approx(3.14 * 2.5**2, rel=0.05)
    assert from_phone == pytest.approx(0, abs=0.01)
    assert from_defect > 5


def test_a_phone_less_sure_than_what_saw_the_defect_does_not_move_the_footprint(tx: WriteTx) -> None:
    defect_id = warranted(tx, accuracy_m=30.0, lat=53.76430, lon=-2.71446)

    from_defect = tx.scalar(
        select(func.ST_Distance(func.ST_Centroid(warranty.c.footprint), defect.c.geom))
        .join(defect, defect.c.id == warranty.c.defect_id)
        .where(defect.c.id == defect_id)
    )

    assert from_defect == pytest.approx(0, abs=0.01)


def test_starting_twice_starts_once(tx: WriteTx) -> None:
    defect_id = warranted(tx)
    promise = promise_of(tx, defect_id)
    again = VerifiedRepair(
        defect_id=defect_id,
        works_order_id=promise.works_order_id,
        visit_id=promise.visit_id,
        contractor_id=promise.contractor_id,
        repair_type="pothole_patch",
        repaired_at=promise.repaired_at,
        length_m=None,
        width_m=None,
    )

    start_warranty.start(tx, [again], NOW)

    assert promise_of(tx, defect_id) == promise
    assert tx.scalar(select(func.count()).where(event.c.kind == "WarrantyStarted")) == 1


def test_a_warranty_holds_until_the_last_second_of_its_last_local_day(tx: WriteTx) -> None:
    defect_id = warranted(tx)
    today = NOW.astimezone(LONDON).date()
    ending_on(tx, defect_id, today)
    last_second = datetime.combine(today, time(23, 59, 59), tzinfo=LONDON)

    expired_then = end_warranty.expire_due(tx, last_second.astimezone(UTC))
    state_then = state_of(tx, defect_id)
    expired_after = end_warranty.expire_due(tx, last_second.astimezone(UTC) + timedelta(seconds=1))

    assert (expired_then, state_then) == (0, "in_warranty")
    assert (expired_after, state_of(tx, defect_id)) == (1, "closed")
    assert promise_of(tx, defect_id).state == "expired"


def test_what_is_seen_on_the_last_day_still_claims(tx: WriteTx) -> None:
    defect_id = warranted(tx)
    ending_on(tx, defect_id, NOW.astimezone(LONDON).date())

    report_id = triaged(tx, NOW)

    assert promise_of(tx, defect_id).state == "claim_open"
    assert tx.scalar(select(report.c.state).where(report.c.id == report_id)) == "triage"


def test_what_is_seen_the_day_after_is_a_new_defect_that_recurs(tx: WriteTx) -> None:
    defect_id = warranted(tx)
    ending_on(tx, defect_id, NOW.astimezone(LONDON).date() - DAY)
    end_warranty.expire_due(tx, NOW)

    report_id = triaged(tx, NOW)

    anew = tx.execute(select(defect.c.state, defect.c.recurrence_of).where(defect.c.id != defect_id)).one()
    assert tuple(anew) == ("candidate", defect_id)
    assert tx.scalar(select(report.c.state).where(report.c.id == report_id)) == "linked"
    assert tx.scalar(select(func.count()).select_from(recall)) == 0


def test_a_trench_of_others_through_the_patch_makes_the_warranty_void(tx: WriteTx) -> None:
    defect_id = warranted(tx)

    end_warranty.void(tx, ref_of(tx, defect_id), "excavated", "Permit LC001-7: water main, 3 November.", NOW)

    promise = promise_of(tx, defect_id)
    assert (promise.state, promise.void_reason, state_of(tx, defect_id)) == ("void", "excavated", "closed")
    said = tx.scalar(select(event.c.data["why"].astext).where(event.c.after == "void"))
    assert said == "excavated: Permit LC001-7: water main, 3 November."


def test_a_void_warranty_claims_nothing(tx: WriteTx) -> None:
    defect_id = warranted(tx)
    end_warranty.void(tx, ref_of(tx, defect_id), "resurfaced", "Scheme 2026/114.", NOW)

    triaged(tx, NOW)

    assert tx.scalar(select(func.count()).select_from(recall)) == 0
    assert tx.scalar(select(func.count()).where(defect.c.recurrence_of == defect_id)) == 1


@pytest.mark.parametrize(("reason", "evidence"), [("bored", "none"), ("excavated", "")])
def test_a_warranty_is_not_void_without_a_known_reason_and_evidence(tx: WriteTx, reason: str, evidence: str) -> None:
    defect_id = warranted(tx)

    with pytest.raises(GuardNotMet, match="reason"):
        end_warranty.void(tx, ref_of(tx, defect_id), reason, evidence, NOW)


def test_a_warranty_is_not_made_void_under_an_open_claim(tx: WriteTx) -> None:
    defect_id = warranted(tx)
    triaged(tx, NOW)

    with pytest.raises(Conflict, match="decide its recall first"):
        end_warranty.void(tx, ref_of(tx, defect_id), "excavated", "A trench.", NOW)


def test_a_remedy_within_the_footprint_goes_on_with_the_remaining_term(tx: WriteTx) -> None:
    defect_id = warranted(tx, length_m=1.0, width_m=1.0)
    first = promise_of(tx, defect_id)

    remedied(tx, defect_id, length_m=1.5, width_m=1.0)

    old, new = promises(tx, defect_id)
    assert (old.state, new.state, new.follows) == ("remedied", "active", first.id)
    assert new.ends_on == first.ends_on


def test_a_remedy_near_the_end_of_the_term_is_warranted_for_six_months_at_least(tx: WriteTx) -> None:
    defect_id = warranted(tx)
    today = NOW.astimezone(LONDON).date()
    ending_on(tx, defect_id, today + 3 * DAY)

    remedied(tx, defect_id)

    _, new = promises(tx, defect_id)
    assert timedelta(days=180) <= new.ends_on - new.starts_on <= timedelta(days=184)


def test_a_remedy_larger_than_the_first_repair_is_warranted_anew(tx: WriteTx) -> None:
    defect_id = warranted(tx, length_m=1.0, width_m=1.0)
    ending_on(tx, defect_id, NOW.astimezone(LONDON).date() + 3 * DAY)

    remedied(tx, defect_id, length_m=4.0, width_m=1.0)

    _, new = promises(tx, defect_id)
    assert new.ends_on + DAY == new.starts_on.replace(year=new.starts_on.year + 1)


def remedied(tx: WriteTx, defect_id: int, **more: Any) -> None:
    """The repair fails, is found to be the contractor's, and is done again."""
    triaged(tx, NOW)
    reference = tx.scalar(select(recall.c.reference))
    recall_repair.decide(tx, reference, recall_repair.Decision.ATTRIBUTABLE, "The patch has come out.", NOW)
    an_order(tx, defect_id, now=NOW)
    a_verified_repair(tx, defect_id, NOW + timedelta(hours=3), **more)


def promises(tx: WriteTx, defect_id: int) -> Any:
    return tx.execute(select(warranty).where(warranty.c.defect_id == defect_id).order_by(warranty.c.id)).all()
