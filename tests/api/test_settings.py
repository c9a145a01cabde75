"""The hub's settings over HTTP: who may, what is refused in which words, and what was parked tried again."""

from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import insert, select, update

from shared.domain.terms import Role
from shared.flows import manage_access
from shared.settings import settings
from shared.store.engine import reading, transaction
from shared.store.tables import delivery, event, message, policy_version
from tests.api.conftest import MakeKey
from tests.factories import a_report

PASSWORD = "a long enough password"
SHIPPED = settings().policy_file.read_text()
NEXT = SHIPPED.replace('permanent = "5wd"', 'permanent = "7wd"').replace(
    "2018-04-12T00:00:00+01:00", "2018-05-01T00:00:00+01:00"
)


@pytest.fixture
def ann(api: TestClient) -> dict[str, str]:
    """The only administrator, signed in: what her acts send along."""
    with transaction("test") as tx:
        manage_access.add_person(tx, "ann@roads.example", "Ann Holt", Role.ADMIN, datetime.now(UTC), password=PASSWORD)
    told = api.post("/api/v1/sign-in", json={"email": "ann@roads.example", "password": PASSWORD})
    return {"X-CSRF-Token": told.json()["csrf_token"]}


def test_the_last_administrator_is_told_what_to_do_first(api: TestClient, ann: dict[str, str]) -> None:
    body = {"email": "ann@roads.example", "name": "Ann Holt", "role": "operator"}

    answer = api.post("/api/v1/people/change", json=body, headers=ann)

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/last-admin")
    assert api.get("/hub/settings/people").status_code == 200


def test_ones_own_password_changes_and_the_short_one_is_refused(api: TestClient, ann: dict[str, str]) -> None:
    short = api.post("/api/v1/me/password", json={"old": PASSWORD, "new": "short"}, headers=ann)
    done = api.post("/api/v1/me/password", json={"old": PASSWORD, "new": "another long password"}, headers=ann)

    assert short.json()["errors"] == [{"field": "new", "reason": "must have 12 characters or more"}]
    assert done.status_code == 200
    assert api.get("/api/v1/me").json()["name"] == "Ann Holt"


@pytest.mark.parametrize(
    ("section", "lets_in"),
    [
        ("people", {Role.ADMIN}),
        ("keys", {Role.ADMIN}),
        ("parked", {Role.ADMIN, Role.SUPERVISOR}),
        ("policy", {Role.ADMIN, Role.SUPERVISOR, Role.OPERATOR}),
        ("lots", {Role.ADMIN, Role.SUPERVISOR, Role.OPERATOR}),
        ("streets", {Role.ADMIN, Role.SUPERVISOR, Role.OPERATOR}),
    ],
)
def test_a_section_opens_to_those_whom_the_list_names(
    api: TestClient, a_key: MakeKey, section: str, lets_in: set[Role]
) -> None:
    for role in (Role.OPERATOR, Role.SUPERVISOR, Role.ADMIN):
        headers = {**a_key(role).headers, "Accept": "text/html"}

        page = api.get(f"/hub/settings/{section}", headers=headers)
        listed = f'href="/hub/settings/{section}"' in api.get("/hub/settings", headers=headers).text

        assert (page.status_code == 200, listed) == (role in lets_in, role in lets_in), role


def test_a_policy_is_looked_at_before_it_is_adopted_by_a_person_under_the_own_name(
    api: TestClient, ann: dict[str, str]
) -> None:
    checked = api.post("/api/v1/policies/check", json={"text": NEXT}, headers=ann).json()
    body = {"text": NEXT, "source": "next.toml", "instead_of": checked["instead_of"]}
    adopted = api.post("/api/v1/policies", json=body, headers=ann)

    assert checked["fault"] is None
    assert {"section": "bands.P5", "key": "permanent", "was": '"5wd"', "now": '"7wd"'} in checked["changes"]
    assert adopted.status_code == 201
    versions = api.get("/api/v1/policies").json()
    assert versions["in_force"] == adopted.json()["id"]
    assert versions["versions"][0]["adopted_by"] == "Ann Holt"
    with reading() as tx:
        assert str(tx.scalar(select(event.c.actor).where(event.c.kind == "PolicyAdopted"))).startswith("person:")


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        (SHIPPED.replace("snap_m = 30", "snap_metres = 30"), "snap_metres", "place.snap_metres"),
        (SHIPPED.replace('contractor = "birch"', 'contractor = "beech"'), '"beech"', "lots[2].contractor"),
        (SHIPPED.replace("[triage]", "[triage"), "[triage", ""),
    ],
)
def test_an_error_of_a_policy_names_its_line(
    api: TestClient, ann: dict[str, str], text: str, line: str, key: str
) -> None:
    number = next(at for at, words in enumerate(text.split("\n"), start=1) if line in words)

    fault = api.post("/api/v1/policies/check", json={"text": text}, headers=ann).json()["fault"]
    refused = api.post("/api/v1/policies", json={"text": text, "instead_of": 1}, headers=ann)

    assert (fault["line"], fault["key"]) == (number, key)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["reason"].startswith(f"line {number}: ")


def test_a_key_adopts_no_policy(api: TestClient, a_key: MakeKey) -> None:
    body = {"text": NEXT, "instead_of": 1}

    answer = api.post("/api/v1/policies", json=body, headers=a_key(Role.ADMIN).headers)

    assert answer.status_code == 403


def test_whoever_looked_at_another_version_looks_again(api: TestClient, ann: dict[str, str]) -> None:
    first = api.post("/api/v1/policies/check", json={"text": NEXT}, headers=ann).json()["instead_of"]
    api.post("/api/v1/policies", json={"text": NEXT, "instead_of": first}, headers=ann)
    other = NEXT.replace('permanent = "7wd"', 'permanent = "6wd"')

    late = api.post("/api/v1/policies", json={"text": other, "instead_of": first}, headers=ann)

    assert late.status_code == 409
    with reading() as tx:
        assert len(tx.scalars(select(policy_version.c.id)).all()) == 2


def test_what_would_never_decide_is_warned_of(api: TestClient, ann: dict[str, str]) -> None:
    early = SHIPPED.replace("2018-04-12T00:00:00+01:00", "2017-01-01T00:00:00+00:00")

    warned = api.post("/api/v1/policies/check", json={"text": early}, headers=ann).json()["warnings"]

    assert len(warned) == 1
    assert "would never decide" in warned[0]


def test_what_is_parked_names_what_it_is_about_and_is_tried_again(api: TestClient, a_key: MakeKey) -> None:
    with transaction("test") as tx:
        now = datetime.now(UTC)
        report_ids = [a_report(tx), a_report(tx)]
        tx.execute(update(delivery).values(parked_at=now, tries=10, error="ValueError: a grid\nTraceback"))
        for number in report_ids:
            values = {"report_id": number, "channel": "email", "template": "received", "made_at": now, "due_at": now}
            tx.execute(insert(message).values(key=f"m{number}", parked_at=now, tries=10, error="550 no", **values))
    headers = a_key(Role.SUPERVISOR).headers

    before = api.get("/api/v1/parked", headers=headers).json()
    one = {"consumer": "triage", "event_id": before["listed_deliveries"][0]["event_id"]}
    first = api.post("/api/v1/parked/deliveries/retry", json=one, headers=headers).json()
    rest = api.post("/api/v1/parked/deliveries/retry", json={}, headers=headers).json()
    mail = api.post(
        "/api/v1/parked/messages/retry", json={"id": before["listed_messages"][0]["id"]}, headers=headers
    ).json()

    told = before["listed_deliveries"][0]
    assert (told["subject"], told["reference"][:2], told["error"][:18]) == ("report", "R-", "ValueError: a grid")
    assert (before["deliveries"], before["messages"]) == (4, 2)
    assert (first["again"], rest["again"], mail["again"]) == (1, 3, 1)
    assert api.get("/api/v1/parked/counts", headers=headers).json() == {"deliveries": 0, "messages": 1}


def test_operators_see_a_streets_hierarchy_and_supervisors_set_it(api: TestClient, a_key: MakeKey) -> None:
    body = {"key": "nowhere", "hierarchy": "3a", "why": "Diversion."}

    statuses = [
        api.post("/api/v1/streets/hierarchy", json=body, headers=a_key(role).headers).status_code
        for role in (Role.OPERATOR, Role.SUPERVISOR)
    ]

    assert statuses == [403, 404]


def test_the_month_that_has_not_begun_is_refused_and_the_csv_parses(api: TestClient, ann: dict[str, str]) -> None:
    assert api.get("/hub/month?month=2199-12").status_code == 422
    told = api.get("/hub/month.csv?month=2026-01")
    assert told.headers["content-disposition"] == 'attachment; filename="roadmend-month-2026-01.csv"'
    assert told.content.decode("utf-8-sig").startswith("figure,label,contractor,month,value,counted,of,note,definition")
