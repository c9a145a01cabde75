"""A month at a glance: which months stand beside it, what was open at the end of each, which cohorts are old enough.

Months are local. What was open then is reckoned back from what is open now, by what came and went since.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from shared.domain.deadlines import Clock, Unit, add_months
from shared.domain.kpi import Period
from shared.domain.policy import Policy
from shared.errors import Invalid

_WRITTEN = re.compile(r"(19[0-9]{2}|2[01][0-9]{2})-(0[1-9]|1[0-2])", re.ASCII)
TREND = 13
"""Months of a trend: a year, and the same month a year before it."""


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month, written 2026-10."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> "Month":
        """Read "2026-10".

        Raises:
            Invalid: it is no month from 1900 to 2199.
        """
        found = _WRITTEN.fullmatch(text)
        if found is None:
            raise Invalid(f"{text!r} is not a month; write for example 2026-10.", {"month": "is not like 2026-10"})
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def of(cls, day: date) -> "Month":
        return cls(day.year, day.month)

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"

    @property
    def period(self) -> Period:
        first = date(self.year, self.number, 1)
        return Period(first, add_months(first, 1) - timedelta(days=1))

    def later(self, months: int) -> "Month":
        """So many months later; earlier, where it is negative."""
        return Month.of(add_months(self.period.first, months))

    @property
    def year_before(self) -> "Month":
        return self.later(-12)

    def is_old_enough(self, days: int, as_of: date) -> bool:
        """Whether a cohort of this month can be told of after so many days (domain/kpi.py)."""
        return self.told_on(days) <= as_of

    def told_on(self, days: int) -> date:
        """The first day on which a figure over so many days can be told of this month's cohort."""
        return self.period.last + timedelta(days=days)


@dataclass(frozen=True, slots=True)
class Moves:
    """What a month saw: defects that became open and that ended; recorded; repairs verified; recalls proposed."""

    came: int = 0
    went: int = 0
    defects: int = 0
    repairs: int = 0
    recalls: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """Defects open at a month's start, those that came and went, and those open at its end (or now)."""

    month: Month
    start: int
    came: int
    went: int
    end: int


def standings(open_now: int, moves: Mapping[Month, Moves], last: Month, many: int = TREND) -> list[Standing]:
    """So many months to the last one, oldest first. `moves` hold every month from the first of them to now."""
    end = open_now - sum(one.came - one.went for month, one in moves.items() if month > last)
    found = []
    for back in range(many):
        month = last.later(-back)
        one = moves.get(month, Moves())
        start = end - one.came + one.went
        found.append(Standing(month, start, one.came, one.went, end))
        end = start
    return found[::-1]


def newest_old_enough(month: Month, days: int, as_of: date) -> Month:
    """This month, or the newest before it whose cohort is old enough."""
    while not month.is_old_enough(days, as_of):
        month = month.later(-1)
    return month


def longest_clock(policies: Iterable[Policy]) -> timedelta:
    """No make-safe and no permanent clock of these policies is longer, holidays and all."""
    lengths = [_at_most(clock) for policy in policies for clock in _clocks(policy)]
    return max(lengths, default=timedelta()) + timedelta(days=2)


def _clocks(policy: Policy) -> Sequence[Clock]:
    of_bands = [clock for rule in policy.bands.values() for clock in (rule.make_safe, rule.permanent)]
    others = [policy.warranty.recall_due, policy.gully.flooding, policy.gully.risk]
    return [clock for clock in (*of_bands, *others) if clock is not None]


def _at_most(clock: Clock) -> timedelta:
    """Calendar time that the clock never passes: of seven days at least three are worked, even at Christmas."""
    days = {Unit.HOURS: 1 / 24, Unit.WORKING_DAYS: 7 / 3, Unit.DAYS: 1, Unit.MONTHS: 31}[clock.unit]
    return timedelta(days=clock.count * days + 7)
