"""A person who reads a page is answered by a page when something is wrong; a program is answered as ever."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

from services.api.main import create_app
from shared.errors import Conflict, Invalid, NotFound, TooMany

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def _page_that_raises(error: Exception) -> TestClient:
    """The application with one page more, which fails in this way."""
    app = create_app()

    def fails(number: int = 1) -> None:
        raise error

    fails.__module__ = "services.api.pages.of_a_test"
    app.get("/fails")(fails)
    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize(
    ("error", "status", "title", "said"),
    [
        (NotFound("No such report."), 404, "Page not found", "If you typed the address"),
        (Conflict("It was withdrawn."), 409, "This has changed in the meantime", "It was withdrawn."),
        (Invalid("The street is missing."), 422, "There is a problem with what was sent", "The street is missing."),
        (TooMany("Come again in 7 seconds.", 7), 429, "Too many requests", "Come again in 7 seconds."),
        (ZeroDivisionError("secret"), 500, "Sorry, there is a problem with the service", "We have recorded"),
        (OperationalError("", {}, Exception("gone")), 503, "Sorry, the service is unavailable", "Nothing was lost."),
    ],
)
def test_a_page_that_fails_is_a_page(error: Exception, status: int, title: str, said: str) -> None:
    answer = _page_that_raises(error).get("/fails")

    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert f"<title>{title} - " in answer.text
    assert said in answer.text
    assert answer.headers["x-correlation-id"] in answer.text
    assert "secret" not in answer.text


def test_a_page_says_to_programs_too_when_to_come_again() -> None:
    assert _page_that_raises(TooMany("Slowly.", 7)).get("/fails").headers["retry-after"] == "7"
    assert int(_page_that_raises(OperationalError("", {}, Exception())).get("/fails").headers["retry-after"]) > 0


def test_what_a_page_cannot_read_of_its_address_is_a_page() -> None:
    answer = _page_that_raises(NotFound("")).get("/fails?number=many")

    assert answer.status_code == 422
    assert "Go back, put it right and send it again." in answer.text
    assert "number" not in answer.text


def test_an_address_that_is_none_is_a_page_for_a_browser_and_a_problem_for_a_program() -> None:
    api = TestClient(create_app())

    assert "<h1" in api.get("/nowhere", headers=BROWSER).text
    assert api.get("/nowhere").json()["type"] == "/problems/not-found"
    assert api.get("/api/v1/nowhere", headers=BROWSER).json()["type"] == "/problems/not-found"


def test_the_api_answers_a_browser_as_it_answers_all(api: TestClient) -> None:
    answer = api.get("/api/v1/reports/R-0000-0000", headers=BROWSER)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
