"""What the hub's board shows: its counters, where what waits for people lies, and any past day from the record."""

import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, FastAPI, Path, Query, Request
from pydantic import BaseModel, Field
from sqlalchemy import Row

from services.api.deps import STAFF, Asker, Now, Read, requires
from services.api.schemas import Day
from shared.domain.deadlines import add_months
from shared.domain.kpi import Figure, Period
from shared.errors import NotFound
from shared.store import policies
from shared.store.engine import ReadTx
from shared.store.figures import Span
from shared.store.read_models import board, past_day
from shared.store.read_models.board import MOST_POINTS

router = APIRouter(prefix="/api/v1/board", tags=["board"])

READER = requires(*STAFF, scope="defects:read")
BEFORE_A_POLICY = ZoneInfo("Europe/London")
KEPT_SECONDS = 15.0
"""A share of repairs is reckoned again after so long, even where nothing seems to have been recorded."""


class Today(BaseModel):
    """The day on the county's clock."""

    start: datetime = Field(alias="from")
    end: datetime = Field(alias="before", description="The first moment of tomorrow")


class InBand(BaseModel):
    band: str | None = Field(description="Null: not graded yet", examples=["P2"])
    open: int
    overdue: int


class Share(BaseModel):
    """Of the permanent repairs verified this month, how many were right first time so far."""

    counted: int
    of: int = Field(description="The cohort: all that were verified this month")
    value: float | None = Field(description="From 0 to 1; null: none was verified yet")
    definition: str


class Board(BaseModel):
    """The counters of the hub's board, all counted at one moment."""

    at: datetime
    number: int = Field(description="The feed's newest line then: what it tells is counted")
    today: Today
    bands: list[InBand] = Field(description="Open defects, the most urgent band first")
    open: int
    overdue: int = Field(description="Open defects of which a clock of repair has run out")
    due_today: int = Field(description="Open defects whose next clock of repair runs out today")
    unsure: int = Field(description="Reports of which a person must say whether they are of a known defect")
    danger: int = Field(description="Reports of danger that have not ended and that nobody has taken")
    parked: int = Field(description="Deliveries that failed too often and wait for a person")
    recalls: int = Field(description="Failures of repairs under warranty of which nobody has said whose they are")
    right_first_time: Share


@router.get("", response_model=Board)
def count_all(request: Request, tx: Read, now: Now, asker: Annotated[Asker, READER]) -> dict[str, Any]:
    """The counters, as of now. To know when to ask again, follow the feed: nothing here changes without a line of it,
    but what midnight makes due, and parked deliveries."""
    del asker
    return counted(tx, now, request.app.state.board)


def counted(tx: ReadTx, now: datetime, kept: "Kept") -> dict[str, Any]:
    """The same for a page."""
    zone = _zone(tx, now)
    today = _day(now.astimezone(zone).date(), zone)
    found = board.counts(tx, today)
    return {
        **asdict(found),
        "at": now,
        "today": {"from": today[0], "before": today[1]},
        "open": sum(one.open for one in found.bands),
        "overdue": sum(one.overdue for one in found.bands),
        "right_first_time": asdict(kept.right_first_time(tx, now, zone)),
    }


def _zone(tx: ReadTx, now: datetime) -> ZoneInfo:
    try:
        return policies.in_force(tx, now).calendar.tz
    except NotFound:
        return BEFORE_A_POLICY


def _day(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """A day's first moment and that of the next, on the county's clock."""
    first, past = (datetime(one.year, one.month, one.day, tzinfo=zone) for one in (day, day + timedelta(days=1)))
    return first, past


class Kept:
    """This process's newest share of the month, and what it was reckoned from."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: tuple[object, ...] = ()
        self._due = 0.0
        self._figure: Figure | None = None

    def right_first_time(self, tx: ReadTx, now: datetime, zone: ZoneInfo) -> Figure:
        """Reckoned anew when a repair was verified or called back since. One thread reckons; the others wait."""
        first = now.astimezone(zone).date().replace(day=1)
        of = (first, *board.last_of_repairs(tx))
        with self._lock:
            if self._figure is None or of != self._of or time.monotonic() >= self._due:
                month = Period(first, add_months(first, 1) - timedelta(days=1))
                span = Span(_day(month.first, zone)[0], _day(month.last, zone)[1], zone)
                self._figure = board.right_first_time(tx, month, span, now)
                self._of, self._due = of, time.monotonic() + KEPT_SECONDS
            return self._figure


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Each application reckons for itself."""
    app.state.board = Kept()
    yield


# --- where what waits is ---------------------------------------------------------------------------------------------


class Point(BaseModel):
    reference: str = Field(examples=["R-7K3M-9QXF"])
    lat: float
    lon: float
    class_code: str
    at: datetime = Field(description="Since when it waits")


class Points(BaseModel):
    points: list[Point] = Field(max_length=MOST_POINTS)


@router.get("/points/{what}")
def locate(
    what: Annotated[Literal["danger", "unsure", "recalls"], Path(description="Which counter's")],
    tx: Read,
    asker: Annotated[Asker, READER],
) -> Points:
    """Where that which waits for a person lies, the longest waiting first."""
    del asker
    return Points.model_validate({"points": board.points(tx, what)})


# --- a past day ------------------------------------------------------------------------------------------------------

OfDay = Annotated[Day, Path(ge=date(2000, 1, 1), le=date(2200, 1, 1), description="On the county's clock")]


class PastDay(BaseModel):
    """Which lines of the feed a day has: GET /api/v1/feed/lines gives them."""

    day: date
    start: datetime = Field(alias="from")
    end: datetime = Field(alias="before")
    first: int | None = Field(description="The first line's number; null: nothing happened")
    last: int | None


@router.get("/days/{day}", response_model=PastDay)
def describe_day(day: OfDay, tx: Read, now: Now, asker: Annotated[Asker, READER]) -> dict[str, Any]:
    """A day of the record, to be played again."""
    del asker
    start, end = _day(day, _zone(tx, now))
    found = past_day.stretch(tx, start, end)
    return {"day": day, "from": start, "before": end, "first": found.first, "last": found.last}


Standing = Annotated[list[str | float | bool | None], Field(min_length=8, max_length=8)]


class Standings(BaseModel):
    """Rows of: reference, latitude, longitude, class, state, band, overdue, and when it came, where that was later."""

    defects: list[Standing]
    next: int | None = Field(description="`after` of the next page; null when there is no more")


@router.get("/days/{day}/defects")
def list_standing(
    day: OfDay,
    tx: Read,
    now: Now,
    asker: Annotated[Asker, READER],
    after: Annotated[int, Query(ge=0, le=2**62)] = 0,
    limit: Annotated[int, Query(ge=1, le=20_000)] = 10_000,
) -> Standings:
    """The defects that were open when the day began, as they were then; and those that machines founded in it."""
    del asker
    start, end = _day(day, _zone(tx, now))
    rows = past_day.defects(tx, start, end, after=after, most=limit + 1)
    shown = rows[:limit]
    return Standings.model_construct(
        defects=[_standing(row) for row in shown], next=shown[-1].id if len(rows) > limit else None
    )


def _standing(row: Row[Any]) -> Standing:
    where = (round(row.lat, 6), round(row.lon, 6))
    came = None if row.appeared is None else row.appeared.isoformat()
    return [row.reference, *where, row.class_code, row.state, row.band, row.overdue, came]
