"""A month at a glance: what stood open is reckoned back, young cohorts are not told, no clock is longer than said."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.deadlines import Clock, due
from shared.domain.month import Month, Moves, longest_clock, newest_old_enough, standings
from shared.errors import Invalid
from tests.rules.known import calendar, changed, shipped

MAY = Month(2026, 5)


@pytest.mark.parametrize("written", ["2026-13", "2026-1", "26-10", "2026-10-01", "", "٢٠٢٦-١٠"])
def test_what_is_no_month_is_refused(written: str) -> None:
    with pytest.raises(Invalid):
        Month.parse(written)


def test_a_month_knows_its_days_and_the_same_month_a_year_before() -> None:
    leap = Month.parse("2028-02")

    assert leap.period.last == date(2028, 2, 29)
    assert str(leap.year_before) == "2027-02"
    assert str(Month(2026, 1).later(-1)) == "2025-12"


@given(
    st.integers(0, 5000),
    st.lists(st.tuples(st.integers(0, 900), st.integers(0, 900)), min_size=1, max_size=20),
    st.integers(0, 10),
)
def test_each_month_begins_with_what_the_one_before_left(now: int, moved: list[tuple[int, int]], back: int) -> None:
    moves = {MAY.later(-at): Moves(*pair) for at, pair in enumerate(moved)}

    told = standings(now, moves, MAY.later(-back))

    assert len(told) == 13
    assert all(one.start + one.came - one.went == one.end for one in told)
    assert all(one.end == two.start for one, two in pairwise(told))
    assert told[-1].end == now - sum(one.came - one.went for month, one in moves.items() if month > told[-1].month)


def test_a_cohort_is_old_enough_so_many_days_after_its_last_day() -> None:
    assert MAY.told_on(90) == date(2026, 8, 29)
    assert not MAY.is_old_enough(90, date(2026, 8, 28))
    assert newest_old_enough(MAY, 90, date(2026, 8, 29)) == MAY
    assert newest_old_enough(MAY, 90, date(2026, 6, 1)) == Month(2026, 2)


@given(st.dates(date(2019, 1, 1), date(2026, 6, 1)), st.times())
def test_no_clock_of_the_policy_is_longer_than_its_longest(day: date, at: time) -> None:
    start = datetime.combine(day, at, UTC)
    longest = longest_clock([shipped()])

    assert due(start, Clock.parse("20wd"), calendar()).at <= start + longest
    assert longest < timedelta(days=70)


def test_the_longest_of_several_policies_counts() -> None:
    slower = changed('permanent = "10wd"\nverify = "10wd"', 'permanent = "6m"\nverify = "10wd"')

    assert longest_clock([shipped(), slower]) > timedelta(days=184)
