"""The published figures over HTTP: of any period, each with its definition, beside what was frozen of a quarter."""

from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.api.deps import PUBLIC, Asker, Now, Read, requires
from services.api.rate import FiguresLimit
from services.api.schemas import Day
from shared.domain.kpi import Period, Quarter
from shared.errors import Invalid
from shared.store import figures, policies
from shared.store.read_models import kpis

router = APIRouter(prefix="/api/v1/kpis", tags=["figures"])

KpiDay = Annotated[Day, Field(ge=date(1900, 1, 1), le=date(2200, 1, 1))]
LONGEST = timedelta(days=366 * 5)


class CountOut(BaseModel):
    name: str = Field(examples=["reports"])
    count: int
    definition: str


class FigureOut(BaseModel):
    """A share: `counted` of `of`. `value` is null where there is nothing to count, or the cohorts are too young."""

    name: str = Field(examples=["rft_90"])
    value: float | None
    counted: int
    of: int
    definition: str
    note: str = ""


class AgesOut(BaseModel):
    """Whole days."""

    name: str = Field(examples=["make_safe_ageing"])
    count: int
    median: float | None
    p90: int | None
    oldest: int | None
    definition: str


class Frozen(BaseModel):
    """A quarter as it was published. `why` says what late facts changed against the revision before."""

    quarter: str = Field(examples=["2026Q3"])
    revision: int
    frozen_at: str
    why: str
    figures: dict[str, Any]


class Kpis(BaseModel):
    first: str = Field(alias="from", examples=["2026-10-01"])
    last: str = Field(alias="to", examples=["2026-12-31"])
    as_of: str
    counts: list[CountOut]
    figures: list[FigureOut]
    ages: list[AgesOut]
    contractors: dict[str, list[FigureOut]] = Field(description="Right first time and recalls of each contractor")
    frozen: list[Frozen] = Field(description="If the period is a quarter: its published revisions, the newest first")


@router.get("", response_model=Kpis)
def read_kpis(
    asker: Annotated[Asker, requires(PUBLIC)],
    limited: FiguresLimit,
    tx: Read,
    now: Now,
    first: Annotated[KpiDay | None, Query(alias="from", description="First day; else of this quarter")] = None,
    last: Annotated[KpiDay | None, Query(alias="to", description="Last day, inclusive; else of its quarter")] = None,
) -> dict[str, Any]:
    """The figures of a period, recomputed from the record now, with their definitions."""
    del asker, limited
    rules = policies.in_force(tx, now)
    start = first or Quarter.of(now.astimezone(rules.calendar.tz).date()).period.first
    period = Period(start, last or Quarter.of(start).period.last)
    if not period.first <= period.last <= period.first + LONGEST:
        raise Invalid(
            "The last day is not before the first, nor more than five years later.", {"to": "is out of range"}
        )
    quarter = Quarter.of(period.first)
    frozen = figures.snapshots(tx, str(quarter)) if quarter.period == period else []
    return {**kpis.published(tx, period, now, rules), "frozen": [_frozen(one) for one in frozen]}


def _frozen(one: figures.Snapshot) -> dict[str, Any]:
    return {
        "quarter": one.quarter,
        "revision": one.revision,
        "frozen_at": one.frozen_at.isoformat(),
        "why": one.why,
        "figures": one.figures,
    }
