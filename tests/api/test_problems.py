"""Errors are problem details, whoever raises them: we, the framework, the database, or a mistake of ours."""

import secrets
from datetime import UTC, datetime

import psycopg
import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from services.api.main import create_app
from shared.errors import Conflict, Refusal
from shared.settings import settings
from tests.api.conftest import MakeKey


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not-found"),
        ("DELETE", "/api/v1/reports", 405, "method-not-allowed"),
        ("GET", "/api/v1/people", 401, "sign-in-needed"),
        ("POST", "/api/v1/reports", 415, "unsupported-media-type"),
        ("POST", "/api/v1/sign-in", 422, "invalid-input"),
        ("GET", "/api/v1/reports/R-0000-0000", 404, "not-found"),
        ("GET", "/api/v1/defects?limit=0", 422, "invalid-input"),
    ],
)
def test_every_error_is_a_problem(api: TestClient, method: str, path: str, status: int, code: str) -> None:
    answer = api.request(method, path)

    problem = answer.json()
    assert answer.status_code == problem["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["type"] == f"/problems/{code}"
    assert code in api.get(problem["type"]).text
    assert problem["title"]
    assert problem["detail"]
    assert problem["correlation"] == answer.headers["x-correlation-id"]


def test_the_type_of_a_problem_leads_to_what_it_means(api: TestClient) -> None:
    led = api.get(api.get("/api/v1/reports/R-0000-0000").json()["type"])

    assert led.status_code == 200
    assert "No such thing" in led.text


def test_a_method_that_is_not_taken_is_told_with_those_that_are(api: TestClient) -> None:
    assert api.delete("/api/v1/defects").headers["allow"] == "GET"


def test_credentials_that_nobody_has_are_refused_and_not_taken_for_the_public(api: TestClient) -> None:
    for told in ("Bearer rmk_12345678_made-up", "Bearer something", "Basic YTpi", "Bearer "):
        assert api.get("/api/v1/me", headers={"Authorization": told}).status_code == 401


@pytest.mark.parametrize("told", ["a b", "x" * 65, "short", "drop;table", "ünïcode-it-is"])
def test_a_correlation_id_that_a_log_should_not_hold_is_replaced(api: TestClient, told: str) -> None:
    answer = api.get("/api/v1/me", headers={"X-Correlation-ID": told.encode()})

    assert answer.headers["x-correlation-id"] != told
    assert len(answer.headers["x-correlation-id"]) == 32


def _that_raises(error: Exception) -> TestClient:
    """The application with one route more, which fails in this way."""
    app = create_app()

    @app.get("/fails")
    def fails() -> None:
        raise error

    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize("lost", [OperationalError("", {}, Exception("gone")), PoolTimeout("no connection is free")])
def test_a_lost_database_is_a_503_that_says_when_to_come_again(lost: Exception) -> None:
    answer = _that_raises(lost).get("/fails")

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["type"] == "/problems/unavailable"


@pytest.mark.parametrize("unfit", [DataError("", {}, Exception("NUL")), psycopg.DataError("NUL")])
def test_a_value_that_the_database_cannot_hold_is_the_askers_mistake(unfit: Exception) -> None:
    answer = _that_raises(unfit).get("/fails")

    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/invalid-input"


def test_a_method_that_is_not_taken_is_told_with_those_of_all_routes_of_the_address(api: TestClient) -> None:
    assert api.put("/api/v1/people").headers["allow"] == "GET, POST"
    assert api.put("/api/v1/works-orders/accept").headers["allow"] == "POST"


@pytest.mark.parametrize("told", [0, "0", "2026", "1764155232", "01/02/2026"])
def test_a_number_is_not_taken_for_a_time(api: TestClient, told: object) -> None:
    body = {"category": "pothole", "location": {"lat": 53.7632, "lon": -2.7031}, "observed_at": told}

    assert [one["field"] for one in api.post("/api/v1/reports", json=body).json()["errors"]] == ["observed_at"]
    assert api.get(f"/api/v1/defects?updated_since={told}").status_code == 422


def test_a_mistake_of_ours_is_a_500_that_tells_nothing_but_its_id(capfd: pytest.CaptureFixture[str]) -> None:
    answer = _that_raises(ZeroDivisionError("secret of the house")).get(
        "/fails", headers={"X-Correlation-ID": "of-this-mistake"}
    )

    assert answer.status_code == 500
    assert answer.json()["correlation"] == "of-this-mistake"
    assert "secret" not in answer.text


def test_the_status_of_a_refusal_is_that_of_the_kind_it_belongs_to() -> None:
    class OurOwn(Conflict):
        """A refusal of some flow."""

        code = "our-own"

    class Plain(Refusal):
        """One of no kind."""

        code = "plain"

    assert _that_raises(OurOwn("no")).get("/fails").status_code == 409
    assert _that_raises(Plain("no")).get("/fails").status_code == 409


def test_limits_count_each_address_and_say_when_to_come_again(api: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    hours = secrets.randbelow(100_000) + 1
    monkeypatch.setenv("ROADMEND_RATE_LIMIT", f"3/{hours} hour")
    settings.cache_clear()
    body = {"category": "pothole", "location": {"lat": 53.7632, "lon": -2.7031}}

    answers = [api.post("/api/v1/reports", json=body) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [201, 201, 201, 429]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 3600 * hours
    assert answers[-1].json()["type"] == "/problems/too-many-requests"


def test_with_redis_away_a_report_is_taken_at_once_and_limits_still_hold(
    api: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROADMEND_RATE_LIMIT", "3/hour")
    monkeypatch.setenv("ROADMEND_REDIS_URL", "redis://127.0.0.1:1/0")
    settings.cache_clear()
    body = {"category": "pothole", "location": {"lat": 53.7632, "lon": -2.7031}}
    began = datetime.now(UTC)

    answers = [api.post("/api/v1/reports", json=body) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [201, 201, 201, 429]
    assert (datetime.now(UTC) - began).total_seconds() < 2


def test_the_status_page_tells_what_this_is_and_how_its_parts_are(api: TestClient, a_key: MakeKey) -> None:
    del a_key
    answer = api.get("/status")

    assert answer.status_code == 200
    assert "Reports received" in answer.text
    assert "Lancashire County Council" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_the_pages_for_programmers_need_nothing_from_elsewhere(api: TestClient) -> None:
    for path in ("/api/docs", "/problems"):
        answer = api.get(path)
        assert answer.status_code == 200
        assert "//" not in answer.text.replace("http://testserver", "")
    assert "/api/v1/reports" in api.get("/api/docs").text
