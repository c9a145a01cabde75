"""The status page, the list of what the API can do, and what its problems mean."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from services.api import templates
from services.api.deps import PUBLIC, Asker, Now, requires
from services.api.problems import OTHERS, status_of_class
from shared.errors import NotFound, Refusal
from shared.store import health, policies
from shared.store.engine import LOST, ReadTx, reading
from shared.store.read_models import today

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

ANYBODY = requires(PUBLIC)


@router.get("/status")
def status(now: Now, _: Annotated[Asker, ANYBODY]) -> HTMLResponse:
    """What this is, what happened today, and how its parts are; also when the database is away."""
    counted: list[tuple[str, int]] = []
    authority, at = None, now
    try:
        with reading() as tx:
            authority, at = _whose(tx, now)
            counted = today.counts(tx, at.replace(hour=0, minute=0, second=0, microsecond=0))
    except LOST:
        pass
    return templates.page("status.html", authority=authority, today=counted, at=at, parts=health.parts(now))


def _whose(tx: ReadTx, now: datetime) -> tuple[str | None, datetime]:
    """The authority's name and its local time; None and UTC while no policy is adopted."""
    try:
        policy = policies.in_force(tx, now).policy
    except NotFound:
        return None, now
    return policy.meta.authority, now.astimezone(ZoneInfo(policy.calendar.timezone))


@router.get("/api/docs")
def docs(request: Request, _: Annotated[Asker, ANYBODY]) -> HTMLResponse:
    """What the API can do, for people. Made from the OpenAPI document, without anything from elsewhere."""
    document = request.app.openapi()
    by_tag: dict[str, list[dict[str, Any]]] = {}
    for operation in _operations(document):
        by_tag.setdefault(operation["tag"], []).append(operation)
    about = document["info"]["description"].replace("**", "").replace("`", "").split("\n\n")
    return templates.page("docs.html", about=about, by_tag=sorted(by_tag.items()))


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield {
                "tag": (operation.get("tags") or ["other"])[0],
                "method": method.upper(),
                "path": path,
                "words": operation.get("description") or operation.get("summary", ""),
                "roles": operation.get("x-roles", []),
                "scope": operation.get("x-scope"),
            }


@router.get("/problems")
def problems(_: Annotated[Asker, ANYBODY]) -> HTMLResponse:
    """Every problem that an answer's `type` may name."""
    return templates.page("problems.html", problems=sorted(_problems(), key=lambda one: str(one["code"])))


@router.get("/problems/{code}")
def problem(code: str, _: Annotated[Asker, ANYBODY]) -> HTMLResponse:
    """One of them: where the `type` of a problem leads."""
    found = [one for one in _problems() if one["code"] == code]
    if not found:
        raise NotFound("There is no such problem. /problems lists them.")
    return templates.page("problems.html", problems=found[:1])


def _problems() -> Iterator[dict[str, Any]]:
    yield from _refusals(Refusal)
    yield from (one._asdict() for one in OTHERS)


def _refusals(kind: type[Refusal]) -> Iterator[dict[str, Any]]:
    words = " ".join((kind.__doc__ or "").split("\n\n")[0].split())
    yield {"code": kind.code, "title": kind.title, "words": words, "status": status_of_class(kind)}
    for below in kind.__subclasses__():
        yield from _refusals(below)
