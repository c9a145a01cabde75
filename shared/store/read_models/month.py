"""A month at a glance: its figures beside those of the same month a year before, each with its definition."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from sqlalchemy import select

from shared.domain import kpi
from shared.domain.kpi import Figure, Period, Repair, Response, share
from shared.domain.month import TREND, Month, Moves, Standing, longest_clock, newest_old_enough, standings
from shared.domain.terms import Band
from shared.store import figures, months, policies
from shared.store.engine import ReadTx
from shared.store.figures import Span
from shared.store.policies import InForce
from shared.store.read_models.kpis import COUNTED
from shared.store.tables import policy_version

OF_BACKLOG = {
    "open_at_start": ("Open at the start", "Defects open when the month began: recorded, and not ended yet."),
    "came": ("Became open", "Defects that became open in the month: recorded by people or machines, or open again."),
    "went": ("Ended", "Defects that ended in the month: verified, merged, found to be none, or closed without repair."),
    "open_at_end": (
        "Open at the end",
        "Defects open when the month ended, or now. Start, and what came, less what went.",
    ),
}
OF_COUNTS = {
    "reports": "Reports",
    "dangerous": "Reports of danger",
    "detections": "Detections",
    "defects": "Defects recorded",
    "repairs": "Repairs verified",
    "recalls": "Recalls proposed",
}
OF_CLOCKS = {"make_safe": "Made safe", "permanent": "Repaired"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure of one month. A count has `value` alone; a share also what was counted, of how many. `value` None:
    nothing to count, or too young to be told (`note` says which)."""

    value: float | None
    counted: int | None = None
    of: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A figure of this month and of the same month a year before. `target`: what the policy aims at, of a share."""

    group: str
    name: str
    label: str
    this: Cell
    then: Cell
    definition: str
    target: float | None = None


@dataclass(frozen=True, slots=True)
class Company:
    """A contractor's repairs of both months, and its right first time of the newest cohort that is old enough and of
    the cohort of a year before."""

    name: str
    this: int
    then: int
    rft: Cell
    rft_then: Cell


@dataclass(frozen=True, slots=True)
class Glance:
    """`cohort` is the newest month whose repairs can be told of after `days`; `rft` theirs."""

    month: Month
    as_of: datetime
    is_over: bool
    lines: list[Line]
    trend: list[Standing]
    days: int
    cohort: Month
    rft: Cell
    companies: list[Company]


def glance(tx: ReadTx, month: Month, as_of: datetime, rules: InForce) -> Glance:
    """All of it as it stands at `as_of`, in a handful of statements however long the record is."""
    asked = _Asked(tx, month, as_of, rules)
    return Glance(
        month=month,
        as_of=as_of,
        is_over=month.period.last < asked.today,
        lines=[*asked.backlog(), *asked.counts(), *asked.in_time(), *asked.right_first_time()],
        trend=asked.trend,
        days=asked.days,
        cohort=asked.cohort,
        rft=_cell(asked.rft(asked.cohort, asked.days, asked.repairs)),
        companies=asked.companies(),
    )


class _Asked:
    """What was read for one page."""

    def __init__(self, tx: ReadTx, month: Month, as_of: datetime, rules: InForce) -> None:
        self.month, self.then, self.as_of, self.kpi = month, month.year_before, as_of, rules.policy.kpi
        self.zone = rules.calendar.tz
        self.today = as_of.astimezone(self.zone).date()
        self.days = 90 if 90 in self.kpi.rft_days else self.kpi.rft_days[0]
        self.cohort = newest_old_enough(month, self.days, self.today)
        self.both = (month, self.then)
        first = month.later(1 - TREND)
        self.moves = months.moves(tx, self.span(first).first, rules.policy.calendar.timezone)
        self.trend = standings(months.open_now(tx), self.moves, month)
        self.intake = {one: months.intake(tx, self.span(one)) for one in self.both}
        # Each by itself: of this month's clocks only the newest months of the record tell.
        longest = _longest(tx)
        self.clocks = {one: figures.clocks(tx, [self.span(one)], as_of, longest) for one in self.both}
        cohorts = sorted({*self.both, self.cohort})
        self.repairs = figures.repairs(tx, [self.span(one) for one in cohorts], as_of)
        self.names = {code: one.name for code, one in rules.policy.contractors.items()}

    def span(self, month: Month) -> Span:
        ends = (month.period.first, month.period.last + timedelta(days=1))
        first, past = (datetime.combine(day, time(), self.zone) for day in ends)
        return Span(first, past, self.zone)

    def backlog(self) -> Iterator[Line]:
        this, then = self.trend[-1], self.trend[0]
        for name, (label, words) in OF_BACKLOG.items():
            yield Line("Backlog", name, label, _of_standing(this, name), _of_standing(then, name), words)

    def counts(self) -> Iterator[Line]:
        for name, label in OF_COUNTS.items():
            this, then = (Cell({**self.intake[one], **_moved(self.moves.get(one, Moves()))}[name]) for one in self.both)
            yield Line("What came in", name, label, this, then, COUNTED[name].replace("the period", "the month"))

    def in_time(self) -> Iterator[Line]:
        for clock in OF_CLOCKS:
            told = [_by_name(_in_time(self.clocks[one][clock], one.period, self.as_of, clock)) for one in self.both]
            for name in sorted({*told[0], *told[1]}, key=_urgency):
                band = name.rpartition("_")[2]
                known = told[0].get(name) or told[1][name]
                label = f"{OF_CLOCKS[clock]} in time, {'all bands' if band == 'all' else band}"
                this, then = (_cell(one.get(name)) for one in told)
                target = next((goal for code, goal in self.kpi.in_time_target.items() if code == band), None)
                yield Line(
                    "In time", name, label, this, then, known.definition.replace("the period", "the month"), target
                )

    def right_first_time(self) -> Iterator[Line]:
        group = "Repairs verified in the month"
        for days in self.kpi.rft_days:
            told = [self.rft(one, days, self.repairs) for one in self.both]
            cells = [_cell(one, _too_young(of, days, self.today)) for of, one in zip(self.both, told, strict=True)]
            label = f"Right first time, {days} days"
            yield Line(group, f"rft_{days}", label, cells[0], cells[1], told[0].definition)
        this, then = (kpi.recall_rate(self.repairs, one.period) for one in self.both)
        words = this.definition.replace("the period", "the month")
        yield Line(group, "recall_rate", "Recalled so far", _cell(this), _cell(then), words)

    def rft(self, month: Month, days: int, repairs: Sequence[Repair]) -> Figure:
        """Of a cohort that is too young its size is told all the same."""
        size = sum(one.verified_on in month.period for one in repairs)
        found = kpi.rft(repairs, days, month.period, self.today)
        return replace(found, of=size) if size and not found.of else found

    def companies(self) -> list[Company]:
        codes = sorted({one.contractor for one in self.repairs}, key=lambda code: self.names.get(code, code))
        return [self.company(code, [one for one in self.repairs if one.contractor == code]) for code in codes]

    def company(self, code: str, own: list[Repair]) -> Company:
        this, then = (sum(one.verified_on in month.period for one in own) for month in self.both)
        told, before = (_cell(self.rft(month, self.days, own)) for month in (self.cohort, self.then))
        return Company(self.names.get(code, code), this, then, told, before)


def _of_standing(one: Standing, name: str) -> Cell:
    return Cell({"open_at_start": one.start, "came": one.came, "went": one.went, "open_at_end": one.end}[name])


def _moved(one: Moves) -> dict[str, int]:
    return {"defects": one.defects, "repairs": one.repairs, "recalls": one.recalls}


def _in_time(responses: list[Response], period: Period, as_of: datetime, clock: str) -> list[Figure]:
    """Of each band, and of all of them together."""
    of_bands = kpi.in_time(responses, period, as_of, clock)
    met, due = sum(one.counted for one in of_bands), sum(one.of for one in of_bands)
    return [share(f"in_time_{clock}_all", met, due, kpi.in_time_definition(clock)), *of_bands]


def _by_name(told: list[Figure]) -> dict[str, Figure]:
    return {one.name: one for one in told}


def _urgency(name: str) -> int:
    """All bands first, then the most urgent."""
    band = name.rpartition("_")[2]
    return -1 if band == "all" else Band(band).urgency


def _cell(figure: Figure | None, young: str = "") -> Cell:
    if figure is None:
        return Cell(None, 0, 0, "Nothing to count.")
    return Cell(figure.value, figure.counted, figure.of, young or ("" if figure.of else "Nothing to count."))


def _too_young(month: Month, days: int, today: date) -> str:
    if month.is_old_enough(days, today):
        return ""
    on = month.told_on(days)
    return f"Too young: told from {on.day} {on:%B %Y}."


def _longest(tx: ReadTx) -> timedelta:
    known = tx.scalars(select(policy_version.c.id)).all()
    return longest_clock(policies.version(tx, one).policy for one in known)
