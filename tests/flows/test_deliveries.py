"""The record and what hangs on it: append-only events, deliveries that wait, are parked, and never block each other."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from services.workers import consumer
from services.workers.consumer import drain
from shared.domain.events import Consumer, DefectStepped, DetectionsReceived, ReportReceived
from shared.domain.terms import EventId
from shared.store import deliveries, event_log
from shared.store.deliveries import TRIES, Delivery
from shared.store.engine import WriteTx, reading, transaction
from shared.store.tables import delivery, event

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


def a_report_received(report_id: int) -> ReportReceived:
    return ReportReceived(report_id=report_id, class_code="pothole", before=None, after="received")


def waiting(consumer: str) -> list[int]:
    with reading() as tx:
        rows = select(delivery.c.subject_id).where(delivery.c.consumer == consumer).order_by(delivery.c.event_id)
        return list(tx.scalars(rows))


@pytest.mark.parametrize("change", ["UPDATE event SET actor = 'me'", "DELETE FROM event", "TRUNCATE event"])
def test_the_database_itself_refuses_to_change_an_event(tx: WriteTx, change: str) -> None:
    event_log.append(tx, a_report_received(1), NOW)

    with pytest.raises(DBAPIError, match="append-only"):
        tx.execute(text(change))


def test_a_month_s_partition_cannot_be_emptied_either(tx: WriteTx) -> None:
    event_log.append(tx, a_report_received(1), NOW)
    child = tx.scalar(
        text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'event'::regclass LIMIT 1")
    )

    with pytest.raises(DBAPIError, match="append-only"):
        tx.execute(text(f"TRUNCATE {child}"))


def test_an_event_comes_with_one_delivery_for_each_who_listens(tx: WriteTx) -> None:
    ids = event_log.append(tx, [a_report_received(1), a_report_received(2)], NOW)

    rows = tx.execute(select(delivery.c.consumer, delivery.c.event_id, delivery.c.subject_id)).all()

    assert sorted(rows) == [("feed", ids[0], 1), ("feed", ids[1], 2), ("triage", ids[0], 1), ("triage", ids[1], 2)]
    assert tx.woken == {"triage", "feed"}


def test_an_event_keeps_when_it_happened_beside_when_it_was_recorded(tx: WriteTx) -> None:
    earlier = NOW - timedelta(hours=3)

    event_log.append(tx, a_report_received(1), NOW, occurred_at=earlier)

    assert tx.execute(select(event.c.at, event.c.occurred_at)).one() == (NOW, earlier)


def test_a_state_before_and_after_stand_in_columns_of_their_own(tx: WriteTx) -> None:
    event_log.append(tx, DefectStepped(defect_id=4, before="candidate", after="confirmed", why="measured"), NOW)

    said = tx.execute(select(event.c.before, event.c.after, event.c.subject_id, event.c.data)).one()

    assert said == ("candidate", "confirmed", 4, {"why": "measured"})


def test_a_bad_event_is_put_back_with_its_error_and_blocks_no_other(own_db: object) -> None:
    with transaction("test") as tx:
        event_log.append(tx, [a_report_received(number) for number in range(1, 8)], datetime.now(UTC))
    heard: list[int] = []

    def chokes_on_four(_: WriteTx, due: Sequence[Delivery], __: datetime) -> None:
        if any(one.subject_id == 4 for one in due):
            raise ValueError("four")
        heard.extend(one.subject_id for one in due)

    drain(Consumer.TRIAGE, chokes_on_four)

    assert heard == [1, 2, 3, 5, 6, 7]
    assert waiting("triage") == [4]
    with reading() as tx:
        state = select(delivery.c.tries, delivery.c.error, delivery.c.parked_at)
        left = tx.execute(state.where(delivery.c.consumer == "triage")).one()
    # Once, or again where this took longer than the second that it had to wait.
    assert left.tries >= 1
    assert left[1:] == ("ValueError: four", None)


def test_a_flow_that_has_only_begun_goes_on_until_it_is_done(own_db: object) -> None:
    with transaction("test") as tx:
        event_log.append(tx, DetectionsReceived(batch_id=1, accepted=3, repeated=0, refused=0), datetime.now(UTC))
    parts: list[int] = []

    def in_three_parts(_: WriteTx, due: Sequence[Delivery], __: datetime) -> list[EventId]:
        parts.append(len(due))
        return [one.event_id for one in due] if len(parts) < 3 else []

    drain(Consumer.DETECTIONS, in_three_parts)

    assert parts == [1, 1, 1]
    assert waiting("detections") == []


def test_a_drain_gives_way_to_others_and_goes_on_in_its_next_turn(
    own_db: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction("test") as tx:
        for batch_id in (1, 2, 3):
            told = DetectionsReceived(batch_id=batch_id, accepted=3, repeated=0, refused=0)
            event_log.append(tx, told, datetime.now(UTC))
    monkeypatch.setattr(consumer, "GIVES_WAY_SECONDS", 0.0)

    turns = [drain(Consumer.DETECTIONS, lambda *_: None) for _ in range(4)]

    assert turns == [1, 1, 1, 0]
    assert waiting("detections") == []


def test_after_ten_tries_a_delivery_is_parked_until_a_person_retries_it(tx: WriteTx) -> None:
    event_log.append(tx, a_report_received(1), NOW)
    at = NOW

    for tried in range(TRIES):
        (one,) = deliveries.take(tx, "triage", at, 10)
        parked = deliveries.put_back(tx, one, "boom", at)
        assert parked == (tried == TRIES - 1)
        assert deliveries.take(tx, "triage", at, 10) == []
        at += deliveries.wait(tried + 1)

    assert deliveries.take(tx, "triage", at + timedelta(days=1), 10) == []
    assert deliveries.retry(tx, at, consumer="triage") == 1
    assert [one.tries for one in deliveries.take(tx, "triage", at, 10)] == [0]


def test_the_waits_grow_from_a_second_to_ten_minutes() -> None:
    waits = [deliveries.wait(tries).total_seconds() for tries in range(1, 12)]

    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600]


def test_a_flow_that_fails_leaves_nothing_of_its_batch(own_db: object) -> None:
    with transaction("test") as tx:
        event_log.append(tx, a_report_received(1), datetime.now(UTC))

    def half_way(tx: WriteTx, _: Sequence[Delivery], now: datetime) -> None:
        event_log.append(tx, DefectStepped(defect_id=1, before="candidate", after="confirmed", why=""), now)
        raise RuntimeError("half way")

    drain(Consumer.TRIAGE, half_way)

    with reading() as tx:
        assert tx.scalar(select(func.count()).select_from(event).where(event.c.kind == "DefectStepped")) == 0


def test_two_workers_never_take_the_same_delivery(own_db: object) -> None:
    with transaction("test") as tx:
        event_log.append(tx, [a_report_received(number) for number in range(10)], datetime.now(UTC))

    with transaction("one") as one, transaction("two") as two:
        first = deliveries.take(one, "triage", datetime.now(UTC), 6)
        second = deliveries.take(two, "triage", datetime.now(UTC), 6)

    assert [len(first), len(second)] == [6, 4]
    assert not {d.event_id for d in first} & {d.event_id for d in second}
