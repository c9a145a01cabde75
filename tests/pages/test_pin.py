"""The pin that is put on the exact spot: by keys, by buttons and by a click; and what is said of where it is."""

from collections.abc import Callable
from math import cos, radians

import pytest
from playwright.sync_api import Page, expect

from tests.delivery.house import House
from tests.pages.browser import DESK, PHONE, Reader, Screen, check, tab_to
from tests.waiting import until

METRE = 1 / 111_320
"""Degrees of latitude, as the pin counts."""
STREET = "Eastern Bypass"
"""Of the made-up county, and not the council's."""
PIN = "Pin. Arrow keys move it 1 metre, with Shift 10 metres"
Place = tuple[float, float]


@pytest.fixture
def on_a_street(house: House) -> tuple[str, Place]:
    """A street of the council's and the middle of it."""
    told = house.ask(
        """SELECT name || '|' || ST_Y(at) || '|' || ST_X(at) FROM street, LATERAL (
             SELECT ST_Transform(ST_LineInterpolatePoint(ST_GeometryN(geom, 1), 0.5), 4326) AS at) AS middle
           WHERE maintainer = 'council' AND hierarchy = '3a' ORDER BY id LIMIT 1"""
    )
    name, lat, lon = str(told).split("|")
    return name, (float(lat), float(lon))


Picker = Callable[[Screen, Place], Page]


@pytest.fixture
def picker(reader: Reader) -> Picker:
    """The journey's page of the place, with its map, at a spot."""

    def open_at(screen: Screen, place: Place) -> Page:
        page = reader.open("/report", screen)
        page.goto(f"/report/where?lat={place[0]:.6f}&lon={place[1]:.6f}")
        expect(page.get_by_role("button", name=PIN)).to_be_visible()
        return page

    return open_at


def place_of(page: Page) -> Place:
    """What the form would send."""
    return float(page.get_by_label("Latitude").input_value()), float(page.get_by_label("Longitude").input_value())


@pytest.mark.parametrize("screen", [PHONE, DESK], ids=str)
def test_the_street_is_said_back(picker: Picker, on_a_street: tuple[str, Place], screen: Screen) -> None:
    name, place = on_a_street

    page = picker(screen, place)

    expect(page.locator(".app-pin__said")).to_contain_text(name)
    check(page)


def test_arrow_keys_move_it_a_metre_and_with_shift_ten(picker: Picker, on_a_street: tuple[str, Place]) -> None:
    _, (lat, lon) = on_a_street
    page = picker(DESK, (lat, lon))

    tab_to(page, PIN)
    page.keyboard.press("ArrowUp")
    assert place_of(page) == pytest.approx((lat + METRE, lon), abs=2e-6)
    page.keyboard.press("Shift+ArrowRight")
    east = METRE / cos(radians(lat))
    assert place_of(page) == pytest.approx((lat + METRE, lon + 10 * east), abs=2e-6)
    page.keyboard.press("Shift+ArrowDown")

    assert place_of(page) == pytest.approx((lat - 9 * METRE, lon + 10 * east), abs=2e-6)
    expect(page.locator(".app-pin__said")).to_contain_text("side")


def test_buttons_do_what_the_keys_do(picker: Picker, on_a_street: tuple[str, Place]) -> None:
    _, (lat, lon) = on_a_street
    page = picker(PHONE, (lat, lon))

    page.get_by_role("button", name="Move the pin 1 metre south").click()
    page.get_by_role("button", name="Move the pin 1 metre west").click()

    assert place_of(page) == pytest.approx((lat - METRE, lon - METRE / cos(radians(lat))), abs=2e-6)


def test_a_click_puts_it_there(picker: Picker, on_a_street: tuple[str, Place]) -> None:
    _, (lat, lon) = on_a_street
    page = picker(DESK, (lat, lon))

    page.locator(".app-pin canvas").click(position={"x": 30, "y": 30})

    until(lambda: place_of(page)[0] > lat and place_of(page)[1] < lon, 10, "a place north-west of the first")


def test_another_authoritys_road_is_said_to_be_theirs(picker: Picker, house: House) -> None:
    told = house.ask(
        """SELECT ST_Y(at) || '|' || ST_X(at) FROM street, LATERAL (
             SELECT ST_Transform(ST_LineInterpolatePoint(ST_GeometryN(geom, 1), 0.5), 4326) AS at) AS middle
           WHERE name = %s""",
        STREET,
    )
    lat, lon = str(told).split("|")

    page = picker(DESK, (float(lat), float(lon)))

    expect(page.locator(".app-pin__said")).to_contain_text("National Highways looks after it")
