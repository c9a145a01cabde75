"""The board's counters, in one look: what is open by band, what is due, late or unread, what waits for a person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CompoundSelect, RowMapping, bindparam, func, literal_column, select, text, union_all

from shared.domain import kpi
from shared.domain.kpi import Figure, Period
from shared.domain.terms import Band
from shared.store import feed, figures
from shared.store.engine import ReadTx
from shared.store.figures import Span
from shared.store.read_models import defect_map
from shared.store.read_models.dangers import UNTAKEN
from shared.store.read_models.defect_map import Wanted
from shared.store.tables import OPEN_STATES, defect, delivery, event, question, recall, report

UNDECIDED = ("proposed", "disputed")
"""Recalls of which nobody has said yet whose the failure is."""
BANDS: tuple[str | None, ...] = (*sorted(Band, key=lambda band: band.urgency), None)
"""In the order in which the board shows them; None: not graded yet."""
MOST_POINTS = 1000


@dataclass(frozen=True, slots=True)
class InBand:
    """Open defects of one band; `band` None: not graded yet."""

    band: str | None
    open: int
    overdue: int


@dataclass(frozen=True, slots=True)
class Counts:
    """`number` is that of the feed's newest line when it was counted; what it tells is counted, and perhaps more."""

    number: int
    bands: Sequence[InBand]
    due_today: int
    unsure: int
    danger: int
    parked: int
    recalls: int


def open_in(states: Sequence[str] = OPEN_STATES) -> Any:
    """The condition of the partial indexes, spelt out, so that a prepared statement finds them."""
    return defect.c.state.in_(bindparam("open", list(states), expanding=True, literal_execute=True))


_BY_BAND = (
    select(
        defect.c.band,
        func.count().label("open"),
        func.count().filter(defect.c.overdue).label("overdue"),
    )
    .where(open_in())
    .group_by(defect.c.band)
)
_UNSURE = question.c.settled_at.is_(None)
_RECALLED = recall.c.state.in_(UNDECIDED)
_WAITING: CompoundSelect[Any] = union_all(
    *(
        select(literal_column(f"'{name}'").label("name"), func.count().label("count")).select_from(table).where(those)
        for name, table, those in (
            ("unsure", question, _UNSURE),
            ("danger", report, UNTAKEN),
            ("parked", delivery, delivery.c.parked_at.is_not(None)),
            ("recalls", recall, _RECALLED),
        )
    )
)


def counts(tx: ReadTx, today: tuple[datetime, datetime]) -> Counts:
    """Count, through indexes alone. `today`: its first moment, and the first of tomorrow (aware)."""
    tx.plan_for_values()
    by_band = {row.band: row for row in tx.execute(_BY_BAND)}
    waiting: dict[str, int] = dict(map(tuple, tx.execute(_WAITING)))
    return Counts(
        number=feed.last_number(tx),
        bands=[_in_band(band, by_band.get(band)) for band in BANDS],
        due_today=_due(tx, today),
        **waiting,
    )


def _in_band(band: str | None, row: Any) -> InBand:
    return InBand(band, 0, 0) if row is None else InBand(band, row.open, row.overdue)


def _due(tx: ReadTx, today: tuple[datetime, datetime]) -> int:
    """As many as the map shows with the same filter."""
    conditions, params = defect_map.conditions(Wanted(states=OPEN_STATES, due=today))
    found: int = tx.scalar(text(f"SELECT count(*) FROM defect WHERE {conditions}"), params)
    return found


# --- right first time ------------------------------------------------------------------------------------------------

RFT_KINDS = ("RepairVerified", "RecallDecided")
"""What changes a month's share of repairs that were right first time."""
_LAST = select(*(select(func.max(event.c.at)).where(event.c.kind == kind).scalar_subquery() for kind in RFT_KINDS))


def last_of_repairs(tx: ReadTx) -> tuple[datetime | None, ...]:
    """When each of `RFT_KINDS` was recorded last: while that stays, so does the figure."""
    return tuple(tx.execute(_LAST).one())


def right_first_time(tx: ReadTx, month: Period, span: Span, now: datetime) -> Figure:
    """Of the repairs verified this month so far; `span` is the month in time. It reads each of them: keep it."""
    return kpi.right_so_far(figures.repairs(tx, [span], now), month)


# --- where what waits is ---------------------------------------------------------------------------------------------

_POINTS: Mapping[str, Any] = {
    "danger": select(
        report.c.reference, report.c.lat, report.c.lon, report.c.class_code, report.c.received_at.label("at")
    )
    .where(UNTAKEN)
    .order_by(report.c.received_at),
    "unsure": select(
        report.c.reference, report.c.lat, report.c.lon, report.c.class_code, question.c.asked_at.label("at")
    )
    .join(question, question.c.report_id == report.c.id)
    .where(_UNSURE)
    .order_by(question.c.asked_at),
    "recalls": select(
        recall.c.reference, defect.c.lat, defect.c.lon, defect.c.class_code, recall.c.proposed_at.label("at")
    )
    .join(defect, defect.c.id == recall.c.defect_id)
    .where(_RECALLED)
    .order_by(recall.c.proposed_at),
}
WAITING = tuple(_POINTS)


def points(tx: ReadTx, what: str) -> list[RowMapping]:
    """What waits for a person, the longest waiting first, where it lies (degrees), `MOST_POINTS` of it at most."""
    return [row._mapping for row in tx.execute(_POINTS[what].limit(MOST_POINTS))]
