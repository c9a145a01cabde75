"""Sign-in, sessions, keys: who is let in, for how long, and how it ends."""

from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from shared.domain.terms import Role
from shared.flows import manage_access
from shared.store.engine import reading, transaction
from shared.store.tables import api_key, event, person, session
from tests.api.conftest import ORIGIN, MakeKey

PASSWORD = "a long enough password"


@pytest.fixture
def admin(api: TestClient) -> str:
    """An administrator's e-mail address."""
    with transaction("test") as tx:
        manage_access.add_person(tx, "admin@roadmend.example", "Ada", Role.ADMIN, datetime.now(UTC), password=PASSWORD)
    return "admin@roadmend.example"


def _sign_in(api: TestClient, email: str, password: str = PASSWORD) -> str:
    """Sign in; the client keeps the cookie. Returns the token for unsafe requests."""
    answer = api.post("/api/v1/sign-in", json={"email": email, "password": password})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["csrf_token"])


def test_a_person_signs_in_and_is_known_until_signing_out(api: TestClient, admin: str) -> None:
    token = _sign_in(api, " Admin@Roadmend.example ")
    kept = dict(api.cookies)

    assert api.get("/api/v1/me").json()["role"] == "admin"
    assert api.post("/api/v1/sign-out", headers={"X-CSRF-Token": token}).status_code == 204

    api.cookies.update(kept)
    assert api.get("/api/v1/me").json()["role"] == "public"
    assert api.get("/api/v1/people").status_code == 401


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(api: TestClient, admin: str) -> None:
    answer = api.post("/api/v1/sign-in", json={"email": admin, "password": PASSWORD})

    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


@pytest.mark.parametrize(("email", "password"), [("admin@roadmend.example", "wrong"), ("nobody@roadmend.example", "x")])
def test_a_wrong_password_and_an_unknown_address_are_answered_alike(
    api: TestClient, admin: str, email: str, password: str
) -> None:
    answer = api.post("/api/v1/sign-in", json={"email": email, "password": password})

    assert answer.status_code == 401
    assert answer.json()["detail"] == "E-mail address and password do not go together."
    assert "set-cookie" not in answer.headers


def test_each_sign_in_begins_a_new_session(api: TestClient, admin: str) -> None:
    _sign_in(api, admin)
    first = api.cookies["roadmend_session"]
    _sign_in(api, admin)

    assert api.cookies["roadmend_session"] != first


def test_a_page_of_another_site_signs_nobody_in(api: TestClient, admin: str) -> None:
    answer = api.post(
        "/api/v1/sign-in", json={"email": admin, "password": PASSWORD}, headers={"Sec-Fetch-Site": "cross-site"}
    )

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_a_session_past_its_end_is_the_public(api: TestClient, admin: str) -> None:
    _sign_in(api, admin)
    with transaction("test") as tx:
        tx.execute(update(session).values(ends_at=datetime.now(UTC)))

    assert api.get("/api/v1/me").json()["role"] == "public"


def test_a_disabled_person_is_out_at_once(api: TestClient, admin: str) -> None:
    _sign_in(api, admin)
    with transaction("test") as tx:
        manage_access.add_person(tx, "next@roadmend.example", "Next", Role.ADMIN, datetime.now(UTC), password=PASSWORD)
        manage_access.disable_person(tx, admin, datetime.now(UTC))

    assert api.get("/api/v1/me").json()["role"] == "public"
    assert api.post("/api/v1/sign-in", json={"email": admin, "password": PASSWORD}).status_code == 401


def test_a_forged_cookie_opens_nothing(api: TestClient, admin: str) -> None:
    _sign_in(api, admin)
    secret, _, signature = api.cookies["roadmend_session"].rpartition(".")
    api.cookies.clear()
    api.cookies.set("roadmend_session", f"{secret[:-1]}{'x' if secret[-1] != 'x' else 'y'}.{signature}")

    assert api.get("/api/v1/people").status_code == 401


def test_a_request_that_changes_something_needs_the_sessions_own_token(api: TestClient, admin: str) -> None:
    token = _sign_in(api, admin)
    body = {"email": "new@roadmend.example", "name": "New", "role": "operator"}

    without = api.post("/api/v1/people", json=body)
    wrong = api.post("/api/v1/people", json=body, headers={"X-CSRF-Token": "0" * 64})
    right = api.post("/api/v1/people", json=body, headers={"X-CSRF-Token": token})

    assert (without.status_code, wrong.status_code, right.status_code) == (401, 401, 201)


@pytest.mark.parametrize("told", [{"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_a_request_from_another_site_is_refused_even_with_the_token(
    api: TestClient, admin: str, told: dict[str, str]
) -> None:
    token = _sign_in(api, admin)

    answer = api.post("/api/v1/people/end-sessions", json={"email": admin}, headers={"X-CSRF-Token": token, **told})
    same = api.post(
        "/api/v1/people/end-sessions", json={"email": admin}, headers={"X-CSRF-Token": token, "Origin": ORIGIN}
    )

    assert answer.status_code == 401
    assert same.status_code == 200


def test_a_key_is_shown_once_and_stored_as_a_hash(api: TestClient, a_key: MakeKey) -> None:
    admin = a_key(Role.ADMIN)
    made = api.post(
        "/api/v1/keys",
        json={"name": "Fleet", "role": "vendor", "scopes": ["detections:write"], "source": "fleet"},
        headers=admin.headers,
    ).json()

    listed = api.get("/api/v1/keys", headers=admin.headers)
    with reading() as tx:
        stored = tx.execute(select(api_key).where(api_key.c.prefix == made["prefix"])).one()
    assert made["key"].startswith(f"rmk_{made['prefix']}_")
    assert made["key"] not in listed.text
    assert made["key"].encode() not in stored.secret_hash
    assert api.get("/api/v1/me", headers={"Authorization": f"Bearer {made['key']}"}).json()["scopes"] == [
        "detections:write"
    ]


def test_a_revoked_key_is_refused_from_the_next_request_on(api: TestClient, a_key: MakeKey) -> None:
    admin, other = a_key(Role.ADMIN), a_key(Role.OPERATOR)
    before = api.get("/api/v1/me", headers=other.headers).status_code

    api.post(f"/api/v1/keys/{other.prefix}/revoke", headers=admin.headers)
    after = api.get("/api/v1/me", headers=other.headers)

    assert (before, after.status_code) == (200, 401)
    assert after.headers["www-authenticate"].startswith("Bearer")


def test_a_key_without_the_scope_is_refused(api: TestClient, a_key: MakeKey) -> None:
    narrow = a_key(Role.ADMIN, "reports:read")

    answer = api.get("/api/v1/people", headers=narrow.headers)

    assert answer.status_code == 403
    assert "scope access" in answer.json()["detail"]


def test_a_vendors_key_without_a_source_cannot_be_made(api: TestClient, a_key: MakeKey) -> None:
    admin = a_key(Role.ADMIN)

    answer = api.post("/api/v1/keys", json={"name": "Fleet", "role": "vendor", "scopes": ["*"]}, headers=admin.headers)

    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "source", "reason": "goes with the role vendor, and only with it"}]


def test_an_address_is_taken_once(api: TestClient, admin: str, a_key: MakeKey) -> None:
    body = {"email": admin, "name": "Another", "role": "operator", "password": PASSWORD}

    answer = api.post("/api/v1/people", json=body, headers=a_key(Role.ADMIN).headers)

    assert answer.status_code == 409


def test_no_password_is_stored_in_clear(api: TestClient, admin: str) -> None:
    with reading() as tx:
        stored = tx.scalar(select(person.c.password_hash).where(person.c.email == admin))

    assert stored is not None
    assert stored.startswith("$argon2id$")
    assert PASSWORD not in stored


def test_what_people_do_stands_in_the_record_under_their_name(api: TestClient, admin: str) -> None:
    token = _sign_in(api, admin)
    api.post(
        "/api/v1/people",
        json={"email": "new@roadmend.example", "name": "New", "role": "operator"},
        headers={"X-CSRF-Token": token, "X-Correlation-ID": "a-test-of-the-record"},
    )

    with reading() as tx:
        admin_id = tx.scalar(select(person.c.id).where(person.c.email == admin))
        said = tx.execute(select(event).where(event.c.correlation == "a-test-of-the-record")).one()
    assert said.kind == "AccessChanged"
    assert said.actor == f"person:{admin_id}"
