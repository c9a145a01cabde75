"""Whose is a place? Ours, another's, not good enough, or impossible: each has its own sentence (DOMAIN 10.3, 14)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.place import (
    Ask,
    Authority,
    InCounty,
    Located,
    OnStreet,
    Point,
    Refer,
    Refuse,
    check_time,
    distance_m,
    judge,
    photo_disagrees,
)
from shared.domain.policy_sections import PlaceRules
from shared.domain.roads import hierarchy_of, maintainer_of

RULES = PlaceRules()
PRESTON = Point(53.7632, -2.7031, 5)
OURS = Authority("E10000017", "Lancashire", served=True)
BLACKPOOL = Authority("E06000009", "Blackpool", served=False, contact="01253 477477")


def here(point: Point = PRESTON, authority: Authority | None = OURS, maintainer: str = "council") -> Located:
    street = OnStreet(1, "fishergate 1", "Fishergate", "3a", maintainer, 0, False, 3.0, "left")
    return Located(point, 353_700.0, 429_500.0, authority=authority, area_code="E07000123", street=street)


def test_a_place_on_a_road_of_ours_is_ours() -> None:
    assert judge(here(), RULES) == InCounty()


def test_a_place_in_our_county_off_any_known_street_is_ours() -> None:
    located = Located(PRESTON, 353_700.0, 429_500.0, authority=OURS)

    assert judge(located, RULES) == InCounty()


def test_without_a_map_of_areas_the_whole_country_is_ours() -> None:
    located = Located(PRESTON, 353_700.0, 429_500.0, uncharted=True)

    assert judge(located, RULES) == InCounty()


def test_blackpool_is_referred_to_blackpool_with_its_contact() -> None:
    verdict = judge(here(authority=BLACKPOOL), RULES)

    assert isinstance(verdict, Refer)
    assert (verdict.target, verdict.contact) == ("Blackpool", "01253 477477")
    assert "looks after its own roads" in verdict.why


def test_a_trunk_road_is_referred_to_national_highways() -> None:
    verdict = judge(here(maintainer="trunk"), RULES)

    assert isinstance(verdict, Refer)
    assert verdict.target == "National Highways"
    assert "Fishergate is a motorway or trunk road" in verdict.why


def test_a_private_street_is_referred_to_its_owner() -> None:
    verdict = judge(here(maintainer="private"), RULES)

    assert isinstance(verdict, Refer)
    assert "private road" in verdict.why


def test_an_accuracy_of_five_kilometres_asks_for_a_better_place() -> None:
    verdict = judge(here(Point(53.7632, -2.7031, 5000)), RULES)

    assert isinstance(verdict, Ask)
    assert verdict.field == "accuracy_m"
    assert "5.0 km" in verdict.why
    assert "200 m or better" in verdict.why


def test_latitude_and_longitude_the_wrong_way_round_are_said_the_right_way_round() -> None:
    verdict = judge(Located(Point(-2.7031, 53.7632, 5), swapped=True), RULES)

    assert isinstance(verdict, Refuse)
    assert "did you mean latitude 53.7632, longitude -2.7031?" in verdict.why


def test_a_place_off_the_grid_is_outside_the_country() -> None:
    verdict = judge(Located(Point(0, 0, 5)), RULES)

    assert isinstance(verdict, Refuse)
    assert "outside the country" in verdict.why


def test_the_sea_belongs_to_nobody_that_we_know() -> None:
    verdict = judge(Located(Point(53.8, -3.5, 5), 301_000.0, 434_000.0), RULES)

    assert isinstance(verdict, Refuse)
    assert "in the sea" in verdict.why


def test_what_cannot_be_is_said_before_what_is_not_good_enough() -> None:
    verdict = judge(Located(Point(-2.7031, 53.7632, 5000), swapped=True), RULES)

    assert isinstance(verdict, Refuse)


def test_a_time_in_the_future_is_refused_beyond_what_a_wrong_clock_explains() -> None:
    now = datetime(2026, 5, 1, 9, 30, tzinfo=UTC)

    assert check_time(now + timedelta(minutes=10), now, RULES) is None
    late = check_time(now + timedelta(minutes=11), now, RULES)
    assert late is not None
    assert "2026-05-01 09:41 UTC is in the future" in late.why


def test_a_photo_from_elsewhere_is_named_with_its_distance() -> None:
    taken = Point(53.7732, -2.7031, 5)

    assert photo_disagrees(PRESTON, taken, RULES) == "The photo says that it was taken 1.1 km from the pin."


def test_a_photo_within_both_accuracies_does_not_disagree() -> None:
    taken = Point(53.7640, -2.7031, 5)

    assert photo_disagrees(PRESTON, taken, RULES) is None


@given(st.floats(-89, 89), st.floats(-179, 179), st.floats(-0.01, 0.01), st.floats(-0.01, 0.01))
def test_distance_is_the_same_both_ways_and_nought_to_oneself(lat: float, lon: float, up: float, right: float) -> None:
    one, other = Point(lat, lon, 1), Point(lat + up, lon + right, 1)

    assert distance_m(one, one) == 0
    assert distance_m(one, other) == pytest.approx(distance_m(other, one), abs=1e-6)


def test_a_minute_of_latitude_is_a_nautical_mile() -> None:
    assert distance_m(Point(53, -2, 1), Point(53 + 1 / 60, -2, 1)) == pytest.approx(1852, rel=0.005)


@pytest.mark.parametrize(
    ("road_class", "hierarchy", "maintainer"),
    [
        ("Motorway", "2", "trunk"),
        ("A Road, Collapsed Dual Carriageway", "3a", "council"),
        ("B Road", "3b", "council"),
        ("Minor Road", "4a", "council"),
        ("Local Road", "4b", "council"),
        ("Private Road Restricted Access", "4b", "private"),
        ("", "4b", "council"),
    ],
)
def test_a_road_class_of_the_map_has_a_hierarchy_and_a_maintainer(
    road_class: str, hierarchy: str, maintainer: str
) -> None:
    assert (hierarchy_of(road_class), maintainer_of(road_class)) == (hierarchy, maintainer)


def test_a_road_that_the_map_marks_as_trunk_is_not_ours() -> None:
    assert maintainer_of("A Road", trunk=True) == "trunk"
