"""Pages of reports and defects over HTTP: who sees what, what stays out of caches and addresses, what is done."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import select, update

from shared.domain.events import Consumer
from shared.domain.terms import Role
from shared.flows import decide_report, grade_defects, report_to_defect
from shared.store.engine import WriteTx, reading, transaction
from shared.store.tables import contact, defect, event, report, report_note
from tests.api.conftest import ORIGIN, MakeKey
from tests.factories import a_picture, hear

LAT, LON = 53.7632, -2.7031
OTHER_SITE = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}


@pytest.fixture
def sent(api: TestClient) -> dict[str, Any]:
    """A report as its reporter was told of it, followed by e-mail."""
    return _sent(api)


def _sent(api: TestClient, **more: Any) -> dict[str, Any]:
    body = {
        "category": "pothole",
        "location": {"lat": LAT, "lon": LON, "accuracy_m": 8},
        "description": "By the kerb, AB12 CDE hit it",
        "contact": {"name": "Sam Lee", "email": "sam@example.org"},
    }
    return dict(api.post("/api/v1/reports", json=body | more).json())


def _open(api: TestClient, told: dict[str, Any]) -> Response:
    """Follow the tracking link, as a browser does."""
    return api.get(told["tracking"]["link"], follow_redirects=True)


def _matched() -> None:
    with transaction("worker:triage") as tx:
        hear(tx, Consumer.TRIAGE, report_to_defect.run, datetime.now(UTC))
        hear(tx, Consumer.GRADE, grade_defects.run, datetime.now(UTC))


def _act(api: TestClient, told: dict[str, Any], act: str, **more: Any) -> Response:
    return api.post(f"/reports/{told['reference']}/{act}", follow_redirects=False, **more)


def _decide(told: dict[str, Any], how: Any) -> None:
    with transaction("person:7") as tx:
        how(tx, told["reference"])


# --- who sees what ---------------------------------------------------------------------------------------------------


def test_the_secret_of_a_tracking_link_goes_into_a_cookie_of_that_page_and_out_of_the_address(
    api: TestClient, sent: dict[str, Any]
) -> None:
    answer = api.get(sent["tracking"]["link"], follow_redirects=False)

    assert answer.status_code == 303
    assert answer.headers["location"] == f"/reports/{sent['reference']}"
    cookie = answer.headers["set-cookie"]
    assert f"Path=/reports/{sent['reference']}" in cookie
    assert {"HttpOnly", "SameSite=lax"} <= set(cookie.split("; "))
    assert "Max-Age" not in cookie


def test_anybody_sees_the_words_without_what_is_personal_and_a_cache_may_keep_them(
    api: TestClient, sent: dict[str, Any]
) -> None:
    answer = api.get(f"/reports/{sent['reference']}")

    assert answer.status_code == 200
    assert "By the kerb, [hidden] hit it" in answer.text
    assert "sam@example.org" not in answer.text
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert answer.headers["vary"] == "Cookie"


def test_the_reporter_sees_what_was_typed_and_no_cache_keeps_it(api: TestClient, sent: dict[str, Any]) -> None:
    answer = _open(api, sent)

    assert "AB12 CDE" in answer.text
    assert "Withdraw this report" in answer.text
    assert answer.headers["cache-control"] == "private, no-store"


def test_a_wrong_link_shows_what_everybody_sees_and_says_so(api: TestClient, sent: dict[str, Any]) -> None:
    wrong = api.get(f"/reports/{sent['reference']}?token={'x' * 32}", follow_redirects=False)

    assert "set-cookie" not in wrong.headers
    assert "does not open the report for you" in api.get(wrong.headers["location"]).text


def test_one_reports_link_opens_no_other(api: TestClient, sent: dict[str, Any]) -> None:
    another = _sent(api, description="another")

    api.get(f"/reports/{another['reference']}?token={sent['tracking']['secret']}", follow_redirects=True)
    api.cookies.set("roadmend_report", sent["tracking"]["secret"])

    assert _act(api, another, "withdraw").headers["location"].endswith("?done=link")
    with reading() as tx:
        assert set(tx.scalars(select(report.c.state))) == {"received"}


def test_closing_the_report_takes_the_cookie_away(api: TestClient, sent: dict[str, Any]) -> None:
    _open(api, sent)

    _act(api, sent, "leave")

    assert "Withdraw this report" not in api.get(f"/reports/{sent['reference']}").text


@pytest.mark.parametrize("act", ["withdraw", "forget", "stop", "tell", "not-fixed", "answer"])
def test_nothing_is_done_without_the_link_nor_for_another_site(api: TestClient, sent: dict[str, Any], act: str) -> None:
    form = {"data": {"words": "It is still there"}}

    public = _act(api, sent, act, **form)
    _open(api, sent)
    crossed = _act(api, sent, act, headers=OTHER_SITE, **form)

    assert public.headers["location"].endswith("?done=link")
    assert crossed.status_code == 403
    with reading() as tx:
        assert tx.scalar(select(report.c.state)) == "received"
        assert tx.scalar(select(contact.c.email)) == "sam@example.org"
        assert tx.scalar(select(contact.c.unfollowed_at)) is None


def test_an_unknown_report_is_a_page_that_says_so(api: TestClient) -> None:
    answer = api.get("/reports/R-0000-0000", headers={"Accept": "text/html"})

    assert answer.status_code == 404
    assert "Page not found" in answer.text


@pytest.mark.parametrize("typed", ["{}", " {} ", "r{half}", "{half}"])
def test_a_report_is_found_as_its_reference_is_typed(api: TestClient, sent: dict[str, Any], typed: str) -> None:
    half = sent["reference"].removeprefix("R-").replace("-", " ").lower()

    answer = api.get("/find", params={"reference": typed.format(sent["reference"], half=half)}, follow_redirects=False)

    assert answer.headers["location"] == f"/reports/{sent['reference']}"


def test_a_reference_that_is_none_is_asked_for_again(api: TestClient) -> None:
    assert "Enter the reference" in api.get("/find?reference=").text
    assert api.get("/find?reference=R-0000-0000").status_code == 404


# --- what the reporter does ------------------------------------------------------------------------------------------


def test_a_question_is_answered_on_the_page(api: TestClient, sent: dict[str, Any]) -> None:
    _decide(sent, lambda tx, known: decide_report.ask(tx, known, "Which lane is it in?", datetime.now(UTC)))

    asked = _open(api, sent)
    form = api.get(f"/reports/{sent['reference']}/answer")
    empty = _act(api, sent, "answer", data={"words": " "})
    done = _act(api, sent, "answer", data={"words": "The left one"})

    assert "Which lane is it in?" in asked.text
    assert "Which lane is it in?" in form.text
    assert empty.status_code == 422
    assert "<title>Error: " in empty.text
    assert done.headers["location"].endswith("?done=answered")
    with reading() as tx:
        assert tx.scalar(select(report.c.state)) == "triage"


def test_what_was_not_fixed_is_told_with_a_photo(api: TestClient, sent: dict[str, Any]) -> None:
    _decide(sent, lambda tx, known: decide_report.find_nothing(tx, known, "No hole.", "Walked it.", datetime.now(UTC)))

    page = _open(api, sent)
    done = _act(api, sent, "not-fixed", data={"words": "Look again"}, files={"photo": ("a.jpg", a_picture(1))})
    after = api.get(done.headers["location"])

    assert "This was not fixed" in page.text
    assert "No hole. (Walked it.)" in page.text
    assert "We are looking at it again" in after.text
    assert "Look again" in after.text
    assert re.search(rf"/reports/{sent['reference']}/photos/\w+", after.text)
    with reading() as tx:
        assert tx.scalar(select(report.c.state)) == "triage"
        assert set(tx.scalars(select(report_note.c.kind))) == {"challenge"}


@pytest.mark.parametrize(
    ("words", "photo", "says"),
    [("", None, "Tell us what is still wrong"), ("Look", b"not a picture", "photo"), ("x" * 4001, None, "4,000")],
)
def test_a_challenge_that_lacks_something_keeps_what_was_typed(
    api: TestClient, sent: dict[str, Any], words: str, photo: bytes | None, says: str
) -> None:
    _decide(sent, lambda tx, known: decide_report.refer(tx, known, "National Highways", "Theirs.", datetime.now(UTC)))
    _open(api, sent)

    files = {"photo": ("a.jpg", photo)} if photo else None
    answer = _act(api, sent, "not-fixed", data={"words": words}, files=files)

    assert answer.status_code == 422
    assert says in answer.text
    assert words in answer.text
    with reading() as tx:
        assert tx.scalar(select(report.c.state)) == "referred"


def test_after_28_days_nothing_is_challenged(api: TestClient, sent: dict[str, Any]) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=29)
    _decide(sent, lambda tx, known: decide_report.refer(tx, known, "National Highways", "Theirs.", long_ago))

    page = _open(api, sent)
    answer = _act(api, sent, "not-fixed", data={"words": "Still there"})

    assert "This was not fixed" not in page.text
    assert answer.status_code == 409


def test_withdrawing_hides_the_words_and_offers_nothing_more(api: TestClient, sent: dict[str, Any]) -> None:
    _open(api, sent)

    after = api.get(_act(api, sent, "withdraw").headers["location"])

    assert "You have withdrawn your report" in after.text
    assert "/withdraw" not in after.text
    api.cookies.clear()
    assert "By the kerb" not in api.get(f"/reports/{sent['reference']}").text


def test_messages_stop_and_begin_again(api: TestClient, sent: dict[str, Any]) -> None:
    _open(api, sent)

    stopped = api.get(_act(api, sent, "stop").headers["location"])
    with reading() as tx:
        assert tx.scalar(select(contact.c.unfollowed_at)) is not None
    again = api.get(_act(api, sent, "tell").headers["location"])

    assert "Write to me again" in stopped.text
    assert "Stop writing to me" in again.text


def test_contact_details_are_deleted_at_once_and_the_report_stays(api: TestClient, sent: dict[str, Any]) -> None:
    _open(api, sent)

    after = api.get(_act(api, sent, "forget").headers["location"])

    assert "We have deleted your contact details" in after.text
    assert "Delete my contact details" not in after.text
    assert "AB12 CDE" in after.text
    with reading() as tx:
        assert tx.scalar(select(contact.c.report_id)) is None
        assert "ContactForgotten" in set(tx.scalars(select(event.c.kind)))


def test_a_page_that_asks_is_not_shown_where_nothing_can_be_done(api: TestClient, sent: dict[str, Any]) -> None:
    _open(api, sent)

    answer = api.get(f"/reports/{sent['reference']}/not-fixed", follow_redirects=False)

    assert answer.headers["location"] == f"/reports/{sent['reference']}"


# --- a defect --------------------------------------------------------------------------------------------------------


def _defect_of(api: TestClient, told: dict[str, Any]) -> str:
    _matched()
    return str(api.get(f"/api/v1/reports/{told['reference']}").json()["defects"][0])


def test_a_defect_has_a_page_of_its_own_with_the_date_that_was_promised(api: TestClient, sent: dict[str, Any]) -> None:
    reference = _defect_of(api, sent)

    page = api.get(f"/defects/{reference}")

    assert "Investigating" in page.text
    assert "Somebody will look at it by this date." in page.text
    assert page.headers["cache-control"] == "public, max-age=60"


def test_no_further_action_says_what_was_measured_the_level_and_the_next_look(
    api: TestClient, sent: dict[str, Any], a_key: MakeKey
) -> None:
    reference = _defect_of(api, sent)
    found = {"decision": "monitor", "why": "Below the level.", "depth_mm": 25, "width_mm": 120}
    headers = a_key(Role.SUPERVISOR).headers

    answer = api.post(f"/api/v1/defects/{reference}/assess", json=found, headers=headers)
    page = api.get(f"/defects/{reference}").text

    assert answer.status_code == 200, answer.text
    assert "No further action" in page
    assert "25 mm deep and 120 mm wide" in page
    assert "at least 40 mm deep and 150 mm wide" in page
    assert "We will look at it again by" in page


def test_a_duplicate_leads_to_its_original_and_tells_its_news(
    api: TestClient, sent: dict[str, Any], a_key: MakeKey
) -> None:
    original = _defect_of(api, sent)
    other = _sent(api, location={"lat": LAT + 0.004, "lon": LON, "accuracy_m": 8})
    duplicate = _defect_of(api, other)
    headers = a_key(Role.SUPERVISOR).headers
    api.post(f"/api/v1/defects/{duplicate}/merge", json={"into": original, "why": "One hole."}, headers=headers)
    finding = {"decision": "confirm", "why": "Measured.", "depth_mm": 60, "width_mm": 300}

    api.post(f"/api/v1/defects/{original}/assess", json=finding, headers=headers)

    page = api.get(f"/defects/{duplicate}").text
    assert f"/defects/{original}" in page
    assert "We will mend it by this date." in page
    assert "We will mend it by this date." in api.get(f"/reports/{other['reference']}").text


def test_following_a_defect_answers_alike_whoever_asks(api: TestClient, sent: dict[str, Any]) -> None:
    reference = _defect_of(api, sent)

    first = api.post(f"/defects/{reference}/follow", data={"email": "kim@example.org"}, follow_redirects=False)
    second = api.post(f"/defects/{reference}/follow", data={"email": "kim@example.org"}, follow_redirects=False)
    wrong = api.post(f"/defects/{reference}/follow", data={"email": "nobody"}, follow_redirects=False)
    crossed = api.post(f"/defects/{reference}/follow", data={"email": "kim@example.org"}, headers=OTHER_SITE)

    assert first.headers["location"] == second.headers["location"] == f"/defects/{reference}?done=follow"
    assert wrong.status_code == 422
    assert "correct format" in wrong.text
    assert crossed.status_code == 403
    assert "Check your e-mail" in api.get(first.headers["location"]).text


def test_what_came_again_at_a_place_leads_both_ways(api: TestClient, sent: dict[str, Any]) -> None:
    earlier = _defect_of(api, sent)
    later = _defect_of(api, _sent(api, location={"lat": LAT + 0.004, "lon": LON, "accuracy_m": 8}))
    with transaction("test") as tx:
        _recurs(tx, later, earlier)

    assert f"/defects/{later}" in api.get(f"/defects/{earlier}").text
    assert f"/defects/{earlier}" in api.get(f"/defects/{later}").text


def _recurs(tx: WriteTx, later: str, earlier: str) -> None:
    first = select(defect.c.id).where(defect.c.reference == earlier).scalar_subquery()
    tx.execute(update(defect).where(defect.c.reference == later).values(recurrence_of=first))


def test_a_page_names_no_address_but_ours(api: TestClient, sent: dict[str, Any]) -> None:
    page = _open(api, sent).text

    assert set(re.findall(r'(?:src|href|action)="(https?://[^/"]+)', page)) <= {ORIGIN}
