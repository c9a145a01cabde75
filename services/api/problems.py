"""Turns refusals and failures into RFC 9457 problem details or a page. Only this module knows their status codes."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import orjson
import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DataError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from services.api import hub, problem_pages
from shared import errors
from shared.logs import correlation, logger
from shared.store.engine import LOST, collided

log = logger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = {"Retry-After": "2"}
"""Seconds after which whoever met a lost part should ask again."""

STATUS: Mapping[type[errors.Refusal], int] = {
    errors.Invalid: 422,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.NotAllowed: 403,
    errors.SignInNeeded: 401,
    errors.TooLarge: 413,
    errors.TooMany: 429,
    errors.Unavailable: 503,
    errors.Refusal: 409,
}


class Other(NamedTuple):
    """A problem that is no refusal of ours: the framework's, the connection's, our own failure."""

    status: int
    code: str
    title: str
    words: str


OTHERS = (
    Other(400, "bad-request", "Bad request", "What came cannot be read as a request."),
    Other(
        405, "method-not-allowed", "This address does not take that method", "The header Allow lists those it takes."
    ),
    Other(408, "too-slow", "Refused", "The request did not come in time. Send it again over a better connection."),
    Other(415, "unsupported-media-type", "This kind of body is not taken here", "/api/docs says which one is."),
    Other(431, "head-too-large", "Refused", "The address and the headers are too long together."),
    Other(
        500, "internal-error", "Internal error", "Our fault, and recorded. Quote the correlation id when you tell us."
    ),
)
_FRAMEWORK = {one.status: (one.code, one.title) for one in OTHERS} | {
    401: (errors.SignInNeeded.code, errors.SignInNeeded.title),
    403: (errors.NotAllowed.code, errors.NotAllowed.title),
    404: (errors.NotFound.code, errors.NotFound.title),
    413: (errors.TooLarge.code, errors.TooLarge.title),
}


def problem(
    status: int,
    code: str,
    title: str,
    detail: str,
    errors: Iterable[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
    more: Mapping[str, object] | None = None,
) -> Response:
    """A problem: `type` and `title` are stable, `detail` is for this case, `errors` lists fields and reasons.

    `more` are members of this kind's own.
    """
    body: dict[str, object] = {
        "type": f"/problems/{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "correlation": correlation(),
        **(more or {}),
    }
    if listed := list(errors):
        body["errors"] = listed
    return Response(orjson.dumps(body), status, dict(headers or {}), MEDIA_TYPE)


def answer(
    scope: Scope,
    status: int,
    code: str,
    title: str,
    detail: str,
    errors: Iterable[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
    more: Mapping[str, object] | None = None,
) -> Response:
    """A problem, or where the request of this scope came from a person who reads pages, a page that says it."""
    if problem_pages.are_wanted(scope):
        if status == 401 and hub.is_hub(scope):
            return hub.to_sign_in(scope)
        return problem_pages.page(status, detail, headers or {})
    return problem(status, code, title, detail, errors, headers, more)


def status_of_class(kind: type[errors.Refusal]) -> int:
    """The status of a kind of refusal: that of the nearest class above it."""
    return next(STATUS[above] for above in kind.__mro__ if above in STATUS)


async def on_refusal(request: Request, refusal: Exception) -> Response:
    if not isinstance(refusal, errors.Refusal):
        raise refusal
    status = status_of_class(type(refusal))
    fields = [{"field": name, "reason": reason} for name, reason in refusal.errors.items()]
    headers = _headers(status, refusal)
    return answer(
        request.scope, status, refusal.code, refusal.title, refusal.detail, fields, headers, more=refusal.more
    )


def _headers(status: int, refusal: errors.Refusal) -> dict[str, str]:
    if status == 401:
        return {"WWW-Authenticate": 'Bearer realm="roadmend"'}
    if isinstance(refusal, errors.TooMany):
        return {"Retry-After": str(refusal.retry_after)}
    return RETRY_AFTER if status == 503 else {}


async def on_lost_database(request: Request, error: Exception) -> Response:
    if collided(error):
        log.warning("collided", error=type(error).__name__)
        detail = (
            "Somebody else was changing the same thing at this moment. Nothing was done; try again, with the same "
            "Idempotency-Key."
        )
        return answer(request.scope, 503, errors.Collided.code, errors.Collided.title, detail, headers=RETRY_AFTER)
    log.warning("database_lost", error=type(error).__name__)
    detail = "The database does not answer now. Nothing was done; ask again in a moment, with the same Idempotency-Key."
    return answer(request.scope, 503, errors.Unavailable.code, errors.Unavailable.title, detail, headers=RETRY_AFTER)


async def on_unfit_value(request: Request, error: Exception) -> Response:
    """What the database cannot hold, such as a NUL in a text: a form that no rule of ours had refused before."""
    log.warning("value_unfit", error=type(error).__name__)
    invalid = errors.Invalid
    detail = "A value of the request cannot be kept: no text holds a NUL."
    return answer(request.scope, 422, invalid.code, invalid.title, detail)


async def on_bad_request(request: Request, error: Exception) -> Response:
    """A body, query or path that does not have the form that the documentation gives."""
    if not isinstance(error, RequestValidationError):
        raise error
    if problem_pages.are_wanted(request.scope):
        # A form of ours asks what it needs by itself; the names of parameters say nothing to a person.
        return problem_pages.page(422, "", {})
    listed = [{"field": _field(one["loc"]), "reason": str(one["msg"])} for one in error.errors()]
    named = ", ".join(sorted({one["field"] for one in listed}))
    invalid = errors.Invalid
    detail = f"Put this right and send it again: {named}."
    return answer(request.scope, 422, invalid.code, invalid.title, detail, listed)


def _field(location: Iterable[object]) -> str:
    """Where it is, as a reader writes it: location.lat, or query.limit."""
    parts = [str(part) for part in location]
    inner = parts[1:] if parts[:1] == ["body"] else parts
    return ".".join(inner) or "body"


async def on_http_error(request: Request, error: Exception) -> Response:
    """What the framework itself refuses: unknown addresses, methods, bodies that cannot be parsed."""
    if not isinstance(error, HTTPException):
        raise error
    code, title = _FRAMEWORK.get(error.status_code, (errors.Refusal.code, errors.Refusal.title))
    headers = {"Allow": _allowed(request)} if error.status_code == 405 else error.headers
    return answer(request.scope, error.status_code, code, title, str(error.detail), headers=headers)


def _allowed(request: Request) -> str:
    """The methods that an address takes, over all routes of its pattern; the framework tells those of the first."""
    taking = [one for one in request.app.routes if one.matches(request.scope)[0] is not Match.NONE]
    alike = (one for one in taking if one.path == taking[0].path)
    return ", ".join(sorted({method for one in alike for method in one.methods or ()}))


def unexpected(scope: Scope) -> Response:
    """Our fault: said without details, with the id under which the log holds them."""
    detail = "Something went wrong on our side. It was recorded; quote the correlation id when you tell us."
    code, title = _FRAMEWORK[500]
    return answer(scope, 500, code, title, detail)


def install(app: FastAPI) -> None:
    """Answer every refusal and failure with a problem."""
    app.add_exception_handler(errors.Refusal, on_refusal)
    app.add_exception_handler(RequestValidationError, on_bad_request)
    app.add_exception_handler(HTTPException, on_http_error)
    for unfit in (DataError, psycopg.DataError):
        app.add_exception_handler(unfit, on_unfit_value)
    for lost in (*LOST, PoolTimeout):
        app.add_exception_handler(lost, on_lost_database)
