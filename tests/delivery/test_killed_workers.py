"""Workers that are killed in the middle of a batch, whichever consumer's it is."""

import pytest

from tests.delivery.house import House, a_report, send, survey
from tests.waiting import until

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("table", "workers"), [("sighting", 2), ("feed_line", 1)])
def test_workers_killed_in_mid_batch_lose_and_double_nothing(house: House, table: str, workers: int) -> None:
    # Those of reports and of detections both write sightings; the feed has one writer at a time.
    house.stack.start_redis()
    house.stack.start_api()
    references = {send(house.stack.url, a_report(metres_north=n % 12 * 80.0)).json()["reference"] for n in range(60)}
    key = house.vendor_key()
    for survey_pass in ("monday", "tuesday"):
        survey(house.stack.url, key, survey_pass, [5_000.0 + n * 80.0 for n in range(12)])

    with house.held(table):
        house.stack.start_worker("worker0")
        house.stack.start_beat()
        until(lambda: house.waiting_for_a_lock() >= workers, 30, "workers to stand in the middle of their batches")
        house.stack.kill("worker0")
    house.stack.start_worker("worker1")
    house.comes_to_rest()

    assert len(references) == 60
    assert house.ask("SELECT count(*) FROM report WHERE state = 'linked'") == 60
    assert house.ask("SELECT count(*) FROM sighting WHERE report_id IS NOT NULL") == 60
    assert house.ask("SELECT count(*) FROM sighting WHERE detection_id IS NOT NULL") == 24
    assert house.ask("SELECT count(*) FROM defect") == 24
    assert house.ask("SELECT count(*) - count(DISTINCT event_id) FROM feed_line") == 0
    assert house.broken() == []
