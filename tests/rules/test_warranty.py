"""Terms, footprints and attribution (DOMAIN 5.2, 5.3, 10.2; 10.3 cases 7 and 8)."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.terms import Band
from shared.domain.warranty import (
    Attributable,
    Failure,
    NotAttributable,
    Patch,
    Term,
    after_recall,
    attribute,
    grown,
    months_for,
    patch,
    term,
)
from shared.errors import Invalid
from tests.rules.known import changed, shipped

days = st.dates(date(2000, 1, 1), date(2080, 12, 31))


@pytest.mark.parametrize(
    ("completed", "months", "last"),
    [
        ("2018-06-13", 24, "2020-06-12"),
        ("2026-07-06", 12, "2027-07-05"),
        ("2026-01-31", 1, "2026-02-27"),
        ("2027-08-31", 6, "2028-02-28"),
        ("2028-02-29", 12, "2029-02-27"),
        ("2026-03-01", 6, "2026-08-31"),
    ],
)
def test_a_term_ends_the_day_before_the_same_day_of_the_month(completed: str, months: int, last: str) -> None:
    assert term(date.fromisoformat(completed), months).ends_on == date.fromisoformat(last)


def test_a_term_holds_on_its_last_day_and_not_on_the_next() -> None:
    promised = term(date(2026, 7, 6), 12)

    assert promised.covers(date(2026, 7, 6))
    assert promised.covers(date(2027, 7, 5))
    assert not promised.covers(date(2027, 7, 6))


@given(days, st.integers(1, 60))
def test_a_longer_term_never_ends_earlier_and_a_later_start_never_ends_earlier(day: date, months: int) -> None:
    ends = term(day, months).ends_on

    assert term(day, months + 1).ends_on > ends
    assert term(day + timedelta(days=1), months).ends_on >= ends
    assert 27 * months <= (ends - day).days <= 31 * months


@pytest.mark.parametrize(
    ("repair_type", "band", "months"),
    [
        ("temporary", Band.P10, 0),
        ("make_safe", Band.E, 0),
        ("spray_injection", Band.P10, 6),
        ("pothole_patch", Band.E, 12),
        ("structural_patch", Band.P20, 24),
        (None, Band.P20, 12),
        ("something_else", Band.P2, 12),
        (None, Band.M, 0),
    ],
)
def test_the_months_follow_the_repair_type_and_then_the_band(repair_type: str | None, band: Band, months: int) -> None:
    assert months_for(repair_type, band, shipped()) == months


def test_what_is_not_warranted_has_no_term() -> None:
    with pytest.raises(Invalid):
        term(date(2026, 7, 6), 0)


@pytest.mark.parametrize(
    ("first_ends", "remedied", "ends"),
    [
        ("2027-07-05", "2026-08-10", "2027-07-05"),
        ("2027-07-05", "2027-06-01", "2027-11-30"),
        ("2027-07-05", "2027-07-20", "2028-01-19"),
    ],
)
def test_after_a_recall_the_rest_of_the_term_runs_and_at_least_six_months(
    first_ends: str, remedied: str, ends: str
) -> None:
    first = Term(date(2026, 7, 6), date.fromisoformat(first_ends))

    found = after_recall(first, date.fromisoformat(remedied), has_grown=False, months=12, policy=shipped())

    assert found == Term(date.fromisoformat(remedied), date.fromisoformat(ends))


def test_a_remedial_repair_larger_than_the_first_is_a_new_warranty() -> None:
    first, remedied = term(date(2026, 7, 6), 12), date(2026, 8, 10)

    found = after_recall(first, remedied, has_grown=True, months=24, policy=shipped())

    assert found == term(remedied, 24)


@pytest.mark.parametrize(
    ("length", "width", "is_grown"),
    [(1.0, 1.0, False), (2.0, 1.0, False), (2.1, 1.0, True), (0.5, 2.5, True), (0.5, 2.0, False)],
)
def test_a_patch_has_grown_beyond_the_reach_of_the_policy(length: float, width: float, is_grown: bool) -> None:
    assert grown(Patch(1.0, 1.0), Patch(length, width), shipped()) is is_grown


def test_a_side_that_was_not_measured_is_the_usual_one_of_its_class() -> None:
    assert patch(None, None, "pothole", shipped()) == Patch(1.0, 1.0)
    assert patch(2.5, None, "pothole", shipped()) == Patch(2.5, 1.0)


@pytest.mark.parametrize("side", [0.0, -1.0, 201.0, float("nan"), float("inf")])
def test_an_impossible_patch_is_refused(side: float) -> None:
    with pytest.raises(Invalid):
        patch(side, 1.0, "pothole", shipped())


COMPLETED = date(2026, 7, 6)


def verdict(**facts: Any) -> Attributable | NotAttributable:
    failure = Failure(**{"seen_on": date(2026, 9, 1), "distance_m": 0.0, "same_kind": True, **facts})
    return attribute(failure, term(COMPLETED, 12), shipped())


def test_a_hole_in_the_patch_within_the_term_is_the_repairs() -> None:
    found = verdict()

    assert found == Attributable("In the patch, 57 days after completion; no work by others is known since.")


@pytest.mark.parametrize(("distance", "yes"), [(0.0, True), (1.0, True), (1.01, False)])
def test_the_footprint_reaches_a_metre_further(distance: float, yes: bool) -> None:
    assert isinstance(verdict(distance_m=distance), Attributable) is yes


@pytest.mark.parametrize(("seen", "yes"), [("2027-07-05", True), ("2027-07-06", False), ("2026-07-05", False)])
def test_the_last_day_counts_and_the_day_after_does_not(seen: str, yes: bool) -> None:
    assert isinstance(verdict(seen_on=date.fromisoformat(seen)), Attributable) is yes


@pytest.mark.parametrize("reason", ["excavated", "resurfaced"])
def test_work_by_others_since_the_repair_takes_the_blame_and_voids_the_warranty(reason: str) -> None:
    found = verdict(**{f"{reason}_on": date(2026, 8, 1)})

    assert isinstance(found, NotAttributable)
    assert found.void_reason == reason
    assert "2026-08-01" in found.why


@pytest.mark.parametrize("when", [date(2026, 7, 5), COMPLETED, date(2026, 9, 2)])
def test_work_by_others_before_the_repair_or_after_the_failure_changes_nothing(when: date) -> None:
    assert isinstance(verdict(excavated_on=when), Attributable)


def test_another_kind_of_defect_at_the_place_is_not_the_repairs() -> None:
    found = verdict(same_kind=False)

    assert isinstance(found, NotAttributable)
    assert found.void_reason is None


def test_the_reach_and_the_least_rest_are_the_policys_to_change() -> None:
    wide = changed("footprint_m = 1.0", "footprint_m = 5.0")
    none_left = changed("min_remaining_months = 6", "min_remaining_months = 0")
    failure = Failure(seen_on=date(2026, 9, 1), distance_m=4.0, same_kind=True)

    assert isinstance(attribute(failure, term(COMPLETED, 12), wide), Attributable)
    ended = after_recall(term(COMPLETED, 1), date(2026, 9, 1), has_grown=False, months=12, policy=none_left)
    assert ended.ends_on == date(2026, 9, 1)


@given(days, st.integers(1, 36), st.integers(0, 1200))
def test_a_remedy_never_shortens_the_promise(completed: date, months: int, later: int) -> None:
    first, remedied = term(completed, months), completed + timedelta(days=later)

    found = after_recall(first, remedied, has_grown=False, months=months, policy=shipped())

    assert found.ends_on >= first.ends_on
    assert found.ends_on >= term(remedied, 6).ends_on
