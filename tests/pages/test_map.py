"""The map of the county in a real browser: drawn, listed, live; with keys, with buttons, and without scripts."""

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlparse

import httpx
import pytest
from playwright.sync_api import APIResponse, Page, Request, Route, expect

from infra.native.layout import ROOT
from shared.domain.audience import PUBLIC_KINDS
from shared.store.read_models.defect_map import TO_BE_DONE
from tests.delivery.house import NORTH_OF_M, PLACE, House, a_report, send
from tests.pages.browser import (
    DESK,
    LOOKS,
    PHONE,
    PLAIN_PHONE,
    SCREENS,
    Reader,
    Screen,
    as_json,
    busy_seconds,
    check,
    tab_to,
)
from tests.waiting import until

MANY = 26
"""More than a page of the list has."""
HERE = f"/map?lat={PLACE[0]}&lon={PLACE[1]}&z=15"
STREET = "Eastern Bypass"
"""Of the made-up county."""


@pytest.fixture(scope="module", autouse=True)
def _holes(house: House) -> None:
    """Holes from the place northwards, sixty metres apart, each its own defect."""
    for number in range(MANY):
        answer = send(house.stack.url, a_report(number * 60.0), f"map-{number:03}-{'0' * 20}")
        assert answer.status_code in (200, 201), answer.text
    house.comes_to_rest()


@pytest.fixture(scope="module")
def operator(house: House) -> Iterator[httpx.Client]:
    key = house.command("keys", "make", "Map", "--role", "operator", "--scope", "*").stdout.strip()
    with httpx.Client(base_url=house.stack.url, headers={"Authorization": f"Bearer {key}"}, timeout=30) as client:
        yield client


def drawn(page: Page) -> int:
    """How many defects the map says that it has drawn in view; it has come to rest."""
    page.wait_for_selector("#map[data-ready]")
    label = until(lambda: page.locator("canvas").get_attribute("aria-label"), 20, "the map's name")
    found = re.search(r"([\d,]+) in view", label)
    return int(found[1].replace(",", "")) if found else 0


def listed(page: Page) -> list[str]:
    """The references in the list."""
    return [str(one.get_attribute("data-reference")) for one in page.locator("#list [data-reference]").all()]


def position(page: Page) -> tuple[float, float, float]:
    """Latitude, longitude and zoom, as the page's address has them."""
    said = parse_qs(urlparse(page.evaluate("location.href")).query)
    return float(said["lat"][0]), float(said["lon"][0]), float(said["z"][0])


# --- every screen, every state ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("screen", LOOKS, ids=str)
def test_the_map_is_accessible_and_fits(reader: Reader, screen: Screen) -> None:
    page = reader.open(HERE, screen)
    if screen.scripts:
        until(lambda: drawn(page) > 0, 20, "pins")

    check(page)
    page.locator("summary").click()
    check(page)


@pytest.mark.parametrize("screen", SCREENS, ids=str)
@pytest.mark.parametrize(
    "path",
    [
        "/map?near=nowhere+at+all",
        "/map?near=eastern",
        "/map?near=estern+bypas",
        "/map?status=fixed",
        "/map?defect=D-0000-0000",
    ],
)
def test_every_state_of_the_page_is_accessible(reader: Reader, screen: Screen, path: str) -> None:
    page = reader.open(path, screen)
    if screen.scripts:
        page.wait_for_selector("#map[data-ready]")

    check(page)


# --- with scripts ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("screen", [PHONE, DESK], ids=str)
def test_the_list_says_what_the_map_shows(reader: Reader, screen: Screen) -> None:
    page = reader.open(HERE, screen)

    until(lambda: drawn(page) > 3, 20, "pins")
    expect(page.get_by_role("status")).to_contain_text(f"{drawn(page)} problems, nearest first")
    assert len(listed(page)) == min(drawn(page), 20)


def test_from_afar_the_server_has_counted_and_nothing_is_lost(reader: Reader, house: House) -> None:
    page = reader.open("/map", DESK)
    west, south, east, north = httpx.get(f"{house.stack.url}/api/v1/streets/tiles").json()["bounds"]
    open_ones = "SELECT count(*) FROM defect WHERE state = ANY(%s)"
    inside = f"{open_ones} AND lon BETWEEN %s AND %s AND lat BETWEEN %s AND %s"
    county = house.ask(inside, list(TO_BE_DONE), west, east, south, north)

    assert county > 20
    until(lambda: county <= drawn(page) <= house.ask(open_ones, list(TO_BE_DONE)), 20, f"all {county} of the county")


def test_a_report_becomes_a_pin_without_a_reload_and_goes_when_nothing_is_to_be_done(
    reader: Reader, house: House, operator: httpx.Client
) -> None:
    place = (PLACE[0] - 900 * NORTH_OF_M, PLACE[1])
    page = reader.open(f"/map?lat={place[0]}&lon={place[1]}&z=17", DESK)
    assert drawn(page) == 0
    page.evaluate("window.stayed = true")

    reference = send(house.stack.url, a_report(-900.0)).json()["reference"]

    until(lambda: drawn(page) == 1, 30, "the pin")
    expect(page.locator("#list [data-reference]")).to_have_count(1)
    (defect,) = listed(page)
    expect(page.get_by_role("status")).to_have_text("1 problem.")

    told = operator.post(f"/api/v1/defects/{defect}/assess", json={"decision": "no_defect", "why": "Nothing there."})

    assert told.status_code == 200, told.text
    until(lambda: drawn(page) == 0, 30, "the pin to go")
    expect(page.locator("#list [data-reference]")).to_have_count(0)
    assert page.evaluate("window.stayed")
    assert reference.startswith("R-")


def test_who_reads_on_stays_on_the_page_of_the_list_when_something_happens(
    reader: Reader, house: House, operator: httpx.Client
) -> None:
    page = reader.open(f"/map?lat={PLACE[0]}&lon={PLACE[1]}&z=13", DESK)
    page.wait_for_selector("#map[data-ready]")
    page.get_by_role("link", name="Next page").click()
    second = page.get_by_role("status").filter(has_text="This list has 21 to")
    expect(second).to_be_visible()
    back = page.get_by_role("link", name="Previous page")
    back.focus()
    before = int(house.ask("SELECT max(id) FROM defect"))
    told = page.get_by_role("status").inner_text()

    send(house.stack.url, a_report(-120.0))
    expect(page.get_by_role("status")).not_to_have_text(told, timeout=30_000)
    expect(second).to_be_visible()
    expect(back).to_be_focused()

    made = house.ask("SELECT reference FROM defect WHERE id > %s", before)
    answer = operator.post(f"/api/v1/defects/{made}/assess", json={"decision": "no_defect", "why": "Nothing there."})
    assert answer.status_code == 200, answer.text
    expect(page.get_by_role("status")).to_have_text(told, timeout=30_000)


def test_what_happens_before_the_feed_is_heard_is_not_missed(
    reader: Reader, house: House, operator: httpx.Client
) -> None:
    place = (PLACE[0] - 1800 * NORTH_OF_M, PLACE[1])
    there = reader.open(f"/map?lat={place[0]}&lon={place[1]}&z=14", DESK)
    expect(there.locator("canvas")).to_have_attribute("aria-label", re.compile(" in view"))
    before = drawn(there)
    page = reader.open("", DESK)
    feed: list[Route] = []
    page.route("**/api/v1/feed", lambda route: feed.append(route))
    page.goto(f"/map?lat={place[0]}&lon={place[1]}&z=15")
    page.wait_for_selector("#map[data-ready]")
    until(lambda: page.wait_for_timeout(50) or feed, 20, "the feed to be asked for")

    held: list[tuple[Route, APIResponse]] = []
    page.route("**/defects/tiles/**", lambda route: held.append((route, route.fetch())))
    page.locator("canvas").press("-")
    until(lambda: page.wait_for_timeout(50) or held, 20, "a tile that was drawn before it happened")

    assert send(house.stack.url, a_report(-1800.0)).status_code == 201
    house.comes_to_rest()
    page.unroute("**/defects/tiles/**")
    with page.expect_request("**/map/list?*"):
        feed[0].continue_()
    for route, answer in held:
        route.fulfill(response=answer)

    until(lambda: drawn(page) == before + 1, 30, "the pin")
    made = house.ask("SELECT reference FROM defect ORDER BY id DESC LIMIT 1")
    expect(page.locator(f"#list [data-reference='{made}']")).to_be_visible()
    answer = operator.post(f"/api/v1/defects/{made}/assess", json={"decision": "no_defect", "why": "Nothing there."})
    assert answer.status_code == 200, answer.text


def test_what_is_shown_can_be_chosen_without_a_reload_and_stays_in_the_address(reader: Reader) -> None:
    page = reader.open(HERE, DESK)
    before = until(lambda: drawn(page), 20, "pins")
    page.evaluate("window.stayed = true")

    page.get_by_text("Choose what is shown").click()
    page.get_by_label("Kind of problem").select_option("edge_damage")
    until(lambda: drawn(page) == 0, 20, "other kinds alone")
    expect(page.get_by_role("status")).to_contain_text("No problems here")
    page.get_by_label("Kind of problem").select_option("pothole")
    until(lambda: drawn(page) == before, 20, "potholes")

    assert page.evaluate("window.stayed")
    assert "class=pothole" in page.url
    page.reload()
    expect(page.get_by_label("Kind of problem")).to_have_value("pothole")
    until(lambda: drawn(page) == before, 20, "the same map")


def test_a_defect_has_an_address_on_the_map(reader: Reader) -> None:
    reference = listed(reader.open(HERE, PLAIN_PHONE))[2]

    page = reader.open(f"/map?defect={reference}", DESK)
    page.wait_for_selector("#map[data-ready]")

    expect(page.locator(".maplibregl-popup")).to_contain_text(reference)
    assert listed(page)[0] == reference


@pytest.mark.parametrize("screen", [PHONE, DESK], ids=str)
def test_a_pin_tells_what_it_is_and_leads_to_its_page(reader: Reader, screen: Screen) -> None:
    page = reader.open(f"/map?lat={PLACE[0]}&lon={PLACE[1]}&z=18", screen)
    until(lambda: drawn(page) > 0, 20, "the pin")

    box = page.locator("#map").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    popup = page.locator(".maplibregl-popup")
    expect(popup).to_contain_text("Investigating")
    expect(popup.get_by_role("link")).to_have_attribute("href", re.compile("/defects/D-"))


def test_buttons_do_what_dragging_does(reader: Reader) -> None:
    page = reader.open(HERE, PHONE)
    page.wait_for_selector("#map[data-ready]")
    lat, lon, zoom = position(page)

    page.get_by_role("button", name="Move north").click()
    until(lambda: position(page)[0] > lat, 10, "a map farther north")
    page.get_by_role("button", name="Move east").click()
    until(lambda: position(page)[1] > lon, 10, "a map farther east")
    page.get_by_role("button", name="Zoom in").click()
    until(lambda: position(page)[2] > zoom, 10, "a nearer map")

    for button in page.locator(".app-map__button").all():
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 24


def test_keys_alone_move_the_map_and_open_a_defect(reader: Reader) -> None:
    page = reader.open(HERE, DESK)
    until(lambda: drawn(page) > 0, 20, "pins")
    lat, _, zoom = position(page)

    tab_to(page, str(page.locator("canvas").get_attribute("aria-label")))
    page.keyboard.press("ArrowUp")
    until(lambda: position(page)[0] > lat, 10, "a map farther north")
    page.keyboard.press("+")
    until(lambda: position(page)[2] > zoom, 10, "a nearer map")
    first = page.locator("#list a").first
    tab_to(page, first.inner_text())
    href = first.get_attribute("href")
    page.keyboard.press("Enter")

    page.wait_for_url(f"**{href}")


def test_a_report_can_begin_where_the_map_is(reader: Reader) -> None:
    page = reader.open(HERE, DESK)
    page.wait_for_selector("#map[data-ready]")

    link = page.get_by_role("link", name="Report a problem at the middle of the map")
    expect(link).to_have_attribute("href", re.compile(rf"^/report/where\?lat={PLACE[0]:.3f}\d*&lon={PLACE[1]:.3f}\d*$"))
    page.locator("canvas").click(button="right", position={"x": 60, "y": 60})

    here = page.locator(".maplibregl-popup").get_by_role("link", name="Report a problem here")
    expect(here).to_have_attribute("href", re.compile(r"^/report/where\?lat="))


def test_what_the_feed_tells_of_defects_is_what_the_map_heeds() -> None:
    written = (ROOT / "services" / "api" / "web" / "src" / "map" / "live.ts").read_text()

    heeded = set(re.findall(r'^  "(\w+)",$', written, re.MULTILINE))

    of_defects = {kind for kind in PUBLIC_KINDS if not kind.startswith("Report")}
    # How urgent a defect is, is not on the public's map.
    assert heeded == of_defects - {"DefectGraded"}


# --- without ---------------------------------------------------------------------------------------------------------


def test_without_scripts_the_list_is_all_there_is_and_enough(reader: Reader) -> None:
    page = reader.open("/map?class=pothole", PLAIN_PHONE)

    assert len(listed(page)) == 20
    expect(page.locator("#map")).to_be_hidden()
    page.get_by_role("link", name="Next page").click()
    expect(page.get_by_role("status")).to_contain_text("This list has 21 to")
    assert "class=pothole" in page.url
    page.locator("summary").click()
    page.get_by_label("Fixed").check()
    page.get_by_label("Investigating").uncheck()
    page.get_by_role("button", name="Show these").click()
    assert "status=fixed" in page.url
    expect(page.get_by_label("Fixed")).to_be_checked()


@pytest.mark.parametrize("screen", SCREENS, ids=str)
def test_a_place_is_looked_up(reader: Reader, screen: Screen) -> None:
    page = reader.open("/map", screen)

    page.get_by_label("Street, place or postcode").fill(STREET)
    page.get_by_role("button", name="Search").click()

    expect(page.get_by_role("heading", level=2, name=f"Near {STREET}")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("nearest first")


def test_a_mistyped_place_is_answered_with_what_may_be_meant(reader: Reader) -> None:
    page = reader.open("/map?near=estern+bypas", PLAIN_PHONE)

    expect(page.get_by_role("alert")).to_contain_text("We know no street")
    page.get_by_role("link", name=re.compile(STREET)).click()

    expect(page.get_by_role("status")).to_contain_text("nearest first")


# --- what it costs ---------------------------------------------------------------------------------------------------


def test_the_map_is_small(reader: Reader) -> None:
    """All that comes until the map of the county is at rest: page, style, scripts, worker, tiles. A first visit."""
    page = reader.open("", PHONE)
    sizes: dict[str, int] = {}
    page.on("requestfinished", lambda request: sizes.update({request.url: _received(request)}))

    page.goto("/map")
    until(lambda: drawn(page) > 0, 20, "the map")

    told = as_json({url.rpartition("/")[2]: size for url, size in sizes.items()})
    assert any("maplibre-gl-worker" in url and size > 100_000 for url, size in sizes.items()), told
    assert sum(".mvt" in url for url in sizes) >= 2, told
    assert sum(sizes.values()) < 450_000, told


def _received(request: Request) -> int:
    """Bytes of an answer, headers too. Chromium does not count the body of a worker's own file; its header does."""
    sizes, answer = request.sizes(), request.response()
    told = answer.header_value("content-length") if answer else None
    return sizes["responseHeadersSize"] + max(sizes["responseBodySize"], int(told or 0))


def test_the_page_can_be_used_at_once_on_a_slow_phone(reader: Reader) -> None:
    page = reader.open("", PHONE)

    assert 0 < busy_seconds(page, "/map") < 2.0
