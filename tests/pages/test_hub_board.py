"""The board in a real browser: it moves by itself, says when it is not live, misses nothing, and plays a past day."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from playwright.sync_api import APIResponse, Page, Route, expect

from tests.delivery.house import House, a_report, send, survey
from tests.pages.boards import counted, differences, drawn, listed, recorded, told
from tests.pages.browser import PHONE, Reader, Screen, check, sideways
from tests.pages.operators import ADA, BEN, HUB_DARK, HUB_SMALL, HUB_WIDE, at_the_hub, end_sessions, sign_in
from tests.waiting import until

WORDS = "[data-live-words]"
SHOWN_WITHIN_MS = 5_000
LOOKS_MS = 60_000
"""So often the counters are asked for although nothing happens."""
NORTH = 2_000.0
"""Metres: nobody else's tests report there."""


@pytest.fixture(scope="module")
def operator(house: House) -> Iterator[httpx.Client]:
    key = house.command("keys", "make", "Board", "--role", "operator", "--scope", "*").stdout.strip()
    with httpx.Client(base_url=house.stack.url, headers={"Authorization": f"Bearer {key}"}, timeout=30) as client:
        yield client


@pytest.fixture
def happens(house: House, request: pytest.FixtureRequest) -> Any:
    """Somebody reports so many holes, and all that follows from them is over."""

    def report(count: int, first: int = 0) -> None:
        for number in range(first, first + count):
            answer = send(house.stack.url, a_report(NORTH + 30.0 * number), f"{request.node.name[:60]}-{number:04}")
            assert answer.status_code in (200, 201), answer.text
        house.comes_to_rest()

    return report


def agrees(page: Page, operator: httpx.Client) -> None:
    """The board comes to be what the API says; else it is told where they differ."""
    left: dict[str, Any] = {}

    def are_one() -> bool:
        left.clear()
        left.update(differences(page, operator))
        return not left

    try:
        until(are_one, 40, "the board to be what the API says")
    except AssertionError:
        raise AssertionError(f"board and API differ: {left}") from None


LARGE = """() => {
    for (const one of document.querySelectorAll("[data-figure]")) one.textContent = "100%";
    for (const one of document.querySelectorAll("[data-more]")) one.textContent = "1,250 of 1,250";
}"""
"""Figures as wide as a busy month's."""


FAILS_ONCE = """(() => {
    const make = HTMLCanvasElement.prototype.getContext;
    HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
        if (kind !== "webgl2" || window.failed) return make.call(this, kind, ...more);
        window.failed = true;
        return null;
    };
})()"""
"""A browser whose graphics begin again."""


def at_the_board(reader: Reader) -> Page:
    page = at_the_hub(reader, ADA, "/hub")
    page.wait_for_selector("[data-map][data-ready]")
    return page


def loses_the_network(page: Page) -> None:
    page.context.set_offline(True)
    expect(page.locator(WORDS)).to_contain_text("Connection lost at", timeout=SHOWN_WITHIN_MS)


@pytest.mark.parametrize("path", ["/hub", "/hub/wall"])
def test_the_board_is_accessible_and_fits(reader: Reader, path: str, happens: Any) -> None:
    happens(2)
    page = at_the_hub(reader, ADA, path, HUB_DARK)
    page.wait_for_selector("[data-map][data-ready]")
    page.wait_for_selector("[data-number]")

    check(page)
    page.emulate_media(color_scheme="light")
    check(page)
    for screen in (HUB_SMALL, HUB_WIDE, PHONE):
        page.set_viewport_size({"width": screen.width, "height": screen.height})
        page.evaluate(LARGE)
        assert sideways(page) <= 0, screen


def test_the_board_moves_by_itself_and_is_what_the_api_says(
    reader: Reader, house: House, operator: httpx.Client, happens: Any
) -> None:
    page = at_the_hub(reader, ADA, "/hub/settings")
    held: list[tuple[Route, APIResponse]] = []
    page.route("**/api/v1/feed/lines?**", lambda route: held.append((route, route.fetch())), times=1)
    page.goto("/hub")
    page.wait_for_selector("[data-map][data-ready]")
    page.evaluate("window.stayed = true")
    until(lambda: page.evaluate("1") and held, 15, "the last lines to be asked for")
    [(route, last_lines)] = held

    happens(4)
    until(lambda: listed(page)[:1] == recorded(operator)[:1], 20, "what happened to be heard")
    route.fulfill(response=last_lines)
    agrees(page, operator)
    page.locator('[data-filter="band-none"]').click()
    ungraded = house.ask("SELECT count(*) FROM defect WHERE band IS NULL AND state IN ('candidate', 'confirmed')")

    until(lambda: drawn(page) == ungraded, 15, "what is not graded alone")
    expect(page.locator("[data-shown]")).to_have_text("Map: Open and not graded")
    assert page.url.endswith("?show=band-none")
    assert page.evaluate("window.stayed")


def test_a_cut_network_is_shown_at_once_and_nothing_is_missed(
    reader: Reader, operator: httpx.Client, happens: Any
) -> None:
    happens(1, first=20)
    page = at_the_board(reader)
    expect(page.locator(WORDS)).to_have_text("Live")
    before = recorded(operator)[0]

    loses_the_network(page)
    happens(3, first=21)
    missed = recorded(operator)[0] - before
    page.context.set_offline(False)

    expect(page.locator(WORDS)).to_contain_text(re.compile(rf"^Back\. {missed} lines caught up since \d\d:\d\d$"))
    agrees(page, operator)
    assert missed > 3
    expect(page.locator(".board-line--mark")).to_contain_text(f"{missed} caught up")


def test_tiles_that_did_not_come_are_drawn_when_the_network_is_back(
    reader: Reader, operator: httpx.Client, happens: Any
) -> None:
    happens(1, first=30)
    page = at_the_board(reader)
    failed: list[str] = []
    page.context.route("**/api/v1/defects/tiles/**", lambda route: (failed.append(route.request.url), route.abort()))
    page.locator('[data-filter="band-none"]').click()
    page.locator('[data-filter="band-none"]').click()
    until(lambda: len(failed) > 1, 15, "tiles to fail")

    loses_the_network(page)
    page.context.unroute("**/api/v1/defects/tiles/**")
    page.context.set_offline(False)

    expect(page.locator(WORDS)).to_contain_text("Back.")
    agrees(page, operator)


@pytest.mark.parametrize("path", ["/hub", "/hub/wall"])
def test_a_map_that_did_not_come_is_asked_for_again(reader: Reader, path: str) -> None:
    page = at_the_hub(reader, ADA, "/hub/settings")
    page.clock.install()
    page.add_init_script(FAILS_ONCE)

    page.goto(path)
    until(lambda: page.evaluate("window.failed"), 15, "the map not to be drawn")

    ready = page.locator("[data-map][data-ready]")
    until(lambda: (page.clock.fast_forward(1_000), ready.count())[1], 30, "the map to come")
    expect(page.locator("[data-no-map]:visible, .wall--without-map")).to_have_count(0)


def test_all_pages_of_a_browser_share_one_stream_and_notice_its_silence(
    reader: Reader, house: House, operator: httpx.Client, happens: Any
) -> None:
    first = at_the_hub(reader, ADA, "/hub/settings")
    expect(first.locator(WORDS)).to_have_text("Live")
    streams: list[str] = []
    first.context.on("request", lambda asked: streams.append(asked.url) if "/api/v1/feed?" in asked.url else None)
    second, board = (first.context.new_page() for _ in range(2))
    second.goto("/hub/settings")
    board.goto("/hub")
    board.wait_for_selector("[data-map][data-ready]")
    for page in (second, board):
        expect(page.locator(WORDS)).to_have_text("Live")
    assert streams == []

    house.stack.freeze("api")
    try:
        for page in (second, board):
            expect(page.locator(WORDS)).to_contain_text("Connection lost at", timeout=SHOWN_WITHIN_MS)
    finally:
        house.stack.thaw("api")
    first.close()
    happens(2, first=40)

    for page in (second, board):
        expect(page.locator(WORDS)).to_contain_text(re.compile("^(Back|Live)"))
    until(lambda: listed(board) == recorded(operator), 20, "every line once")


def test_a_wallboard_whose_session_ended_says_so_and_goes_on_when_somebody_signs_in(
    reader: Reader, house: House
) -> None:
    page = at_the_hub(reader, BEN, "/hub/settings", Screen("television", 1920, 1080))
    page.clock.install()
    page.goto("/hub/wall")
    page.wait_for_selector("[data-map][data-ready]")
    expect(page.locator(WORDS)).to_have_text("Live")

    # The counters hear of it, and the feed does not.
    page.route("**/api/v1/feed?**", lambda route: route.abort())
    end_sessions(house, BEN)
    page.clock.fast_forward(LOOKS_MS)
    expect(page.get_by_role("alert")).to_contain_text("Sign in again")
    check(page)
    page.unroute("**/api/v1/feed?**")
    sign_in(page, BEN)

    expect(page.locator(WORDS)).to_contain_text(re.compile("^(Back|Live)"), timeout=30_000)
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_past_day_is_played_and_cannot_be_taken_for_now(
    reader: Reader, house: House, operator: httpx.Client, happens: Any
) -> None:
    happens(2, first=60)
    key = house.vendor_key()
    for survey_pass in ("board-1", "board-2"):
        survey(house.stack.url, key, survey_pass, [NORTH + 2_400.0])
    house.comes_to_rest()
    assert house.ask("SELECT count(*) FROM event WHERE kind = 'DefectDetected'") > 0
    page = at_the_board(reader)
    today = operator.get("/api/v1/board").json()["today"]["from"][:10]

    page.keyboard.press("p")
    page.get_by_label("Replay", exact=True).fill(today)
    page.get_by_role("button", name="Play this day").click()
    expect(page.get_by_text("This is not now.")).to_be_visible()
    check(page)
    slider = page.get_by_label("Time of the day")
    slider.focus()
    page.keyboard.press("End")

    until(lambda: listed(page)[:1] == recorded(operator)[:1], 20, "the day's last line")
    bands = {name: figure for name, figure in counted(page).items() if name.startswith("band-")}
    assert bands == {name: figure for name, figure in told(operator).items() if name.startswith("band-")}
    page.locator("h2").first.click()
    page.keyboard.press("Escape")
    expect(page.get_by_text("This is not now.")).to_be_hidden()
    agrees(page, operator)
    assert datetime.fromisoformat(operator.get("/api/v1/board").json()["at"]) <= datetime.now(UTC)
