"""When a thing is due. The golden vectors are those of DOMAIN 1.5."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import calendars
from shared.domain.deadlines import (
    CalendarUnknown,
    Clock,
    DueAt,
    NotAClock,
    NotATime,
    Unit,
    add_months,
    at_local,
    due,
    recompute,
)
from shared.domain.policy import CalendarRules
from shared.settings import ROOT
from tests.rules.known import LONDON, calendar, local

HOLIDAY_FILE = ROOT.parent / "shared" / "data" / "bank_holidays" / "bank-holidays.json"

naive = datetime.fromisoformat
starts = st.datetimes(naive("2012-01-01"), naive("2028-06-30"), timezones=st.just(UTC))
working_days = st.integers(1, 60).map(lambda count: Clock(count, Unit.WORKING_DAYS))
clocks = st.one_of(
    working_days,
    st.integers(1, 200).map(lambda count: Clock(count, Unit.HOURS)),
    st.integers(1, 60).map(lambda count: Clock(count, Unit.DAYS)),
    st.integers(1, 5).map(lambda count: Clock(count, Unit.MONTHS)),
)


@pytest.mark.parametrize(
    ("start", "clock", "last_day"),
    [
        ("2026-12-23T15:00", "5wd", "2027-01-04"),
        ("2026-04-02T16:00", "2wd", "2026-04-08"),
        ("2026-04-02T17:00", "2wd", "2026-04-09"),
        ("2026-12-14T09:00", "20wd", "2027-01-14"),
        ("2027-12-24T10:00", "2wd", "2027-12-30"),
        ("2026-05-01T12:00", "10wd", "2026-05-18"),
        ("2026-08-29T09:00", "2wd", "2026-09-03"),
        ("2027-12-31T16:45", "5wd", "2028-01-11"),
    ],
)
def test_working_days_end_on_the_golden_day(start: str, clock: str, last_day: str) -> None:
    found = due(local(start), Clock.parse(clock), calendar())

    assert found.at == local(f"{last_day}T23:59:59")
    assert found.at.tzinfo is UTC


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-10-24T23:00:00+01:00", "2026-10-25T02:00:00+00:00"),
        ("2026-03-28T23:30:00+00:00", "2026-03-29T04:30:00+01:00"),
    ],
)
def test_an_emergency_clock_runs_in_real_hours_when_the_clocks_change(start: str, end: str) -> None:
    found = due(datetime.fromisoformat(start), Clock.parse("4h"), calendar())

    assert found.at == datetime.fromisoformat(end)
    assert "real hours" in found.why[-1]


def test_a_friday_evening_emergency_does_not_wait_for_monday() -> None:
    friday = local("2026-07-10T16:20")

    found = due(friday, Clock.parse("4h"), calendar())

    assert found.at == local("2026-07-10T20:20")


def test_the_reasons_name_the_bank_holidays_that_were_left_out() -> None:
    found = due(local("2026-12-23T15:00"), Clock.parse("5wd"), calendar())

    assert "Fri 25 Dec 2026, Mon 28 Dec 2026, Fri 1 Jan 2027" in " ".join(found.why)


@pytest.mark.parametrize(("at", "day"), [("16:30", "2026-07-08"), ("16:31", "2026-07-09")])
def test_a_start_at_the_cut_off_counts_and_a_minute_later_is_the_next_day(at: str, day: str) -> None:
    monday = local(f"2026-07-06T{at}")

    found = due(monday, Clock.parse("2wd"), calendar())

    assert found.at == local(f"{day}T23:59:59")


@pytest.mark.parametrize(
    ("start", "says"),
    [
        ("2026-07-06T16:31", "That is after 16:30, so it counts as started on Tue 7 Jul 2026."),
        ("2026-07-04T09:00", "Sat 4 Jul 2026 is not a working day, so it counts as started on Mon 6 Jul 2026."),
        ("2026-07-06T16:30", None),
    ],
)
def test_a_later_start_is_explained(start: str, says: str | None) -> None:
    why = due(local(start), Clock.parse("2wd"), calendar()).why

    assert [sentence for sentence in why if "counts as started" in sentence] == ([says] if says else [])


@pytest.mark.parametrize(("clock", "words"), [("1h", "1 elapsed hour"), ("5wd", "5 working days"), ("1m", "1 month")])
def test_a_clock_is_said_in_words(clock: str, words: str) -> None:
    assert Clock.parse(clock).words == words


def test_years_beyond_the_calendar_are_refused_and_not_guessed() -> None:
    with pytest.raises(CalendarUnknown, match="2029 are not known: the calendar runs from 2012 to 2028"):
        due(local("2028-12-28T09:00"), Clock.parse("5wd"), calendar())
    with pytest.raises(CalendarUnknown, match="2011"):
        due(local("2011-12-28T09:00"), Clock.parse("5wd"), calendar())


def test_an_emergency_is_timed_even_when_bank_holidays_are_not_known() -> None:
    found = due(local("2031-05-01T09:00"), Clock.parse("4h"), calendar())

    assert found.at == local("2031-05-01T13:00")


def test_a_holiday_announced_late_moves_what_is_due_and_the_old_time_is_kept() -> None:
    start, clock = local("2026-06-12T09:00"), Clock.parse("2wd")
    before = due(start, clock, calendar()).at
    with_new_holiday = replace(calendar(), holidays=calendar().holidays | {date(2026, 6, 15)})

    moved = recompute(start, clock, before, with_new_holiday)

    assert moved is not None
    assert (moved.was, moved.at) == (before, local("2026-06-17T23:59:59"))
    assert recompute(start, clock, before, calendar()) is None


def test_the_policy_may_let_days_run_out_at_the_same_hour() -> None:
    same_hour = replace(calendar(), due_at=DueAt.SAME_HOUR)

    found = due(local("2026-07-06T09:15"), Clock.parse("2wd"), same_hour)

    assert found.at == local("2026-07-08T09:15")


@pytest.mark.parametrize(
    ("start", "clock", "last_day"),
    [
        ("2026-01-31T10:00", "1m", "2026-02-28"),
        ("2028-02-29T10:00", "12m", "2029-02-28"),
        ("2026-12-31T18:00", "28d", "2027-01-28"),
    ],
)
def test_calendar_days_and_months_count_every_day(start: str, clock: str, last_day: str) -> None:
    found = due(local(start), Clock.parse(clock), calendar())

    assert found.at == local(f"{last_day}T23:59:59")


@pytest.mark.parametrize("text", ["", "4", "h", "0h", "-4h", "4 h", "4.5h", "5WD", "5w", "10000d", "٤h"])
def test_what_is_no_clock_is_refused(text: str) -> None:
    with pytest.raises(NotAClock, match="write for example 4h, 5wd, 28d or 6m"):
        Clock.parse(text)


def test_a_time_that_the_local_clock_skips_or_shows_twice_is_refused() -> None:
    with pytest.raises(NotATime, match="does not exist"):
        at_local(naive("2026-03-29T01:30"), LONDON)
    with pytest.raises(NotATime, match="comes twice"):
        at_local(naive("2026-10-25T01:30"), LONDON)
    with pytest.raises(NotATime, match="time zone"):
        due(naive("2026-07-06T09:00"), Clock.parse("4h"), calendar())


def test_northern_ireland_keeps_its_own_bank_holidays() -> None:
    clock, start = Clock.parse("1wd"), local("2026-07-10T09:00")

    assert due(start, clock, calendar()).at == local("2026-07-13T23:59:59")
    assert due(start, clock, calendar("northern-ireland")).at == local("2026-07-14T23:59:59")


@pytest.mark.parametrize("division", ["england-and-wales", "northern-ireland", "scotland"])
def test_the_installed_holidays_are_those_that_gov_uk_publishes(division: str) -> None:
    events = json.loads(HOLIDAY_FILE.read_text())[division]["events"]

    rules = CalendarRules(division=division, timezone=LONDON)  # type: ignore[arg-type]

    assert calendars.load(rules).holidays == {date.fromisoformat(event["date"]) for event in events}


def test_the_policy_adds_and_takes_away_holidays_and_may_announce_a_year() -> None:
    rules = CalendarRules(
        division="england-and-wales",
        timezone=LONDON,
        cutoff=time(12),
        extra_holidays=(date(2029, 1, 1), date(2026, 6, 15)),
        not_holidays=(date(2026, 5, 4),),
        last_year=2029,
    )

    found = calendars.load(rules)

    assert found.works(date(2026, 5, 4))
    assert not found.works(date(2026, 6, 15))
    assert not found.works(date(2029, 1, 1))
    assert found.works(date(2029, 1, 2))


@given(start=starts, clock=working_days)
def test_working_days_always_end_on_a_working_day(start: datetime, clock: Clock) -> None:
    last = due(start, clock, calendar()).at.astimezone(calendar().tz)

    assert calendar().works(last.date())
    assert last.time() == time(23, 59, 59)


@given(start=starts, clock=working_days)
def test_exactly_so_many_working_days_lie_after_the_deemed_start(start: datetime, clock: Clock) -> None:
    known = calendar()
    first = known.deemed_start(start.astimezone(known.tz))

    last = due(start, clock, known).at.astimezone(known.tz).date()

    counted = sum(known.works(first + timedelta(days=gap)) for gap in range(1, (last - first).days + 1))
    assert counted == clock.count


@given(start=starts, later=st.timedeltas(timedelta(0), timedelta(days=9)), clock=clocks)
def test_who_starts_later_is_never_due_earlier(start: datetime, later: timedelta, clock: Clock) -> None:
    assert due(start, clock, calendar()).at <= due(start + later, clock, calendar()).at


@given(start=starts, count=st.integers(1, 40), unit=st.sampled_from(Unit))
def test_a_longer_clock_never_ends_earlier(start: datetime, count: int, unit: Unit) -> None:
    if unit is Unit.MONTHS:
        count = min(count, 5)

    shorter, longer = (due(start, Clock(n, unit), calendar()).at for n in (count, count + 1))

    assert start < shorter < longer


@given(start=starts, clock=clocks, hours=st.integers(-14, 14))
def test_the_zone_in_which_a_start_is_written_does_not_matter(start: datetime, clock: Clock, hours: int) -> None:
    from_elsewhere = start.astimezone(timezone(timedelta(hours=hours)))

    assert due(from_elsewhere, clock, calendar()) == due(start, clock, calendar())


@given(start=starts, count=st.integers(1, 200))
def test_hours_are_exact(start: datetime, count: int) -> None:
    assert due(start, Clock(count, Unit.HOURS), calendar()).at - start == timedelta(hours=count)


@given(day=st.dates(date(2000, 1, 1), date(2100, 12, 31)), months=st.integers(0, 400))
def test_added_months_land_in_the_right_month_on_the_same_or_its_last_day(day: date, months: int) -> None:
    later = add_months(day, months)

    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or (later.day < day.day and (later + timedelta(days=1)).day == 1)


@given(clock=clocks)
def test_a_clock_is_written_as_it_is_read(clock: Clock) -> None:
    assert Clock.parse(str(clock)) == clock
