"""The live feed's record: numbers in commit order, no gap, a chain of hashes, and less for the public."""

import threading
from datetime import UTC, datetime

from sqlalchemy import func, select, text

from shared.domain.audience import Audience, may_see, redacted
from shared.domain.events import DefectStepped, OrderStepped
from shared.domain.terms import Role
from shared.flows import manage_access
from shared.store import deliveries, event_log, feed
from shared.store.engine import WriteTx, reading, transaction
from shared.store.tables import contractor, delivery, feed_line
from tests.factories import adopt_default_policy

NOW = datetime(2026, 11, 2, 9, 30, 0, 123456, tzinfo=UTC)
STAFF = Audience(staff=True)
PUBLIC = Audience()


def a_step(defect_id: int, why: str = "looked at it") -> DefectStepped:
    return DefectStepped(defect_id=defect_id, before="candidate", after="confirmed", why=why)


def projected(tx: WriteTx) -> int:
    due = deliveries.take(tx, "feed", NOW, 1000)
    lines = feed.project(tx, due)
    deliveries.done(tx, due)
    return lines


def test_each_event_gets_one_line_in_its_order(tx: WriteTx) -> None:
    event_log.append(tx, [a_step(1), a_step(2), a_step(3)], NOW)

    assert projected(tx) == 3

    assert [line.body["reference"] for line in feed.lines_after(tx, 0, 10)] == ["defect 1", "defect 2", "defect 3"]
    assert [line.number for line in feed.lines_after(tx, 1, 10)] == [2, 3]


def test_a_repeated_delivery_gives_no_second_line(tx: WriteTx) -> None:
    event_log.append(tx, a_step(1), NOW)
    due = deliveries.take(tx, "feed", NOW, 10)
    feed.project(tx, due)

    assert feed.project(tx, due) == 0

    assert feed.last_number(tx) == 1


def test_each_line_carries_the_hash_of_the_one_before(tx: WriteTx) -> None:
    event_log.append(tx, [a_step(1), a_step(2)], NOW)
    projected(tx)

    first, second = feed.lines_after(tx, 0, 10)

    assert first.hash_before == feed.GENESIS.hex()
    assert second.hash_before == first.hash
    assert feed.lines_after(tx, 1, 10)[0].hash_before == first.hash
    assert feed.first_broken_link(tx) is None


def test_an_edited_line_is_found(tx: WriteTx) -> None:
    event_log.append(tx, [a_step(1), a_step(2), a_step(3)], NOW)
    projected(tx)

    tx.execute(text("UPDATE feed_line SET body = jsonb_set(body, '{after}', '\"closed\"') WHERE number = 2"))

    assert feed.first_broken_link(tx) == 2


def test_a_line_taken_out_is_found(tx: WriteTx) -> None:
    event_log.append(tx, [a_step(1), a_step(2), a_step(3)], NOW)
    projected(tx)

    tx.execute(text("DELETE FROM feed_line WHERE number = 2"))

    assert feed.first_broken_link(tx) == 3


def test_the_public_gets_the_status_and_not_the_reasons(tx: WriteTx) -> None:
    event_log.append(tx, a_step(1, "the caller at number 7 was rude"), NOW)
    projected(tx)
    (line,) = feed.lines_after(tx, 0, 10)

    for_staff, for_public = redacted(line, STAFF), redacted(line, PUBLIC)

    assert for_staff["facts"]["why"] == "the caller at number 7 was rude"
    assert for_public["status"] == "Investigating"
    assert not {"facts", "actor", "before", "after", "band"} & set(for_public)


def test_a_contractor_sees_its_own_orders_only(tx: WriteTx) -> None:
    mine = OrderStepped(works_order_id=1, contractor_id=5, before="issued", after="accepted")
    event_log.append(tx, [mine, a_step(1)], NOW)
    projected(tx)
    order, defect = feed.lines_after(tx, 0, 10)

    assert may_see(order, Audience(contractor_id=5))
    assert not may_see(order, Audience(contractor_id=6))
    assert not may_see(defect, Audience(contractor_id=5))
    assert not may_see(order, PUBLIC)


def test_a_contractor_is_told_which_side_acted_and_not_who(tx: WriteTx) -> None:
    adopt_default_policy(tx)
    ours, others, staff = (
        f"key:{manage_access.make_key(tx, 'A key', role, ['*'], NOW, contractor=code).id}"
        for role, code in ((Role.CONTRACTOR, "alder"), (Role.CONTRACTOR, "birch"), (Role.OPERATOR, None))
    )
    alder = tx.scalar(select(contractor.c.id).where(contractor.c.code == "alder"))
    step = OrderStepped(works_order_id=1, contractor_id=alder, before="issued", after="accepted")
    for actor in (ours, others, staff, "person:7", "worker:assign"):
        event_log.append(WriteTx(tx.connection, actor), step, NOW)
    projected(tx)

    lines = [line for line in feed.lines_after(tx, 0, 10) if line.kind == "OrderStepped"]

    told = [redacted(line, Audience(contractor_id=alder)) for line in lines]
    assert [one["actor"] for one in told] == ["us", "council", "council", "council", "worker:assign"]
    assert not any("by_contractor" in one for one in told)
    assert redacted(lines[0], STAFF)["actor"] == ours


def project_some() -> None:
    with transaction("test") as tx:
        due = deliveries.take(tx, "feed", datetime.now(UTC), 10)
        feed.project(tx, due)
        deliveries.done(tx, due)


def left() -> int:
    with reading() as tx:
        return int(tx.scalar(select(func.count()).select_from(delivery).where(delivery.c.consumer == "feed")))


def test_a_reader_never_finds_a_smaller_number_later(own_db: object) -> None:
    """Eight writers project at once while a reader looks: what it has read never changes."""
    writers, each = 8, 25
    seen: list[int] = []
    done = threading.Event()

    def write(start: int) -> None:
        for at in range(each):
            with transaction("test") as tx:
                event_log.append(tx, a_step(start * each + at), datetime.now(UTC))
            project_some()

    def read() -> None:
        while not done.is_set() or len(seen) < writers * each:
            with reading() as tx:
                seen.extend(line.number for line in feed.lines_after(tx, seen[-1] if seen else 0, 50))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    threads = [threading.Thread(target=write, args=(start,)) for start in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while left():
        project_some()
    done.set()
    reader.join(timeout=30)

    assert seen == list(range(1, writers * each + 1))
    with reading() as tx:
        assert list(tx.scalars(select(feed_line.c.number).order_by(feed_line.c.number))) == seen
        assert feed.first_broken_link(tx) is None
