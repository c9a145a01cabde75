"""Which clocks run for a band (DOMAIN 10.1), and how soon a report is read (DOMAIN 10.3, case 1)."""

from typing import Any

import pytest

from shared.domain.clocks import Clocks, clocks_for, sounds_dangerous, triage_due
from shared.domain.deadlines import Clock
from shared.domain.terms import Band
from tests.rules.known import calendar, local, shipped

MONDAY = local("2026-07-06T09:00")


def clocks(band: Band, **how: Any) -> Clocks:
    return clocks_for(band, shipped(), MONDAY, calendar(), **how)


@pytest.mark.parametrize(
    ("band", "make_safe", "permanent", "verify"),
    [
        ("E", "2026-07-06T13:00", "2026-08-03T23:59:59", "5wd"),
        ("P2", "2026-07-08T23:59:59", "2026-08-03T23:59:59", "5wd"),
        ("P5", None, "2026-07-13T23:59:59", "10wd"),
        ("P10", None, "2026-07-20T23:59:59", "10wd"),
        ("P20", None, "2026-08-03T23:59:59", "10wd"),
    ],
)
def test_a_band_has_the_clocks_of_the_policy(band: str, make_safe: str | None, permanent: str, verify: str) -> None:
    found = clocks(Band(band))

    assert (found.make_safe and found.make_safe.at) == (make_safe and local(make_safe))
    assert found.permanent is not None
    assert found.permanent.at == local(permanent)
    assert found.verify == Clock.parse(verify)
    assert any(sentence.startswith("Permanent repair: Started Mon 6 Jul 2026 09:00 BST.") for sentence in found.why)


def test_what_is_watched_is_looked_at_again_within_six_months_and_never_due() -> None:
    found = clocks(Band.M)

    assert (found.make_safe, found.permanent, found.verify) == (None, None, None)
    assert found.recheck is not None
    assert found.recheck.at == local("2027-01-06T23:59:59")


@pytest.mark.parametrize(("band", "chase"), [(Band.E, "2026-07-07T09:00"), (Band.P5, "2026-07-20T23:59:59")])
def test_the_councils_own_make_safe_clock_runs_on_for_what_another_owns(band: Band, chase: str) -> None:
    ours, theirs = clocks(band), clocks(band, third_party=True)

    assert theirs.make_safe == ours.make_safe
    assert theirs.permanent is None
    assert theirs.chase is not None
    assert theirs.chase.at == local(chase)


def test_a_recall_is_due_by_the_shorter_of_its_band_and_ten_working_days() -> None:
    slow, fast = clocks(Band.P20, recall=True), clocks(Band.P5, recall=True)

    assert slow.permanent is not None
    assert fast.permanent is not None
    assert slow.permanent.at == local("2026-07-20T23:59:59")
    assert fast.permanent.at == local("2026-07-13T23:59:59")
    assert slow.verify == Clock.parse("5wd")


def test_a_gully_is_clocked_by_flooding_and_risk() -> None:
    flooding, risk, neither = (clocks(Band.G, flags=frozenset(flags)) for flags in (["flooding"], ["risk"], []))

    assert flooding.make_safe is not None
    assert flooding.make_safe.at == local("2026-07-07T09:00")
    assert risk.make_safe is None
    assert risk.permanent is not None
    assert risk.permanent.at == local("2026-07-20T23:59:59")
    assert neither.permanent is None
    assert neither.recheck is not None
    assert neither.recheck.at == local("2028-07-06T23:59:59")


def test_a_danger_report_of_friday_evening_is_read_that_evening() -> None:
    friday = local("2026-07-10T16:20")

    danger = triage_due(friday, shipped(), calendar(), danger=True)
    other = triage_due(friday, shipped(), calendar(), danger=False)

    assert danger.at == local("2026-07-10T17:20")
    assert other.at == local("2026-07-14T23:59:59")


@pytest.mark.parametrize(
    ("text", "class_code", "keyword"),
    [
        ("The road COLLAPSED, please come", "pothole", "collapsed"),
        ("My daughter fell here", "footway_trip", "fell"),
        ("My daughter fell here", "marking_worn", None),
        ("Open  manhole,\nno cover", "ironwork_missing", "open manhole"),
        ("It is an indanger'd newt", "verge_overgrown", None),
        ("", "pothole", None),
        ("quite harmless", "no_such_class", None),
    ],
)
def test_a_text_sounds_dangerous_by_the_keywords_of_policy_and_class(
    text: str, class_code: str, keyword: str | None
) -> None:
    assert sounds_dangerous(text, class_code, shipped()) == keyword
