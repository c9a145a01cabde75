"""The published figures, computed from the record: each thing counts once, and as it stood."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from shared.domain.events import DefectGraded, DefectMadeSafe, DefectStepped, RepairClaimed, RepairRejected
from shared.domain.kpi import Period
from shared.flows import recall_repair
from shared.flows.freeze_quarters import differences
from shared.flows.recall_repair import Decision
from shared.store import event_log, policies
from shared.store.engine import WriteTx
from shared.store.read_models import kpis
from shared.store.tables import recall
from tests.factories import a_defect, a_verified_repair, adopt_default_policy, an_order, triaged

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONTHS = Period((NOW - 40 * DAY).date().replace(day=1), (NOW + 70 * DAY).date().replace(day=1) - DAY)
"""Whole months around now."""


@pytest.fixture(autouse=True)
def _policy(tx: WriteTx) -> None:
    adopt_default_policy(tx)


def _published(tx: WriteTx, as_of: datetime = NOW + DAY) -> dict[str, Any]:
    return kpis.published(tx, MONTHS, as_of, policies.in_force(tx, NOW))


def _figure(told: dict[str, Any], name: str) -> tuple[int, int]:
    return next(((one["counted"], one["of"]) for one in told["figures"] if one["name"] == name), (0, 0))


def _graded(tx: WriteTx, number: int, at: datetime, *, safe: datetime | None, mended: datetime | None) -> None:
    told = DefectGraded(
        defect_id=number,
        band="P2",
        was=None,
        why=(),
        make_safe_due=safe and safe.isoformat(),
        permanent_due=mended and mended.isoformat(),
    )
    event_log.append(tx, told, at)


def test_a_repair_that_failed_in_its_footprint_is_recalled_and_not_right_first_time(tx: WriteTx) -> None:
    for northing in (430_000.0, 430_200.0):
        number = a_defect(tx, northing=northing, known_at=NOW - 2 * DAY, street_key=f"street {northing}")
        an_order(tx, number, now=NOW - DAY)
        if northing == 430_000.0:
            a_verified_repair(tx, number, NOW, length_m=1.2, width_m=0.8)
    triaged(tx, NOW + HOUR, street_key="street 430000.0")
    recalled = tx.scalar(select(recall.c.reference))
    recall_repair.decide(WriteTx(tx.connection, "person:9"), recalled, Decision.ATTRIBUTABLE, "Out again.", NOW + HOUR)

    told = _published(tx, NOW + 400 * DAY)

    assert _figure(told, "recall_rate") == (1, 1)
    assert _figure(told, "rft_30") == (0, 1)
    assert _figure(told, "first_visit_permanent") == (1, 1)
    assert _figure(told, "dispute_rate") == (0, 1)
    assert told["contractors"].keys() == {"alder"}


def test_a_failure_seen_after_the_day_of_the_figures_does_not_count_in_them(tx: WriteTx) -> None:
    number = a_defect(tx, known_at=NOW - 2 * DAY)
    an_order(tx, number, now=NOW - DAY)
    a_verified_repair(tx, number, NOW, length_m=1.2, width_m=0.8)
    triaged(tx, NOW + 2 * DAY)
    recalled = tx.scalar(select(recall.c.reference))
    recall_repair.decide(WriteTx(tx.connection, "person:9"), recalled, Decision.ATTRIBUTABLE, "Out.", NOW + 2 * DAY)

    assert _figure(_published(tx, NOW + DAY), "recall_rate") == (0, 1)
    assert _figure(_published(tx, NOW + 3 * DAY), "recall_rate") == (1, 1)


def test_a_clock_that_was_set_anew_counts_once_as_it_was_last_set(tx: WriteTx) -> None:
    number = a_defect(tx, state="ordered")
    _graded(tx, number, NOW - 5 * HOUR, safe=None, mended=NOW - 4 * HOUR)
    _graded(tx, number, NOW - 3 * HOUR, safe=None, mended=NOW + 4 * HOUR)
    event_log.append(tx, RepairClaimed(defect_id=number, before="ordered", after="repair_claimed", visit_id=1), NOW)

    assert _figure(_published(tx), "in_time_permanent_P2") == (1, 1)


def test_a_claim_that_was_rejected_has_not_met_the_clock(tx: WriteTx) -> None:
    number = a_defect(tx, state="ordered")
    _graded(tx, number, NOW - 5 * HOUR, safe=None, mended=NOW - HOUR)
    said = [
        RepairClaimed(defect_id=number, before="ordered", after="repair_claimed", visit_id=1),
        RepairRejected(
            defect_id=number, before="repair_claimed", after="repair_rejected", works_order_id=1, why="Sunken."
        ),
    ]
    event_log.append(tx, said, NOW - 2 * HOUR)

    assert _figure(_published(tx), "in_time_permanent_P2") == (0, 1)


def test_made_safe_meets_its_own_clock_and_not_the_permanent_one(tx: WriteTx) -> None:
    number = a_defect(tx, state="ordered")
    _graded(tx, number, NOW - 5 * HOUR, safe=NOW - HOUR, mended=NOW - HOUR)
    event_log.append(
        tx, DefectMadeSafe(defect_id=number, before="ordered", after="made_safe", visit_id=1), NOW - 2 * HOUR
    )
    _graded(tx, number, NOW - HOUR, safe=NOW - HOUR, mended=NOW - HOUR)

    told = _published(tx)

    assert _figure(told, "in_time_make_safe_P2") == (1, 1)
    assert _figure(told, "in_time_permanent_P2") == (0, 1)
    assert next(one["count"] for one in told["ages"] if one["name"] == "make_safe_ageing") == 1


def test_what_turned_out_to_be_no_defect_has_no_clock(tx: WriteTx) -> None:
    number = a_defect(tx)
    _graded(tx, number, NOW - 5 * HOUR, safe=None, mended=NOW - HOUR)
    gone = DefectStepped(defect_id=number, before="confirmed", after="no_defect", why="Nothing there.")
    event_log.append(tx, gone, NOW - 2 * HOUR)

    assert _figure(_published(tx), "in_time_permanent_P2") == (0, 0)


def test_the_backlog_is_that_of_the_moment_whatever_came_later(tx: WriteTx) -> None:
    number = a_defect(tx)
    _graded(tx, number, NOW, safe=None, mended=NOW + HOUR)
    event_log.append(
        tx, DefectStepped(defect_id=number, before="confirmed", after="no_defect", why="Gone."), NOW + 3 * DAY
    )

    assert _figure(_published(tx, NOW + 2 * HOUR), "backlog_P2") == (1, 1)
    assert _figure(_published(tx, NOW + 4 * DAY), "backlog_P2") == (0, 0)


def test_the_same_figures_computed_again_are_the_same(tx: WriteTx) -> None:
    number = a_defect(tx, known_at=NOW - 2 * DAY)
    an_order(tx, number, now=NOW - DAY)
    first = _published(tx)

    assert _published(tx) == first
    assert differences(first, _published(tx)) == []


def test_a_difference_is_told_in_a_phrase(tx: WriteTx) -> None:
    before = _published(tx)
    number = a_defect(tx, known_at=NOW - 2 * DAY)
    an_order(tx, number, now=NOW - DAY)
    a_verified_repair(tx, number, NOW, length_m=1.2, width_m=0.8)

    told = differences(before, _published(tx))

    assert "recall_rate was 0 of 0, is 0 of 1" in told
    assert "repairs_counted was 0, is 1" in told
