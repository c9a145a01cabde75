"""The OpenAPI document: who may call what stands in it, beside the shapes and the examples."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.routing import BaseRoute

from services.api import rate
from services.api.deps import Role, Rule
from services.api.routes.reports import NewReport
from shared.domain.access import STAFF

ABOUT: dict[str, Any] = {
    "title": "Roadmend",
    "version": "1",
    "summary": "A county's highway defects, from first detection to verified repair.",
    "description": (
        "Residents report defects and follow them; survey vehicles send detections in bulk; the same hole seen many "
        "times is one defect; contractors mend it, the repair is verified and put under warranty.\n\n"
        "**Who asks.** The public needs nothing. A reporter sends the secret of the tracking link, a contractor, "
        "vendor or system its API key, both as `Authorization: Bearer …`. People sign in at `POST /api/v1/sign-in` "
        "and send the cookie; what changes something then also needs the header `X-CSRF-Token`. `x-roles` names who "
        "may call an operation, `x-scope` what an API key must carry; where the public may call too, a key without it "
        "is told what the public is told.\n\n"
        "**Errors** are RFC 9457 problem details. `type` and `title` are stable; `detail` is for the case; `errors` "
        "lists fields with reasons. Every answer carries `X-Correlation-ID`.\n\n"
        "**Lists** are paged by `limit` and `after`; `next` in the answer is the `after` of the next page, null on the "
        "last. A list by last change also gives `as_of`: keep that of the first page, and ask with it as "
        "`updated_since` next time. Nothing is missed; some rows come twice."
    ),
    "license_info": {"name": "AGPL-3.0-or-later", "identifier": "AGPL-3.0-or-later"},
}

_PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457 problem details.",
    "required": ["type", "title", "status", "detail", "correlation"],
    "properties": {
        "type": {"type": "string", "examples": ["/problems/invalid-input"]},
        "title": {"type": "string", "examples": ["Invalid input"]},
        "status": {"type": "integer", "examples": [422]},
        "detail": {"type": "string", "examples": ["Put this right and send it again: location.lat."]},
        "correlation": {"type": "string", "examples": ["6f1f0f5d0c4a4f0f9d3a1f4d2b6e8c71"]},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "reason"],
                "properties": {"field": {"type": "string"}, "reason": {"type": "string"}},
            },
        },
        "seen": {
            "type": "integer",
            "description": "With changed-meanwhile: what to send as `seen` to save in spite of the changes",
        },
        "changes": {
            "type": "array",
            "description": "With changed-meanwhile: who did what when since `seen`, oldest first",
            "items": {
                "type": "object",
                "required": ["reference", "by", "did", "at"],
                "properties": {
                    "reference": {"type": "string", "examples": ["D-7K3M-9QXF"]},
                    "by": {"type": "string", "examples": ["Ben Carr"]},
                    "did": {"type": "string", "examples": ["confirmed it as P5"]},
                    "at": {"type": "string", "format": "date-time"},
                },
            },
        },
    },
}

_SECURITY = {
    "key": {"type": "http", "scheme": "bearer", "description": "An API key: rmk_…"},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "roadmend_session",
        "description": "From POST /api/v1/sign-in.",
    },
    "tracking": {"type": "http", "scheme": "bearer", "description": "The secret of a report's tracking link."},
}


def every_route(app: FastAPI) -> Iterator[APIRoute]:
    """Each route of the application that stands in the document or could."""
    return _within(app.routes)


def _within(routes: list[BaseRoute]) -> Iterator[APIRoute]:
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        elif inner := getattr(route, "original_router", None):
            yield from _within(inner.routes)


def rule_of(route: APIRoute) -> Rule | None:
    """The rule that a route asks for by `requires` or `for_everybody`, or None: then the route has no rule."""
    marked: Rule | None = getattr(route.endpoint, "rule", None)
    return marked or _rule(route.dependant)


def _rule(dependant: Dependant) -> Rule | None:
    if isinstance(dependant.call, Rule):
        return dependant.call
    return next((found for inner in dependant.dependencies if (found := _rule(inner))), None)


def _security(roles: tuple[Role, ...]) -> list[dict[str, list[str]]]:
    ways: list[dict[str, list[str]]] = []
    if Role.PUBLIC in roles:
        ways.append({})
    if Role.REPORTER in roles:
        ways.append({"tracking": []})
    if set(roles) & {Role.CONTRACTOR, Role.VENDOR, *STAFF}:
        ways.append({"key": []})
    if set(roles) & {Role.CONTRACTOR, *STAFF}:
        ways.append({"session": []})
    return ways


def install(app: FastAPI) -> None:
    """Write each route's rule and the problems it may answer into the document."""
    known = {(route.path, method.lower()): route for route in every_route(app) for method in route.methods or ()}

    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            app.openapi_schema = _document(app, known)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _document(app: FastAPI, known: dict[tuple[str, str], APIRoute]) -> dict[str, Any]:
    document = get_openapi(routes=app.routes, **ABOUT)
    parts = document.setdefault("components", {})
    _add_body(parts, NewReport)
    parts["securitySchemes"] = _SECURITY
    parts.setdefault("schemas", {})["Problem"] = _PROBLEM
    for unused in ("HTTPValidationError", "ValidationError"):
        parts["schemas"].pop(unused, None)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _describe(method, operation, known.get((path, method)))
    return document


def _bar_nul(schema: dict[str, Any]) -> None:
    """No text of an address holds a NUL: the middleware refuses it before any route."""
    if schema.get("type") == "string" and not schema.keys() & {"pattern", "format", "enum", "const"}:
        schema["pattern"] = r"^[^\x00]*$"
    for inner in (*schema.get("anyOf", ()), *filter(None, [schema.get("items")])):
        _bar_nul(inner)


def _add_body(parts: dict[str, Any], model: type[BaseModel]) -> None:
    """The shape of a body that a route reads by itself."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    parts.setdefault("schemas", {}).update({**schema.pop("$defs", {}), model.__name__: schema})


_SAID = {
    "400": "The body, or the request itself, cannot be read",
    "401": "These credentials are not known, or there are none and this is not for the public",
    "403": "The asker is known, and may not do this",
    "404": "There is no such thing, or none that the asker may know of",
    "409": "The thing has moved on, or the same key came with another body",
    "413": "More than the limit, which the detail names",
    "415": "This kind of body is not taken here",
    "422": "Invalid input: `errors` names the fields",
    "429": "This address sends too many; come again after `Retry-After` seconds",
    "503": "A part that is needed does not answer now; come again after `Retry-After` seconds",
}
_PROBLEM_BODY = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


def _problems_of(method: str, operation: dict[str, Any], route: APIRoute) -> set[str]:
    """The problems that an operation may answer with: what follows from its method, rule, limits and parameters."""
    may = {"401", "422", "503"}
    rule = rule_of(route)
    if rule is not None and Role.PUBLIC not in rule.roles:
        may.add("403")
    if _is_limited(route.dependant):
        may.add("429")
    if method != "get":
        may |= {"404", "409"}
    if any(one["in"] == "path" for one in operation.get("parameters", ())):
        may.add("404")
    if "requestBody" in operation:
        may |= {"400", "413"}
    return may


def _is_limited(dependant: Dependant) -> bool:
    return getattr(dependant.call, "__module__", "") == rate.__name__ or any(map(_is_limited, dependant.dependencies))


def _describe(method: str, operation: dict[str, Any], route: APIRoute | None) -> None:
    """Every status that may come: an answer that is not in the document is a mistake, of the one or of the other."""
    if route is None:
        return
    rule = rule_of(route)
    answers = operation.setdefault("responses", {})
    for status in _problems_of(method, operation, route) | (_SAID.keys() & answers.keys()):
        said = answers.get(status, {}).get("description", "")
        own = "" if said in ("", "Validation Error") else said
        if answers.get(status, {}).get("content", {}).keys() <= {"application/problem+json"} or status == "422":
            answers[status] = {"description": own or _SAID[status], "content": _PROBLEM_BODY}
    for one in operation.get("parameters", ()):
        _bar_nul(one["schema"])
    if rule is not None:
        operation["x-roles"] = [role.value for role in rule.roles]
        operation["x-scope"] = rule.scope
        operation["security"] = _security(rule.roles)
