"""Until when something may be kept: to the end of the last day, and not a moment longer."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.deadlines import Clock, WorkingCalendar, due
from shared.domain.retention import ran_out

CALENDAR = WorkingCalendar(frozenset(), 2020, 2040, time(16, 30), "Europe/London")


@pytest.mark.parametrize(
    ("clock", "now", "before"),
    [
        # The last day ends at 23:59:59 on the local clock.
        ("24m", "2028-11-26T23:59:58+00:00", "2026-11-26T00:00:00+00:00"),
        ("24m", "2028-11-27T00:00:00+00:00", "2026-11-27T00:00:00+00:00"),
        # In summer local midnight is an hour before UTC's.
        ("24m", "2028-07-09T23:30:00+00:00", "2026-07-09T23:00:00+00:00"),
        # What began on the 29th to 31st runs out on a shorter month's last day.
        ("1m", "2027-03-01T00:00:00+00:00", "2027-02-01T00:00:00+00:00"),
        ("90d", "2026-11-26T12:00:00+00:00", "2026-08-27T23:00:00+00:00"),
        ("48h", "2026-11-26T12:00:00+00:00", "2026-11-24T12:00:00+00:00"),
    ],
)
def test_the_moment_before_which_a_time_has_run_out(clock: str, now: str, before: str) -> None:
    told = ran_out(Clock.parse(clock), datetime.fromisoformat(now), CALENDAR)

    assert told == datetime.fromisoformat(before)


@given(
    st.sampled_from(["1d", "7d", "90d", "1m", "24m", "84m", "252m"]).map(Clock.parse),
    st.integers(1_704_067_200, 2_051_222_400).map(lambda at: datetime.fromtimestamp(at, UTC)),
)
def test_it_is_exactly_where_the_clock_changes_its_mind(clock: Clock, now: datetime) -> None:
    edge = ran_out(clock, now, CALENDAR)

    assert due(edge, clock, CALENDAR).at >= now
    assert due(edge - timedelta(seconds=1), clock, CALENDAR).at < now


def test_an_edge_is_a_local_midnight() -> None:
    edge = ran_out(Clock.parse("24m"), datetime(2028, 7, 10, 12, tzinfo=UTC), CALENDAR)

    local = edge.astimezone(CALENDAR.tz)
    assert (local.date(), local.time()) == (date(2026, 7, 10), time(0, 0))
