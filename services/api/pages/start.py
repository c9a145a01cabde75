"""The resident's start at /: report a problem, look at the map, find a report, follow a place."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from services.api import templates
from services.api.deps import PUBLIC, Asker, Now, requires
from shared.settings import settings
from shared.store.engine import LOST, reading
from shared.store.read_models import this_week

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

COUNTED_EVERY = timedelta(minutes=1)


@router.get("/")
def start(now: Now, __: Annotated[Asker, requires(PUBLIC)]) -> HTMLResponse:
    """Also when the database is away: then without the figures."""
    try:
        week = _counted(settings().database_url, int(now.timestamp() // COUNTED_EVERY.total_seconds()))
    except LOST:
        week = ()
    return templates.page("start.html", week=week if any(number for _, number in week) else ())


@lru_cache(maxsize=2)
def _counted(database_url: str, minute: int) -> tuple[tuple[str, int], ...]:
    """Counted once a minute, however many come. `database_url` is there so that another database counts anew."""
    del database_url
    with reading() as tx:
        return tuple(this_week.counts(tx, datetime.fromtimestamp(minute * COUNTED_EVERY.total_seconds(), UTC)))
