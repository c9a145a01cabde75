"""The look-up of a reporter by e-mail address: whole or not at all, by staff only, and never without a record of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import insert, select

from shared.domain.looked_up import mark
from shared.domain.terms import Role
from shared.settings import settings
from shared.store.engine import transaction
from shared.store.tables import contact, event, report
from tests.api.conftest import Key, MakeKey
from tests.factories import a_report

NOW = datetime.now(UTC)
WHOLE = "Zachary.Quill@brockenhurst.example"


@pytest.fixture
def staff(a_key: MakeKey) -> Key:
    return a_key(Role.OPERATOR)


@pytest.fixture
def reported(api: TestClient) -> list[str]:
    """The references of two reports of one person, the newest first, beside one of somebody else's."""
    del api
    with transaction("test") as tx:
        told = [a_report(tx, received_at=NOW - timedelta(days=days)) for days in (3, 2, 1)]
        emails = (WHOLE, WHOLE.upper(), "zachary.quill@brockenhurst.example.org")
        rows = [{"report_id": one, "email": email} for one, email in zip(told, emails, strict=True)]
        tx.execute(insert(contact), rows)
        names = dict(tx.execute(select(report.c.id, report.c.reference)).all())
    return [names[told[1]], names[told[0]]]


def _look_up(api: TestClient, who: Key, email: str) -> Any:
    return api.post("/api/v1/search/reporters", json={"email": email}, headers=who.headers)


def _record() -> list[Any]:
    with transaction("test") as tx:
        return list(tx.execute(select(event).where(event.c.kind == "ReporterLookedUp").order_by(event.c.id)))


@pytest.mark.parametrize("typed", [WHOLE, WHOLE.lower(), f"  {WHOLE.upper()} "])
def test_a_whole_address_finds_its_reports_in_any_case(
    api: TestClient, staff: Key, reported: list[str], typed: str
) -> None:
    told = _look_up(api, staff, typed).json()

    assert told["found"] == 2
    assert [one["reference"] for one in told["reports"]] == reported
    assert {one["found_by"] for one in told["reports"]} == {"e-mail"}


@pytest.mark.parametrize(
    "typed", ["zachary.quill", "zachary.quill@", "zachary.quill@brockenhurst", "@brockenhurst.example"]
)
def test_a_part_of_an_address_finds_nobody_and_is_no_look_up(
    api: TestClient, staff: Key, reported: list[str], typed: str
) -> None:
    answer = _look_up(api, staff, typed)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "email")
    assert _record() == []
    assert reported


def test_a_sign_of_patterns_is_compared_and_matches_nobody_else(
    api: TestClient, staff: Key, reported: list[str]
) -> None:
    assert _look_up(api, staff, "%@brockenhurst.example").json()["found"] == 0
    assert _look_up(api, staff, "zachary_quill@brockenhurst.example").json()["found"] == 0
    assert reported


def test_every_look_up_is_recorded_with_who_asked_and_without_the_address(
    api: TestClient, staff: Key, a_key: MakeKey, reported: list[str]
) -> None:
    for who, email in ((staff, WHOLE), (a_key(Role.SUPERVISOR), WHOLE.upper()), (staff, "nobody@brockenhurst.example")):
        assert _look_up(api, who, email).status_code == 200

    first, second, none = _record()
    assert [one.data["reports"] for one in (first, second, none)] == [2, 2, 0]
    assert first.actor == none.actor != second.actor
    assert first.actor.startswith("key:")
    assert first.data["address_mark"] == second.data["address_mark"] == mark(WHOLE.lower(), settings().secret())
    assert first.data["address_mark"] != none.data["address_mark"]
    assert not any("quill" in str(one).lower() or "brockenhurst" in str(one) for one in (first, second, none))
    assert reported


def test_an_address_that_was_looked_up_is_in_no_log(
    api: TestClient, staff: Key, reported: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    capfd.readouterr()

    _look_up(api, staff, WHOLE)
    _look_up(api, staff, "zachary.quill@")

    logged = capfd.readouterr().err
    assert "/api/v1/search/reporters" in logged
    assert not any(part in logged.lower() for part in ("quill", "brockenhurst"))
    assert reported


@pytest.mark.parametrize("role", [Role.PUBLIC, Role.CONTRACTOR, Role.VENDOR])
def test_nobody_but_staff_looks_anybody_up(api: TestClient, a_key: MakeKey, reported: list[str], role: Role) -> None:
    own = {Role.CONTRACTOR: {"contractor": "alder"}, Role.VENDOR: {"source": "fleet"}}.get(role, {})
    headers = {} if role is Role.PUBLIC else a_key(role, **own).headers

    answer = api.post("/api/v1/search/reporters", json={"email": WHOLE}, headers=headers)

    assert answer.status_code in (401, 403)
    assert _record() == []
    assert reported


def test_a_key_that_may_search_may_not_look_anybody_up(api: TestClient, a_key: MakeKey, reported: list[str]) -> None:
    key = a_key(Role.OPERATOR, "search")

    assert api.get("/api/v1/search", params={"q": "hole"}, headers=key.headers).status_code == 200
    assert _look_up(api, key, WHOLE).status_code == 403
    assert reported


# --- the page --------------------------------------------------------------------------------------------------------


def test_a_whole_reference_leads_straight_to_its_page(api: TestClient, staff: Key) -> None:
    with transaction("test") as tx:
        a_report(tx, reference="R-7K3M-9QXF")

    for typed in ("R-7K3M-9QXF", "r7k3m9qxf", "7k3m 9qxf"):
        answer = api.get("/hub/search", params={"q": typed}, headers=staff.headers, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/hub/reports/R-7K3M-9QXF")
    part = api.get("/hub/search", params={"q": "7k3m"}, headers=staff.headers, follow_redirects=False)
    assert part.status_code == 200
    assert "/hub/reports/R-7K3M-9QXF" in part.text


def test_an_address_in_the_query_is_neither_searched_for_nor_shown(
    api: TestClient, staff: Key, reported: list[str]
) -> None:
    page = api.get("/hub/search", params={"q": WHOLE}, headers=staff.headers)

    assert page.status_code == 200
    assert "quill" not in page.text.lower()
    assert not any(reference in page.text for reference in reported)
    assert _record() == []
