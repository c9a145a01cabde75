"""Every route has a rule of who may call it, the document tells it, and it holds for every role."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.params import File
from fastapi.testclient import TestClient

from services.api import deps, turns
from services.api.documentation import every_route, rule_of
from services.api.main import create_app
from shared.domain.events import Consumer
from shared.domain.terms import Role
from shared.flows import report_to_defect
from shared.store.engine import transaction
from tests.api.conftest import MakeKey
from tests.factories import a_picture, hear

ENDLESS = {"/api/v1/feed"}
"""Streams: a client of tests would wait for their end. Their rule is held against the document only."""

UNLIKE = {"/api/v1/me", "/metrics", "/health/ready"}
"""For everybody, and never twice alike: who one is oneself, and figures that move."""

OF_CONTRACTOR = {"contractor": "alder"}
OF_VENDOR = {"source": "fleet"}
OWN: dict[Role, dict[str, str]] = {Role.CONTRACTOR: OF_CONTRACTOR, Role.VENDOR: OF_VENDOR}


def test_every_route_has_a_rule() -> None:
    without = [f"{route.methods} {route.path}" for route in every_route(create_app()) if rule_of(route) is None]

    assert without == []


def test_every_operation_of_the_document_tells_who_may_call_it_and_what_it_may_answer() -> None:
    document = create_app().openapi()

    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            called = f"{method} {path}"
            assert operation["x-roles"], called
            assert operation.get("description"), called
            assert {"401", "422", "503"} <= operation["responses"].keys(), called
            assert "default" not in operation["responses"], f"{called}: any answer at all would be foretold"
            assert operation["security"], called


def _texts(part: object, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every text of a schema, with where it stands. Arrays and alternatives are gone into."""
    if not isinstance(part, dict):
        return
    if part.get("type") == "string":
        yield where, part
    for name in ("items", "additionalProperties"):
        yield from _texts(part.get(name), f"{where}[]")
    for one in (*part.get("anyOf", ()), *part.get("oneOf", ())):
        yield from _texts(one, where)
    for name, one in part.get("properties", {}).items():
        yield from _texts(one, f"{where}.{name}")


def test_no_text_that_may_be_sent_can_hold_a_nul() -> None:
    document = create_app().openapi()
    sent = {name for name, one in document["components"]["schemas"].items() if one.get("additionalProperties") is False}

    able = [
        where
        for name in sent
        for where, text in _texts(document["components"]["schemas"][name], name)
        if not text.keys() & {"enum", "const", "format"} and "x00" not in text.get("pattern", "")
    ]

    assert able == []
    assert len(sent) > 20


def _operations(api: TestClient) -> Iterator[tuple[str, str, list[str], str | None]]:
    """Method, address with something in place of each name, roles, and scope."""
    for path, methods in api.get("/api/openapi.json").json()["paths"].items():
        if path in ENDLESS:
            continue
        for method, operation in methods.items():
            yield method.upper(), re.sub(r"\{\w+\}", "R-0000-0000", path), operation["x-roles"], operation["x-scope"]


def _as(api: TestClient, a_key: MakeKey, role: Role, *scopes: str) -> dict[str, str]:
    """The headers of somebody of this role."""
    if role is Role.PUBLIC:
        return {}
    if role is Role.REPORTER:
        body = {"category": "pothole", "location": {"lat": 53.7632, "lon": -2.7031}}
        return {"Authorization": f"Bearer {api.post('/api/v1/reports', json=body).json()['tracking']['secret']}"}
    return a_key(role, *scopes, **OWN.get(role, {})).headers


@pytest.mark.parametrize("role", list(Role))
def test_the_rule_of_every_route_holds(api: TestClient, a_key: MakeKey, role: Role) -> None:
    headers, wrong, operations = _as(api, a_key, role), [], list(_operations(api))

    for method, path, roles, _ in operations:
        status = api.request(method, path, headers=headers).status_code
        if Role.PUBLIC in roles or role in roles:
            lawful = status not in (401, 403) and status < 500
        else:
            lawful = status == (401 if role is Role.PUBLIC else 403)
        if not lawful:
            wrong.append(f"{method} {path} for {role}: {status}, and the document says {roles}")

    assert wrong == []
    assert len(operations) > 30


@pytest.mark.parametrize("role", [Role.CONTRACTOR, Role.VENDOR, Role.OPERATOR, Role.SUPERVISOR, Role.ADMIN])
def test_a_key_without_its_scope_opens_nothing(api: TestClient, a_key: MakeKey, role: Role) -> None:
    headers, wrong = _as(api, a_key, role, "another"), []

    for method, path, roles, scope in _operations(api):
        if role in roles and scope is not None and Role.PUBLIC not in roles:
            status = api.request(method, path, headers=headers).status_code
            if status != 403:
                wrong.append(f"{method} {path}: {status} without {scope}")

    assert wrong == []


def _asked_for(dependant: Dependant) -> Iterator[Dependant]:
    """What a route asks for, in the order in which it is found."""
    for inner in dependant.dependencies:
        yield from _asked_for(inner)
        yield inner


def test_a_route_that_takes_photos_waits_for_its_turn_before_it_opens_a_transaction() -> None:
    wrong, seen = [], 0

    for route in every_route(create_app()):
        asked = [*_asked_for(route.dependant), route.dependant]
        if any(isinstance(one.field_info, File) for part in asked for one in part.body_params):
            calls, seen = [part.call for part in asked], seen + 1
            writing = calls.index(deps._writing) if deps._writing in calls else len(calls)
            if turns.take_turn not in calls[:writing]:
                wrong.append(route.path)

    assert wrong == []
    assert seen == 5


def test_what_is_not_for_the_public_asks_a_key_for_a_scope(api: TestClient) -> None:
    unscoped = [
        f"{method} {path}"
        for method, path, roles, scope in _operations(api)
        if Role.PUBLIC not in roles and set(roles) != {Role.REPORTER} and scope is None
    ]

    assert unscoped == ["POST /api/v1/sign-out"]


@pytest.fixture
def things(api: TestClient) -> dict[str, str]:
    """By its form in the document, the address of something of which staff know more than the public."""
    report = {"category": "pothole", "location": {"lat": 53.7632, "lon": -2.7031}, "description": "I am Sam Lee."}
    told = api.post("/api/v1/reports", json=report).json()
    at = f"/api/v1/reports/{told['reference']}"
    own = {"Authorization": f"Bearer {told['tracking']['secret']}"}
    photo = api.post(f"{at}/photos", files={"photo": ("a.jpg", a_picture(1))}, headers=own).json()
    with transaction("test") as tx:
        hear(tx, Consumer.TRIAGE, report_to_defect.run, datetime.now(UTC))
    (defect,) = api.get(at).json()["defects"]
    return {
        "/api/v1/reports/{reference}": at,
        "/api/v1/photos/{reference}": photo["url"],
        "/api/v1/defects/{reference}": f"/api/v1/defects/{defect}",
        "/api/v1/defects/tiles/{z}/{x}/{y}.mvt": "/api/v1/defects/tiles/0/0/0.mvt",
        "/api/v1/streets/tiles/{z}/{x}/{y}.mvt": "/api/v1/streets/tiles/0/0/0.mvt",
    }


def _for_all(api: TestClient) -> dict[str, str | None]:
    """By its address in the document, the scope of each read that is for the public too."""
    paths = api.get("/api/openapi.json").json()["paths"]
    reads = {path: methods["get"] for path, methods in paths.items() if "get" in methods}
    return {path: read["x-scope"] for path, read in reads.items() if Role.PUBLIC in read["x-roles"]}


def _told(api: TestClient, address: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    """What is answered, without what no two answers share."""
    answer = api.get(address, headers=headers)
    if "json" not in answer.headers["content-type"]:
        return answer.status_code, answer.content
    told = answer.json()
    return answer.status_code, {**told, "as_of": None, "correlation": None} if isinstance(told, dict) else told


def test_a_key_without_the_scope_is_told_what_everybody_is_told(
    api: TestClient, a_key: MakeKey, things: dict[str, str]
) -> None:
    limited, whole = a_key(Role.ADMIN, "another").headers, a_key(Role.ADMIN).headers
    reads = _for_all(api)
    alike = {path: things.get(path, path) for path in reads if path not in ENDLESS | UNLIKE}

    public = {path: _told(api, address) for path, address in alike.items()}
    by_key = {path: _told(api, address, limited) for path, address in alike.items()}
    more = {path for path, address in alike.items() if _told(api, address, whole) != public[path]}

    assert {path for path in alike if by_key[path] != public[path]} == set()
    assert more == {path for path in alike if reads[path] is not None}
    assert {path for path in reads if "{" in path} == things.keys()
    assert all(reads[path] is not None for path in ENDLESS)


def test_no_page_of_the_hub_opens_to_a_key_that_is_limited(api: TestClient, a_key: MakeKey) -> None:
    limited = a_key(Role.ADMIN, "policy:read").headers
    rules = {route.path: rule_of(route) for route in every_route(create_app()) if route.path.startswith("/hub")}
    pages = [path for path, rule in rules.items() if rule is not None and Role.PUBLIC not in rule.roles]

    answers = {page: api.get(re.sub(r"\{\w+\}", "R-0000-0000", page), headers=limited).status_code for page in pages}

    assert set(answers.values()) == {403}, answers
    assert len(pages) > 15
