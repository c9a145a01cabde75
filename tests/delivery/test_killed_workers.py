"""Workers that are killed in the middle of a batch, whichever consumer's it is."""

import pytest

from tests.delivery.house import House, a_report, send
from tests.waiting import until

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("table", ["sighting", "feed_line"])
def test_a_worker_killed_in_mid_batch_loses_and_doubles_nothing(house: House, table: str) -> None:
    house.stack.start_redis()
    house.stack.start_api()
    references = {send(house.stack.url, a_report(metres_north=n % 12 * 80.0)).json()["reference"] for n in range(60)}

    with house.held(table):
        house.stack.start_worker("worker0")
        house.stack.start_beat()
        until(house.waits_for_a_lock, 30, "a worker to stand in the middle of a batch")
        house.stack.kill("worker0")
    house.stack.start_worker("worker1")
    house.comes_to_rest()

    assert len(references) == 60
    assert house.ask("SELECT count(*) FROM report WHERE state = 'linked'") == 60
    assert house.ask("SELECT count(*) FROM sighting") == 60
    assert house.ask("SELECT count(*) FROM defect") == 12
    assert house.ask("SELECT count(*) - count(DISTINCT event_id) FROM feed_line") == 0
    assert house.broken() == []
