"""What every answer tells a browser: pages, JSON, files and errors alike."""

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from services.api.main import create_app
from shared.domain.terms import Role
from shared.settings import settings
from tests.api.conftest import MakeKey
from tests.factories import a_picture

ENDLESS = {"/api/v1/feed"}
"""A client of tests waits for an answer's end; tests/probe/test_access.py looks at the feed's."""
ELSEWHERE = [
    "/",
    "/status",
    "/assets/nothing.js",
    "/api/docs",
    "/problems",
    "/problems/invalid-input",
    "/api/openapi.json",
    "/nowhere",
    "/a%00b",
]


def _answers(api: TestClient, headers: dict[str, str]) -> Iterator[tuple[str, Response]]:
    for path, operations in api.get("/api/openapi.json").json()["paths"].items():
        for method in () if path in ENDLESS else (*operations, "delete"):
            called = re.sub(r"\{\w+\}", "R-0000-0000", path)
            yield f"{method} {path}", api.request(method.upper(), called, headers=headers)
    for path in ELSEWHERE:
        yield path, api.get(path, headers=headers)


@pytest.mark.parametrize("who", [Role.PUBLIC, Role.ADMIN])
def test_every_answer_carries_the_policies(api: TestClient, a_key: MakeKey, who: Role) -> None:
    headers = {} if who is Role.PUBLIC else a_key(who).headers
    wrong, seen = [], 0

    for called, answer in _answers(api, headers):
        told, seen = answer.headers, seen + 1
        policy = told.get("content-security-policy", "")
        right = {
            "policy": policy == "sandbox" or ("default-src 'none'" in policy and "frame-ancestors 'none'" in policy),
            "no inline": "unsafe-inline" not in policy and "unsafe-eval" not in policy,
            "nosniff": told.get("x-content-type-options") == "nosniff",
            "frames": told.get("x-frame-options") == "DENY",
            "referrer": told.get("referrer-policy") == "same-origin",
            "permissions": "microphone=()" in told.get("permissions-policy", ""),
            "cache": "cache-control" in told,
            "no server": "server" not in told and "x-powered-by" not in told,
            "correlation": "x-correlation-id" in told,
        }
        wrong += [f"{called} {answer.status_code}: {name}" for name, fine in right.items() if not fine]

    assert wrong == []
    assert seen > 100


def test_a_private_answer_is_kept_by_no_cache(api: TestClient, a_key: MakeKey) -> None:
    told = api.post(
        "/api/v1/reports", json={"category": "pothole", "location": {"lat": 53.7632, "lon": -2.7031}}
    ).json()
    mine = {"Authorization": f"Bearer {told['tracking']['secret']}"}
    at = f"/api/v1/reports/{told['reference']}"
    photo = api.post(f"{at}/photos", headers=mine, files={"photo": ("a.jpg", a_picture(1))}).json()["url"]

    kept = [api.get(path, headers=mine).headers["cache-control"] for path in (at, "/api/v1/me")]
    staff = a_key(Role.OPERATOR).headers
    shown, original = api.get(photo, headers=mine).headers, api.get(f"{photo}?copy=original", headers=staff).headers
    again = api.get(photo, headers={**mine, "If-None-Match": shown["etag"]})
    signed_out = api.get(photo, headers={"If-None-Match": shown["etag"]})

    assert kept == ["no-store", "no-store"]
    assert (shown["cache-control"], shown["vary"]) == ("private, no-cache", "Authorization, Cookie")
    assert original["cache-control"] == "no-store"
    assert (again.status_code, signed_out.status_code) == (304, 404)
    assert api.get("/api/v1/people", headers=a_key(Role.ADMIN).headers).headers["cache-control"] == "no-store"


def test_a_page_has_nothing_inline_and_nothing_from_elsewhere(api: TestClient) -> None:
    for path in ("/", "/status", "/api/docs", "/problems"):
        page = api.get(path)
        assert page.status_code == 200
        assert "script-src 'self'; style-src 'self';" in page.headers["content-security-policy"]
        assert re.findall(r"<style|<script>| style=| on\w+=", page.text) == []
        assert {at[0] for at in re.findall(r'(?:src|href|action)="([^"]*)"', page.text)} <= set("/#dt")


def test_what_a_page_loads_is_kept_for_ever_and_comes_compressed(api: TestClient) -> None:
    loaded = re.findall(r'(?:stylesheet" href|script type="module" src)="([^"]+)"', api.get("/").text)

    plain = {at: api.get(at, headers={"Accept-Encoding": "identity"}) for at in loaded}
    packed = {at: api.get(at, headers={"Accept-Encoding": "gzip, deflate"}) for at in loaded if "council" not in at}

    assert len(loaded) == 3
    for at, answer in plain.items():
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-type"].startswith("text/css" if at.endswith(".css") else "text/javascript")
    for at, answer in packed.items():
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.content == plain[at].content


def test_https_is_asked_for_only_where_it_is_the_public_address(
    api: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "strict-transport-security" not in api.get("/health/live").headers
    monkeypatch.setenv("ROADMEND_PUBLIC_URL", "https://roads.example")
    settings.cache_clear()

    secure = TestClient(create_app(), base_url="https://roads.example").get("/health/live")

    assert secure.headers["strict-transport-security"] == "max-age=31536000"


def _limited(api: TestClient, monkeypatch: pytest.MonkeyPatch, behind_proxy: str, *forwarded: str) -> list[int]:
    """What reports are answered that came by these ways, with one allowed for an address."""
    monkeypatch.setenv("ROADMEND_RATE_LIMIT", "1/hour")
    monkeypatch.setenv("ROADMEND_REDIS_URL", f"redis://127.0.0.1:1/{len(forwarded)}?{behind_proxy}")
    monkeypatch.setenv("ROADMEND_BEHIND_PROXY", behind_proxy)
    settings.cache_clear()
    body = {"category": "pothole", "location": {"lat": 53.7632, "lon": -2.7031}}
    with TestClient(create_app(), base_url="http://testserver") as client:
        return [
            client.post("/api/v1/reports", json=body, headers={"X-Forwarded-For": one}).status_code for one in forwarded
        ]


def test_behind_a_proxy_each_client_has_its_own_limit_and_none_makes_up_another(
    api: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = _limited(api, monkeypatch, "true", "192.0.2.1", "192.0.2.2", "198.51.100.9, 192.0.2.1")

    assert said == [201, 201, 429]


def test_an_ipv6_network_is_one_client(api: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = "2001:db8:0:7::1", "2001:db8:0:7:ffff::2"

    said = _limited(api, monkeypatch, "true", one, other, "2001:db8:0:8::1", "::ffff:192.0.2.7", "192.0.2.7")

    assert said == [201, 429, 201, 201, 429]


def test_without_a_proxy_what_a_client_says_of_its_address_counts_nothing(
    api: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _limited(api, monkeypatch, "false", "192.0.2.1", "192.0.2.2") == [201, 429]


def test_sign_in_has_a_limit_of_its_own(api: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROADMEND_RATE_LIMIT", "1000/minute")
    monkeypatch.setenv("ROADMEND_REDIS_URL", "redis://127.0.0.1:1/9")
    settings.cache_clear()

    said = [api.post("/api/v1/sign-in", json={"email": "a@b.example", "password": "x"}) for _ in range(11)]

    assert [answer.status_code for answer in said] == [401] * 10 + [429]
    assert 0 < int(said[-1].headers["retry-after"]) <= 60


def test_tries_for_one_person_are_counted_wherever_they_come_from(
    api: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROADMEND_RATE_LIMIT", "1000/minute")
    monkeypatch.setenv("ROADMEND_REDIS_URL", "redis://127.0.0.1:1/10")
    monkeypatch.setenv("ROADMEND_BEHIND_PROXY", "true")
    monkeypatch.setattr("services.api.rate.SIGN_IN_AS", "2/hour")
    settings.cache_clear()

    with TestClient(create_app(), base_url="http://testserver") as client:
        said = [
            client.post(
                "/api/v1/sign-in", json={"email": email, "password": "x"}, headers={"X-Forwarded-For": f"192.0.2.{n}"}
            ).status_code
            for n, email in enumerate(["ada@b.example", "Ada@b.example ", "ada@B.example", "ben@b.example"])
        ]
        page = client.post(
            "/hub/sign-in", data={"email": "ada@b.example", "password": "x"}, headers={"X-Forwarded-For": "192.0.2.9"}
        )

    assert said == [401, 401, 429, 401]
    assert page.status_code == 429


def test_the_figures_have_a_limit_of_their_own(api: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROADMEND_RATE_LIMIT", "1000/minute")
    monkeypatch.setenv("ROADMEND_REDIS_URL", "redis://127.0.0.1:1/11")
    monkeypatch.setattr("services.api.rate.FIGURES", "2/hour")
    settings.cache_clear()

    said = [api.get("/api/v1/kpis").status_code for _ in range(3)]

    assert said == [200, 200, 429]
