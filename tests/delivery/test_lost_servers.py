"""Redis and PostgreSQL stop under load, and come back."""

import time
from pathlib import Path

import pytest

from tests.delivery.house import House, Load
from tests.stack import Stack
from tests.waiting import until

pytestmark = pytest.mark.slow

REDIS_AWAY_SECONDS = 60.0


def test_redis_that_stops_under_load_refuses_no_report_and_its_work_is_caught_up(fresh_db: str, tmp_path: Path) -> None:
    # The limit of reports is kept in Redis too: without it, nobody is held up or refused.
    house = House(Stack(tmp_path, fresh_db, rate_limit="100000/minute"))
    house.adopt_policy()
    try:
        house.stack.start_all()
        load = Load(house.stack.url)

        with load.running():
            until(lambda: len(load.accepted) > 20, 30, "some reports with Redis")
            house.stack.kill("redis")
            before, until_then = len(load.accepted), time.monotonic() + REDIS_AWAY_SECONDS
            until(lambda: time.monotonic() > until_then, REDIS_AWAY_SECONDS + 5, "some time without Redis")
            without = len(load.accepted) - before
            house.stack.start_again("redis")
        house.comes_to_rest()

        assert without > 20
        assert load.refused == []
        assert (load.waited, load.lost) == (0, 0)
        assert load.slowest < 5
        assert house.ask("SELECT count(*) FROM report WHERE state = 'linked'") == len(load.accepted)
        assert house.broken() == []
    finally:
        house.stack.stop_all()


def test_postgresql_restarted_under_load_says_come_again_and_keeps_every_report_it_promised(tmp_path: Path) -> None:
    stack = Stack(tmp_path, "to be made")
    try:
        stack.start_postgres()
        stack.migrate()
        house = House(stack)
        house.adopt_policy()
        stack.start_all()
        load = Load(stack.url)

        with load.running():
            until(lambda: len(load.accepted) > 20, 30, "some reports before")
            stack.kill("postgres")
            until(lambda: load.waited + load.lost >= 4, 30, "clients to notice")
            before = len(load.accepted)
            stack.start_again("postgres")
            until(lambda: len(load.accepted) > before + 20, 60, "some reports after")
        house.comes_to_rest()

        assert load.refused == []
        assert load.waited > 0
        promised = list(load.accepted.values())
        assert house.ask("SELECT count(*) FROM report WHERE reference = ANY(%s)", promised) == len(promised)
        assert len(set(promised)) == len(promised)
        assert house.ask("SELECT count(*) FROM report") == house.ask("SELECT count(*) FROM idempotency_key")
        assert house.broken() == []
    finally:
        stack.stop_all()
