"""The report's pages as a program meets them: no page before its time, nothing of one draft for another, limits."""

import secrets
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from services.api import rate
from shared.domain.drafts import HASTE, LINK_TERM, MOST_PHOTOS
from shared.settings import settings
from shared.store.engine import transaction
from tests.factories import PLACE, a_picture

HERE = {"lat": str(PLACE[0]), "lon": str(PLACE[1]), "accuracy": "8"}


@pytest.fixture
def person(api: TestClient) -> Iterator[TestClient]:
    """Somebody who goes from page to page, and is not led on by redirects."""
    api.follow_redirects = False
    yield api
    api.follow_redirects = True


def led_to(person: TestClient, path: str, **form: str) -> str:
    """Where a form leads."""
    answer = person.post(path, data=form)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def at_check(person: TestClient) -> None:
    """Everything is answered; nothing is near."""
    assert led_to(person, "/report", danger="no") == "/report/where"
    assert led_to(person, "/report/where", **HERE) == "/report/what"
    assert led_to(person, "/report/what", kind="pothole") == "/report/photos"
    assert led_to(person, "/report/photos", act="continue") == "/report/check"


def age_drafts() -> None:
    """As if they had been begun a moment ago that a person needs."""
    with transaction("test") as tx:
        tx.raw().execute("UPDATE draft SET made_at = made_at - %s::interval", [HASTE])


@pytest.mark.parametrize("page", ["where", "elsewhere", "nearby", "what", "photos", "check", "same", "done"])
def test_nobody_is_shown_a_page_before_its_time(person: TestClient, page: str) -> None:
    answer = person.get(f"/report/{page}")

    if page == "where":
        assert answer.status_code == 200
    else:
        assert (answer.status_code, answer.headers["location"]) == (303, "/report")


def test_a_place_may_come_before_the_question_of_danger(person: TestClient) -> None:
    assert led_to(person, "/report/where", **HERE) == "/report"
    assert led_to(person, "/report", danger="yes") == "/report/what"


def test_the_drafts_cookie_is_for_the_report_alone_and_for_no_script(person: TestClient) -> None:
    cookie = person.post("/report", data={"danger": "no"}).headers["set-cookie"]

    assert "HttpOnly" in cookie
    assert "Path=/report;" in f"{cookie};"
    assert "samesite=lax" in cookie.lower()
    assert "Max-Age=604800" in cookie


def test_a_report_sent_too_quickly_is_asked_for_again_and_then_taken(person: TestClient) -> None:
    at_check(person)

    quick = person.post("/report/check", data={})
    age_drafts()

    assert quick.status_code == 422
    assert "That was very quick" in quick.text
    assert led_to(person, "/report/check") == "/report/done"
    assert "R-" in person.get("/report/done").text


def test_a_wrong_address_is_told_and_nothing_is_sent(person: TestClient) -> None:
    at_check(person)
    age_drafts()

    answer = person.post("/report/check", data={"email": "sam@", "phone": "12"})

    assert answer.status_code == 422
    assert "Enter an email address in the correct format" in answer.text
    assert "Enter a telephone number" in answer.text
    assert person.get("/report/done").headers["location"] == "/report/check"


def test_a_photo_of_a_draft_is_shown_to_its_writer_alone(person: TestClient) -> None:
    at_check(person)
    files = {"photo": ("a.jpg", a_picture(1), "image/jpeg")}
    assert person.post("/report/photos", data={"act": "add"}, files=files).headers["location"] == "/report/photos"
    address = person.get("/report/photos").text.partition('src="/report/photos/')[2].partition('"')[0]

    mine = person.get(f"/report/photos/{address}")
    person.cookies.clear()
    others = person.get(f"/report/photos/{address}")

    assert (mine.status_code, mine.headers["content-type"]) == (200, "image/jpeg")
    assert mine.headers["cache-control"] == "no-store"
    assert others.status_code == 404


def send_no_photos(person: TestClient, number: int) -> Response:
    """So many files in one form, none of which is a photo."""
    files = [("photo", (f"{n}.jpg", b"no photo", "image/jpeg")) for n in range(number)]
    return person.post("/report/photos", data={"act": "continue"}, files=files)


def test_of_a_form_no_more_photos_are_looked_at_than_a_report_may_have(person: TestClient) -> None:
    at_check(person)

    answer = send_no_photos(person, 3 * MOST_PHOTOS)

    assert answer.status_code == 422
    looked_at = [n for n in range(3 * MOST_PHOTOS) if f"{n}.jpg: This is not a photo" in answer.text]
    assert looked_at == list(range(MOST_PHOTOS))
    assert "You can send up to 5 photos: we have not looked at the others." in answer.text


def test_each_photo_of_a_form_counts(person: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    at_check(person)
    monkeypatch.setenv("ROADMEND_RATE_LIMIT", f"{2 * MOST_PHOTOS - 1}/{secrets.randbelow(100_000) + 1} hour")
    settings.cache_clear()

    said = [send_no_photos(person, MOST_PHOTOS).status_code for _ in range(2)]

    assert said == [422, 429]


def test_once_sent_the_cookie_ends_with_the_browser_and_the_link_is_shown_for_an_hour(person: TestClient) -> None:
    at_check(person)
    age_drafts()

    cookies = [person.post("/report/check").headers["set-cookie"] for _ in range(2)]
    pages = [person.get("/report/done").text for _ in range(2)]
    with transaction("test") as tx:
        tx.raw().execute("UPDATE draft SET updated_at = updated_at - %s::interval", [LINK_TERM])
    later = person.get("/report/done").text

    assert [cookie.startswith("roadmend_draft=") and "Max-Age" not in cookie for cookie in cookies] == [True, True]
    assert all("?token=" in page for page in pages)
    assert "?token=" not in later
    assert "R-" in later


def test_control_characters_in_a_form_do_no_harm(person: TestClient) -> None:
    led_to(person, "/report", danger="no")
    led_to(person, "/report/where", landmark="by\x00 the\x1b mast", **HERE)

    assert led_to(person, "/report/what", kind="pothole", words="deep\x00 hole") == "/report/photos"
    assert "deep hole" in person.get("/report/what").text


def test_a_place_that_cannot_be_is_asked_for_again(person: TestClient) -> None:
    led_to(person, "/report", danger="no")

    for lat, lon in (("91", "0"), ("nan", "0"), ("abc", ""), ("", "")):
        assert person.post("/report/where", data={"lat": lat, "lon": lon}).status_code == 422
    assert "swapped" in person.post("/report/where", data={"lat": str(PLACE[1]), "lon": str(PLACE[0])}).text
    assert person.post("/report/where", data={**HERE, "accuracy": "900"}).status_code == 422


def test_a_form_that_another_site_sends_is_refused(person: TestClient) -> None:
    for headers in ({"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert person.post("/report", data={"danger": "no"}, headers=headers).status_code == 403


def test_one_reporter_is_limited_wherever_the_reports_come_from(
    person: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROADMEND_RATE_LIMIT", "1000/minute")
    settings.cache_clear()
    monkeypatch.setattr("services.api.report_contact.REPORTER_LIMIT", "1/hour")
    rate._counter.cache_clear()
    address = "sam@example.org"

    at_check(person)
    age_drafts()
    assert led_to(person, "/report/check", email=address) == "/report/done"
    at_check(person)
    age_drafts()
    answer = person.post("/report/check", data={"email": address.upper()})

    assert answer.status_code == 429
    assert "text/html" in answer.headers["content-type"]
    assert int(answer.headers["retry-after"]) > 0


def test_a_number_is_one_reporter_however_it_is_typed(person: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROADMEND_RATE_LIMIT", "1000/minute")
    settings.cache_clear()
    monkeypatch.setattr("services.api.report_contact.REPORTER_LIMIT", "1/hour")
    end = f"{secrets.randbelow(1000):03}"

    for typed, status in ((f"07700 900 {end}", 303), (f"+44 (0)7700-900-{end}", 429)):
        at_check(person)
        age_drafts()
        assert person.post("/report/check", data={"phone": typed}).status_code == status


def test_the_worker_and_the_page_without_signal_are_the_same_for_everybody(api: TestClient) -> None:
    worker, page = api.get("/sw.js"), api.get("/report/offline")

    assert worker.headers["content-type"].startswith("text/javascript")
    assert worker.headers["cache-control"] == "no-cache"
    assert "connect-src 'self'" in worker.headers["content-security-policy"]
    assert "import " not in worker.text.partition("\n//")[0][:200]
    assert page.status_code == 200
    assert "set-cookie" not in page.headers
