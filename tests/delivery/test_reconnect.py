"""Workers whose connections are cut, or whose broker was away, go on at once."""

from datetime import UTC, datetime

import psycopg
import pytest
from kombu.exceptions import OperationalError
from sqlalchemy import URL

from services.workers import tasks
from services.workers.app import app
from shared.domain.events import DeadlineMissed
from shared.store import deliveries, event_log, feed
from shared.store.engine import reading, transaction
from tests import databases
from tests.stack import free_port


def test_a_worker_whose_connection_was_cut_hears_what_is_due_at_the_first_nudge(own_db: URL) -> None:
    now = datetime.now(UTC)
    with transaction("test") as tx:
        event_log.append(tx, DeadlineMissed(defect_id=1, clock="permanent", due_at=now), now)
    with psycopg.connect(databases.as_driver(own_db), autocommit=True) as other:
        cut = other.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchone()

    tasks.drain_consumer("feed")

    assert cut is not None
    assert cut[0] > 0
    with reading() as tx:
        assert feed.last_number(tx) == 1
        assert "feed" not in deliveries.due_consumers(tx, datetime.now(UTC))


def test_a_broker_that_is_away_for_long_is_still_tried_every_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kombu.utils.functional.sleep", lambda _: None)
    waits: list[float] = []
    nobody = app.connection_for_read(f"redis://127.0.0.1:{free_port()}/0")

    with pytest.raises(OperationalError):
        nobody.ensure_connection(lambda _, seconds: waits.append(seconds), 20)

    assert len(waits) == 20
    assert max(waits) <= 2
