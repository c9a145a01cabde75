"""A delivery that fails and fails, and nudges that never arrive."""

import time
from datetime import UTC, datetime

import pytest
from sqlalchemy import make_url

from shared.domain.events import DeadlineMissed
from shared.store import event_log
from shared.store.engine import transaction
from tests import databases
from tests.delivery.house import House, a_report, send
from tests.waiting import until

pytestmark = pytest.mark.slow


def test_a_poisoned_report_is_parked_after_ten_tries_blocks_nobody_and_is_driven_again_by_command(
    house: House,
) -> None:
    house.stack.start_redis()
    house.stack.start_api()
    poisoned, *others = [send(house.stack.url, a_report(metres_north=n * 80.0)).json()["reference"] for n in range(30)]
    # A time that no program of ours can read: the whole batch that holds it fails.
    house.tell("UPDATE report SET observed_at = '-infinity' WHERE reference = %s", poisoned)

    house.stack.start_worker()
    house.stack.start_beat()
    done = "SELECT count(*) FROM report WHERE reference = ANY(%s) AND state = 'linked'"
    until(lambda: house.ask(done, others) == 29, 60, "the others to be linked")
    until(lambda: _tried_again(house), 60, "the tenth try")

    assert house.ask("SELECT tries FROM delivery WHERE parked_at IS NOT NULL") == 10
    assert house.ask("SELECT state FROM report WHERE reference = %s", poisoned) == "received"
    assert "too small" in house.command("deliveries", "list").stdout
    assert house.broken() != []

    house.tell("UPDATE report SET observed_at = received_at WHERE reference = %s", poisoned)
    assert house.command("deliveries", "retry").stdout == "1 delivery is due again.\n"
    house.comes_to_rest()

    assert house.ask("SELECT state FROM report WHERE reference = %s", poisoned) == "linked"
    assert house.broken() == []


def _tried_again(house: House) -> bool:
    """Let the wait of the failed one be over at once: ten of them would take a quarter of an hour."""
    house.tell("UPDATE delivery SET due_at = now() WHERE tries > 0 AND parked_at IS NULL AND due_at > now()")
    return bool(house.ask("SELECT count(*) FROM delivery WHERE parked_at IS NOT NULL"))


def test_beat_heals_lost_nudges_within_two_seconds(house: House) -> None:
    house.stack.start_redis()
    house.stack.start_worker()
    house.stack.start_beat()
    times = []

    for _ in range(5):
        with databases.in_force(make_url(house.stack.variables["ROADMEND_DATABASE_URL"])), transaction("test") as tx:
            # Nobody is nudged: the transaction is the only one who knows.
            now = datetime.now(UTC)
            event_log.append(tx, DeadlineMissed(defect_id=1, clock="permanent", due_at=now), now)
        began = time.monotonic()
        house.comes_to_rest(30)
        times.append(time.monotonic() - began)

    assert sorted(times)[2] < 2.0, times
