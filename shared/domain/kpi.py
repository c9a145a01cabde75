"""The published figures, each with its definition in words; pure arithmetic over plain rows (DOMAIN 5.4).

Days are local. A cohort is the repairs verified in one month; a figure over n days is given only once n days have
passed since the cohort's last day, because younger cohorts look better than they are.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil
from statistics import median

from shared.domain.deadlines import add_months
from shared.domain.terms import Band, VisitOutcome
from shared.errors import Invalid

_QUARTER = re.compile(r"([12][0-9]{3})Q([1-4])")


@dataclass(frozen=True, slots=True)
class Period:
    """Days, both inclusive."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def months(self) -> Iterator["Period"]:
        """The calendar months that lie wholly in the period."""
        start = self.first if self.first.day == 1 else add_months(self.first.replace(day=1), 1)
        while (end := add_months(start, 1) - timedelta(days=1)) <= self.last:
            yield Period(start, end)
            start = end + timedelta(days=1)


@dataclass(frozen=True, slots=True, order=True)
class Quarter:
    """A quarter of a calendar year, written 2026Q4."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> "Quarter":
        """Read "2026Q4".

        Raises:
            Invalid: it is no quarter.
        """
        found = _QUARTER.fullmatch(text.upper())
        if found is None:
            raise Invalid(f"{text!r} is not a quarter; write for example 2026Q4.", {"quarter": "is not like 2026Q4"})
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def of(cls, day: date) -> "Quarter":
        return cls(day.year, (day.month + 2) // 3)

    def __str__(self) -> str:
        return f"{self.year}Q{self.number}"

    @property
    def period(self) -> Period:
        first = date(self.year, 3 * self.number - 2, 1)
        return Period(first, add_months(first, 3) - timedelta(days=1))

    @property
    def before(self) -> "Quarter":
        return Quarter.of(self.period.first - timedelta(days=1))


@dataclass(frozen=True, slots=True)
class Figure:
    """A published figure. `value` None: there is nothing to count, or the cohorts are too young (`note` says which)."""

    name: str
    value: float | None
    counted: int
    of: int
    definition: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """A permanent repair that was verified. `visits`: attendances it took, aborted ones included.

    `recalled_on`: the days on which its failures were first seen that were found attributable to it.
    """

    contractor: str
    band: Band
    verified_on: date
    visits: int
    recalled_on: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class Response:
    """A clock that ran out or was met. `done_at` None: not yet. `due_at` as last computed."""

    band: Band
    due_at: datetime
    due_on: date
    done_at: datetime | None


def rft(repairs: Iterable[Repair], days: int, period: Period, as_of: date) -> Figure:
    """Right first time within `days`, over the whole months of the period whose cohorts are old enough on `as_of`."""
    definition = (
        f"Permanent repairs verified in a month, done in one visit and without an attributable recall seen within "
        f"{days} days of verification, as a share of all permanent repairs verified in that month. Only months that "
        f"ended at least {days} days ago are counted."
    )
    old_enough = [month for month in period.months() if month.last + timedelta(days=days) <= as_of]
    cohort = [repair for repair in repairs if any(repair.verified_on in month for month in old_enough)]
    right = sum(_right_first_time(repair, days) for repair in cohort)
    months = sum(1 for _ in period.months())
    note = f"{len(old_enough)} of {months} months are old enough."
    return share(f"rft_{days}", right, len(cohort), definition, note)


def _right_first_time(repair: Repair, days: int) -> bool:
    last = repair.verified_on + timedelta(days=days)
    return repair.visits == 1 and all(seen > last for seen in repair.recalled_on)


def right_so_far(repairs: Iterable[Repair], month: Period) -> Figure:
    """Right first time of a month that goes on, or whose repairs may still fail: for watching, not for publishing."""
    cohort = [repair for repair in repairs if repair.verified_on in month]
    right = sum(repair.visits == 1 and not repair.recalled_on for repair in cohort)
    definition = (
        "Permanent repairs verified this month that were done in one visit and of which no failure was found "
        "attributable so far, as a share of all permanent repairs verified this month."
    )
    return share("rft_so_far", right, len(cohort), definition, "So far: the month goes on, and repairs may still fail.")


def first_visit_permanent(first_visits: Iterable[VisitOutcome]) -> Figure:
    """`first_visits`: the outcome of the first attendance of each order first attended in the period."""
    outcomes = list(first_visits)
    permanent = outcomes.count(VisitOutcome.PERMANENT)
    definition = "First attendances that ended with a permanent repair, as a share of all first attendances."
    return share("first_visit_permanent", permanent, len(outcomes), definition)


def recall_rate(repairs: Iterable[Repair], period: Period) -> Figure:
    """Young cohorts are counted too: the figure can still rise."""
    cohort = [repair for repair in repairs if repair.verified_on in period]
    recalled = sum(bool(repair.recalled_on) for repair in cohort)
    definition = (
        "Permanent repairs verified in the period of which a failure was found attributable so far, as a share of all "
        "permanent repairs verified in the period."
    )
    return share("recall_rate", recalled, len(cohort), definition)


def dispute_rate(disputed: Iterable[bool]) -> Figure:
    """`disputed`: for each recall proposed in the period, whether the contractor has disputed it."""
    recalls = list(disputed)
    definition = (
        "Recalls proposed in the period that the contractor disputed, as a share of all recalls proposed in it."
    )
    return share("dispute_rate", sum(recalls), len(recalls), definition)


def in_time(responses: Iterable[Response], period: Period, as_of: datetime, clock: str) -> list[Figure]:
    """A figure for each band that had something due in the period. `clock`: make_safe, permanent, verify or triage."""
    due = [one for one in responses if one.due_on in period and (one.done_at is not None or one.due_at < as_of)]
    definition = in_time_definition(clock)
    return [_in_time(band, [one for one in due if one.band is band], clock, definition) for band in _bands(due)]


def in_time_definition(clock: str) -> str:
    """What `in_time` tells of a clock."""
    return (
        f"Clocks ({clock}) due in the period that were met by their due time, as a share of all due in it. Those not "
        f"yet due are left out; those late and still open count as not met."
    )


def _in_time(band: Band, due: Sequence[Response], clock: str, definition: str) -> Figure:
    met = sum(one.done_at is not None and one.done_at <= one.due_at for one in due)
    return share(f"in_time_{clock}_{band}", met, len(due), definition)


def _bands(rows: Iterable[Response]) -> list[Band]:
    return sorted({one.band for one in rows}, key=lambda band: band.urgency)


@dataclass(frozen=True, slots=True)
class Ages:
    """How old open things are, in whole days."""

    name: str
    count: int
    median: float | None
    p90: int | None
    oldest: int | None
    definition: str


def make_safe_ageing(made_safe_on: Iterable[date], as_of: date) -> Ages:
    """`made_safe_on`: of each defect that was made safe and has no permanent repair yet, the day."""
    definition = "Days since defects were made safe that are not permanently repaired yet."
    return _ages("make_safe_ageing", [(as_of - day).days for day in made_safe_on], definition)


def days_to_repair(known_and_repaired: Iterable[tuple[date, date]]) -> Ages:
    """For each defect permanently repaired in the period: the day of first knowledge and the day of completion."""
    definition = "Days from first knowledge of a defect to the completion of its permanent repair, in the period."
    return _ages("days_to_repair", [(repaired - known).days for known, repaired in known_and_repaired], definition)


def _ages(name: str, days: list[int], definition: str) -> Ages:
    if not days:
        return Ages(name, 0, None, None, None, definition)
    days.sort()
    return Ages(name, len(days), median(days), days[ceil(0.9 * len(days)) - 1], days[-1], definition)


def backlog(bands_and_overdue: Iterable[tuple[Band, bool]]) -> list[Figure]:
    """For each open defect its band and whether it is overdue: a figure a band, the overdue as a share of the open."""
    rows = list(bands_and_overdue)
    definition = "Open defects at the end of the period; the value is the share of them that is past its due time."
    figures = []
    for band in sorted({band for band, _ in rows}, key=lambda one: one.urgency):
        overdue = [late for its_band, late in rows if its_band is band]
        figures.append(share(f"backlog_{band}", sum(overdue), len(overdue), definition))
    return figures


def share(name: str, counted: int, of: int, definition: str, note: str = "") -> Figure:
    """A share such as of reports that were duplicates, with its own definition."""
    nothing = "" if of else "Nothing to count."
    return Figure(name, counted / of if of else None, counted, of, definition, note or nothing)
