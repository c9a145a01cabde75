"""Health, metrics and figures, as those who run it ask for them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from shared.domain.kpi import Quarter
from shared.settings import settings
from shared.store import engine as store_engine
from shared.store.engine import transaction
from tests.factories import a_report


def _parts(api: TestClient) -> tuple[int, dict[str, Any]]:
    answer = api.get("/health/ready")
    return answer.status_code, {part["name"]: part for part in answer.json()["parts"]}


def test_a_fit_house_is_alive_and_ready(api: TestClient) -> None:
    assert api.get("/health/live").json() == {"alive": True}
    status, parts = _parts(api)
    assert status == 200
    assert all(part["fit"] for part in parts.values())


def test_without_a_policy_it_is_not_ready_and_says_what_to_do(api: TestClient) -> None:
    with transaction("test") as tx:
        tx.execute(text("DELETE FROM policy_version"))

    status, parts = _parts(api)

    assert status == 503
    assert "roadmend policy adopt" in parts["policy"]["detail"]
    assert parts["database"]["fit"]


def test_an_older_schema_is_not_ready(api: TestClient) -> None:
    with transaction("test") as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '0000'"))

    status, parts = _parts(api)

    assert (status, parts["migrations"]["fit"]) == (503, False)


def test_without_redis_it_is_ready_and_degraded(api: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROADMEND_REDIS_URL", "redis://localhost:1/0")
    settings.cache_clear()

    answer = api.get("/health/ready")

    assert (answer.status_code, answer.json()["degraded"]) == (200, True)


def test_where_photos_cannot_be_written_it_is_not_ready(
    api: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    occupied = tmp_path / "occupied"
    occupied.write_text("a file, not a folder")
    monkeypatch.setenv("ROADMEND_PHOTO_DIR", str(occupied))
    settings.cache_clear()

    status, parts = _parts(api)

    assert (status, parts["photos"]["fit"]) == (503, False)


def test_without_a_database_it_says_so_and_asks_to_come_again(api: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    store_engine.engine().dispose()
    monkeypatch.setenv("ROADMEND_DATABASE_URL", "postgresql+psycopg://nobody@localhost:1/none")
    settings.cache_clear()
    store_engine._engine.cache_clear()
    try:
        answer = api.get("/health/ready")
    finally:
        monkeypatch.undo()
        store_engine._engine.cache_clear()
        settings.cache_clear()

    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert not answer.json()["parts"][0]["fit"]


def test_metrics_count_intake_deliveries_lag_clients_and_missed_clocks(api: TestClient) -> None:
    with transaction("test") as tx:
        a_report(tx)

    told = api.get("/metrics").text

    for line in (
        'roadmend_deliveries_due{consumer="triage"} 1.0',
        'roadmend_deliveries_parked{consumer="feed"} 0.0',
        'roadmend_consumer_lag_seconds{consumer="verify"} 0.0',
        "roadmend_reports_last_hour 1.0",
        'roadmend_reports_awaiting{state="received"} 1.0',
        "roadmend_feed_clients 0.0",
        "roadmend_defects_overdue 0.0",
        "roadmend_database_up 1.0",
        "# TYPE roadmend_clocks_missed_total counter",
    ):
        assert line in told


def test_figures_come_with_their_definitions_and_the_quarter_that_runs(api: TestClient) -> None:
    quarter = Quarter.of(datetime.now(UTC).date()).period

    told = api.get("/api/v1/kpis").json()

    assert (told["from"], told["to"]) == (quarter.first.isoformat(), quarter.last.isoformat())
    names = {one["name"] for one in told["figures"]}
    assert {"rft_30", "rft_90", "rft_365", "recall_rate", "dispute_rate", "first_visit_permanent"} <= names
    assert all(one["definition"].endswith(".") for one in [*told["figures"], *told["counts"], *told["ages"]])
    assert told["frozen"] == []


@pytest.mark.parametrize("days", ["from=2026-12-31&to=2026-01-01", "from=1990-01-01&to=2026-01-01"])
def test_figures_of_impossible_days_are_refused(api: TestClient, days: str) -> None:
    assert api.get(f"/api/v1/kpis?{days}").status_code == 422
