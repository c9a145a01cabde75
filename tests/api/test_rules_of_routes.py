"""Every route has a rule of who may call it, the document tells it, and it holds for every role."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from services.api.documentation import every_route, rule_of
from services.api.main import create_app
from shared.domain.terms import Role
from tests.api.conftest import MakeKey

ENDLESS = {"/api/v1/feed"}
"""Streams: a client of tests would wait for their end. Their rule is held against the document only."""

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


def test_what_changes_something_and_is_not_for_the_public_asks_a_key_for_a_scope(api: TestClient) -> None:
    unscoped = [
        f"{method} {path}"
        for method, path, roles, scope in _operations(api)
        if method != "GET" and Role.PUBLIC not in roles and set(roles) != {Role.REPORTER} and scope is None
    ]

    assert unscoped == ["POST /api/v1/sign-out"]
