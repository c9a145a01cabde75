"""What breaks first, and how it was reckoned: read back from the reasons that the clocks themselves gave."""

from datetime import timedelta
from typing import Any

import pytest

from shared.domain import next_clock
from shared.domain.clocks import clocks_for
from shared.domain.deadlines import Clock as Length
from shared.domain.deadlines import due
from shared.domain.next_clock import Clock, Times, basis, left, next_of, short, to_do
from shared.domain.terms import Band, DefectState
from tests.rules.known import calendar, local, shipped

NOW = local("2026-11-24T14:05")
ZONE = calendar().tz
DAY = timedelta(days=1)


def times(state: str = "ordered", **more: Any) -> Times:
    none: dict[str, Any] = dict.fromkeys(("inspect", "make_safe", "permanent", "verify", "made_safe_at"))
    return Times(state=DefectState(state), **{**none, **more})


def first(state: str = "ordered", **more: Any) -> str | None:
    found = next_of(times(state, **more))
    return found and found.clock.value


def test_the_clock_that_runs_out_first_is_next() -> None:
    assert first(make_safe=NOW + DAY, permanent=NOW + 2 * DAY) == "make_safe"
    assert first(make_safe=NOW + 3 * DAY, permanent=NOW + 2 * DAY) == "permanent"
    assert first("confirmed", inspect=NOW - DAY, permanent=NOW) == "inspect"
    assert first() is None


def test_what_is_made_safe_waits_for_its_repair() -> None:
    assert first("made_safe", make_safe=NOW - DAY, made_safe_at=NOW - 2 * DAY, permanent=NOW + DAY) == "permanent"


@pytest.mark.parametrize("state", ["monitor", "deferred_to_scheme", "repair_claimed"])
def test_where_no_repair_is_owed_its_clocks_stand(state: str) -> None:
    assert first(state, make_safe=NOW, permanent=NOW) is None
    assert first(state, permanent=NOW, verify=NOW + DAY, inspect=NOW + 2 * DAY) == "verify"


@pytest.mark.parametrize(
    ("length", "words"),
    [
        ("5wd", "5 working days from Tue 24 Nov 14:05"),
        ("1wd", "1 working day from Tue 24 Nov 14:05"),
        ("4h", "4 hours from Tue 24 Nov 14:05"),
        ("28d", "28 days from Tue 24 Nov 14:05"),
        ("6m", "6 months from Tue 24 Nov 14:05"),
    ],
)
def test_a_basis_is_read_back_from_the_reasons(length: str, words: str) -> None:
    reckoned = due(NOW, Length.parse(length), calendar())

    assert basis(Clock.INSPECT, reckoned.at, (f"Look again: {' '.join(reckoned.why)}",), ZONE) == words


def test_each_clock_of_a_band_has_its_own_basis() -> None:
    found = clocks_for(Band.E, shipped(), NOW, calendar())

    assert found.make_safe
    assert found.permanent
    assert basis(Clock.MAKE_SAFE, found.make_safe.at, found.why, ZONE) == "4 hours from Tue 24 Nov 14:05"
    assert basis(Clock.PERMANENT, found.permanent.at, found.why, ZONE) == "20 working days from Tue 24 Nov 14:05"


def test_a_time_that_its_reasons_do_not_give_has_no_basis() -> None:
    found = clocks_for(Band.P5, shipped(), NOW, calendar())
    assert found.permanent

    kept_from_before = basis(Clock.PERMANENT, found.permanent.at - 3 * DAY, found.why, ZONE)
    a_scheme = basis(Clock.INSPECT, NOW, ("Look again: The scheme is planned for 01 Dec 2026.",), ZONE)

    assert (kept_from_before, a_scheme) == (None, None)


def test_what_is_to_be_done_depends_on_where_it_stands() -> None:
    said = {state: to_do(Clock.INSPECT, DefectState(state)) for state in ("candidate", "third_party", "monitor")}

    assert said == {"candidate": "Look at it", "third_party": "Chase its owner", "monitor": "Look again"}
    assert to_do(Clock.PERMANENT, DefectState.ORDERED) == "Mend"


@pytest.mark.parametrize(
    ("away", "words"),
    [
        (timedelta(seconds=30), "under 1 min left"),
        (timedelta(minutes=5), "5 min left"),
        (timedelta(hours=47), "47 h left"),
        (timedelta(days=12), "12 days left"),
        (timedelta(hours=-2), "2 h late"),
    ],
)
def test_how_long_is_left_is_said_roughly(away: timedelta, words: str) -> None:
    assert left(NOW + away, NOW) == words


def test_a_moment_is_told_by_the_local_clock() -> None:
    assert short(local("2026-07-01T23:59:59"), ZONE) == "Wed 1 Jul 23:59"
    assert next_clock.span(NOW, NOW) == "under 1 min"
