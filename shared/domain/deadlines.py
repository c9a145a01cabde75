"""When a thing is due: elapsed hours, calendar days and months, and working days with cut-off and bank holidays.

Hours are real elapsed time, reckoned in UTC, so a clock change never lengthens or shortens an emergency. Days end at
23:59:59 on the local clock. Times go in and come out aware; `Due.at` is UTC (DOMAIN 1.5).
"""

import calendar as month_table
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

from shared.errors import Refusal

END_OF_DAY = time(23, 59, 59)
_CLOCK = re.compile(r"(?P<count>[1-9][0-9]{0,3})(?P<unit>h|wd|d|m)")
_SATURDAY = 5


class CalendarUnknown(Refusal):
    """Working days were asked for in a year whose bank holidays are not known. Guessing would be silently wrong."""

    code = "calendar-unknown"
    title = "Bank holidays of that year are not known"


class NotAClock(Refusal):
    """The text does not say how long."""

    code = "not-a-clock"
    title = "Not a clock"


class NotATime(Refusal):
    """The local clock shows this time never, or twice, or no zone is known for it."""

    code = "not-a-time"
    title = "Not a single moment"


class Unit(StrEnum):
    """h: elapsed hours; wd: working days; d: calendar days; m: calendar months."""

    HOURS = "h"
    WORKING_DAYS = "wd"
    DAYS = "d"
    MONTHS = "m"


_WORDS = {Unit.HOURS: "elapsed hour", Unit.WORKING_DAYS: "working day", Unit.DAYS: "day", Unit.MONTHS: "month"}


class DueAt(StrEnum):
    """When on its last day a clock of days runs out (policy `clock.due_at`)."""

    END_OF_DAY = "end_of_day"
    SAME_HOUR = "same_hour"


@dataclass(frozen=True, slots=True)
class Clock:
    """A length of time as policy gives it: "4h", "5wd", "28d", "6m"."""

    count: int
    unit: Unit

    @classmethod
    def parse(cls, text: str) -> "Clock":
        """Read "4h" (elapsed hours), "5wd" (working days), "28d" (days) or "6m" (months).

        Raises:
            NotAClock: it is none of these, or not within 1 to 9999.
        """
        found = _CLOCK.fullmatch(text.strip())
        if found is None:
            raise NotAClock(f"{text!r} is not a clock; write for example 4h, 5wd, 28d or 6m.")
        return cls(int(found["count"]), Unit(found["unit"]))

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"

    @property
    def words(self) -> str:
        """The clock in words: "5 working days"."""
        return f"{self.count} {_WORDS[self.unit]}{'' if self.count == 1 else 's'}"


@dataclass(frozen=True)
class WorkingCalendar:
    """Which days are worked, from the first to the last year whose bank holidays are known (inclusive)."""

    holidays: frozenset[date]
    first_year: int
    last_year: int
    cutoff: time
    zone: str
    due_at: DueAt = DueAt.END_OF_DAY

    @cached_property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    def works(self, day: date) -> bool:
        """Whether `day` is a working day.

        Raises:
            CalendarUnknown: the bank holidays of its year are not known.
        """
        if not self.first_year <= day.year <= self.last_year:
            raise CalendarUnknown(
                f"The bank holidays of {day.year} are not known: the calendar runs from {self.first_year} to "
                f"{self.last_year}. Update the calendar, or announce the year in the policy's [calendar]."
            )
        return day.weekday() < _SATURDAY and day not in self.holidays

    def next_working_day(self, day: date) -> date:
        """The first working day after `day`."""
        day += timedelta(days=1)
        while not self.works(day):
            day += timedelta(days=1)
        return day

    def deemed_start(self, local: datetime) -> date:
        """The day on which the clock counts as started: after the cut-off, or on a day off, the next working day."""
        day = local.date()
        if self.works(day) and local.time() <= self.cutoff:
            return day
        return self.next_working_day(day)


@dataclass(frozen=True, slots=True)
class Due:
    """When, in UTC, and the reasons in plain sentences."""

    at: datetime
    why: tuple[str, ...]


def due(start: datetime, clock: Clock, calendar: WorkingCalendar) -> Due:
    """When `clock`, started at `start` (aware), runs out. Day 0 is not counted; day n counts to its end.

    Raises:
        CalendarUnknown: working days reach into a year whose bank holidays are not known.
        NotATime: `start` has no zone.
    """
    if start.tzinfo is None:
        raise NotATime("A clock starts at a moment with a time zone.")
    local = start.astimezone(calendar.tz)
    if clock.unit is Unit.HOURS:
        return _after_hours(start, clock, calendar)
    if clock.unit is Unit.WORKING_DAYS:
        return _after_working_days(local, clock, calendar)
    if clock.unit is Unit.DAYS:
        last = local.date() + timedelta(days=clock.count)
    else:
        last = add_months(local.date(), clock.count)
    why = (f"Started {_said(local)}.", f"{clock.words} later, every day counted, is {_day(last)}.")
    return Due(_on(last, local, calendar), why)


def _after_hours(start: datetime, clock: Clock, calendar: WorkingCalendar) -> Due:
    end = start.astimezone(UTC) + timedelta(hours=clock.count)
    first, last = start.astimezone(calendar.tz), end.astimezone(calendar.tz)
    why = [f"Started {_said(first)}.", f"{clock.words}, day and night, end {_said(last)}."]
    if first.utcoffset() != last.utcoffset():
        why.append("The local clock changes in between; the hours are real hours.")
    return Due(end, tuple(why))


def _after_working_days(local: datetime, clock: Clock, calendar: WorkingCalendar) -> Due:
    first = calendar.deemed_start(local)
    why = [f"Started {_said(local)}."]
    if first != local.date():
        why.append(f"{_why_later(local, calendar)}, so it counts as started on {_day(first)}.")
    day, off = _count(calendar, first, clock.count)
    if off:
        why.append("Not counted: weekends and " + ", ".join(_day(gone) for gone in off) + " (bank holidays).")
    why.append(f"Working day {clock.count} after that is {_day(day)}.")
    return Due(_on(day, local, calendar), tuple(why))


def _why_later(local: datetime, calendar: WorkingCalendar) -> str:
    if not calendar.works(local.date()):
        return f"{_day(local.date())} is not a working day"
    return f"That is after {calendar.cutoff:%H:%M}"


@lru_cache(maxsize=4096)
def _count(calendar: WorkingCalendar, first: date, count: int) -> tuple[date, tuple[date, ...]]:
    """The working day `count` after `first`, and the bank holidays that were passed over on the way.

    Kept, because what is graded together mostly starts together.
    """
    day, off = first, list[date]()
    while count:
        day += timedelta(days=1)
        if calendar.works(day):
            count -= 1
        elif day.weekday() < _SATURDAY:
            off.append(day)
    return day, tuple(off)


def _on(day: date, local: datetime, calendar: WorkingCalendar) -> datetime:
    at = END_OF_DAY if calendar.due_at is DueAt.END_OF_DAY else local.time()
    return datetime.combine(day, at, tzinfo=calendar.tz).astimezone(UTC)


def _day(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b %Y}"


def _said(local: datetime) -> str:
    return f"{_day(local.date())} {local:%H:%M %Z}"


def add_months(day: date, months: int) -> date:
    """The same day of the month, `months` later; a day that the month has not is clipped to its last one."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, month_table.monthrange(year, month + 1)[1]))


def at_local(naive: datetime, zone: str) -> datetime:
    """The moment at which the local clock of `zone` shows `naive`.

    Raises:
        NotATime: the clock is put forward over it (never shown) or back over it (shown twice).
    """
    first = naive.replace(tzinfo=ZoneInfo(zone), fold=0)
    second = first.replace(fold=1)
    if first.utcoffset() == second.utcoffset():
        return first
    if first.astimezone(UTC).astimezone(first.tzinfo).replace(tzinfo=None) != naive:
        raise NotATime(f"{naive:%Y-%m-%d %H:%M} does not exist in {zone}: the clocks are put forward over it.")
    raise NotATime(
        f"{naive:%Y-%m-%d %H:%M} comes twice in {zone}, as the clocks are put back: "
        f"say {first.isoformat()} or {second.isoformat()}."
    )


@dataclass(frozen=True, slots=True)
class Moved:
    """A due time that another calendar gives for the same start; the old one is kept beside it."""

    was: datetime
    at: datetime
    why: tuple[str, ...]


def recompute(start: datetime, clock: Clock, was: datetime, calendar: WorkingCalendar) -> Moved | None:
    """The due time under a calendar that has changed (a holiday announced late); None when it is as it was."""
    now = due(start, clock, calendar)
    if now.at == was:
        return None
    return Moved(was, now.at, (*now.why, f"It was {_said(was.astimezone(calendar.tz))} before the calendar changed."))
