"""Two at one thing in the hub, in real browsers: a danger sounds until somebody takes it, and is gone everywhere."""

import re
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.delivery.house import House, a_report, send
from tests.pages.browser import PHONE, Reader, Screen, check
from tests.pages.operators import ADA, BEN, HUB_DARK, HUB_DESK, HUB_WIDE, at_the_hub

HALF_A_MINUTE_MS = 30_000
SILENT = "window.AudioContext = class extends AudioContext { constructor() { super(); void this.suspend(); } };"
"""What a browser does until somebody presses something. To it the scripts of these tests are somebody who did."""


def a_danger(house: House, metres_north: float) -> str:
    """Somebody reports a dangerous pothole there."""
    answer = send(house.stack.url, a_report(metres_north, danger=True), uuid4().hex)
    assert answer.status_code in (200, 201), answer.text
    return str(answer.json()["reference"])


def called(page: Page, reference: str) -> Locator:
    """The line of this danger in the bar."""
    return page.locator(f"[data-danger] li[data-reference='{reference}']")


def sound(page: Page) -> Locator:
    return page.locator("[data-danger]")


def in_silence(page: Page) -> Page:
    """The page anew, in a browser that makes no sound yet."""
    page.add_init_script(SILENT)
    page.reload()
    return page


def turn_on(page: Page) -> None:
    """Press what the page asks to be pressed."""
    expect(sound(page)).to_have_attribute("data-sound", "refused")
    page.get_by_role("button", name="Turn sound on").click()
    expect(sound(page)).to_have_attribute("data-sound", re.compile("on|elsewhere"))


def test_a_danger_sounds_until_somebody_takes_it_and_is_then_taken_everywhere(house: House, reader: Reader) -> None:
    ada, ben = in_silence(at_the_hub(reader, ADA, "/hub/settings")), at_the_hub(reader, BEN, "/hub/settings")
    expect(ada.locator("[data-live-words]")).to_have_text("Live")

    reference = a_danger(house, -4_000)

    for page in (ada, ben):
        expect(called(page, reference)).to_be_visible()
        expect(page.locator("[data-danger] [role=alert]")).to_contain_text("Danger reported: pothole")
    turn_on(ada)
    expect(sound(ada)).to_have_attribute("data-sounded", re.compile("[1-9]"))
    called(ben, reference).get_by_role("button", name="Take it").click()
    expect(ben.get_by_text(f"You have taken {reference}.")).to_be_visible()
    expect(called(ben, reference)).to_have_count(0)
    expect(called(ada, reference)).to_have_count(0)


def test_a_danger_that_is_given_back_calls_everybody_again(house: House, reader: Reader) -> None:
    ada, ben = at_the_hub(reader, ADA, "/hub/settings"), at_the_hub(reader, BEN, "/hub/settings")
    reference = a_danger(house, -4_100)
    expect(called(ada, reference)).to_be_visible()
    called(ben, reference).get_by_role("button").focus()
    ben.keyboard.press("Enter")
    expect(called(ada, reference)).to_have_count(0)

    ben.get_by_role("button", name="Give it back").click()

    expect(called(ada, reference)).to_be_visible()
    expect(called(ben, reference)).to_be_visible()


def test_one_tab_sounds_again_each_half_minute_and_a_mute_quiets_all(house: House, reader: Reader) -> None:
    first = at_the_hub(reader, ADA, "/hub/settings")
    first.clock.install()
    in_silence(first)
    reference = a_danger(house, -4_200)
    expect(called(first, reference)).to_be_visible()
    turn_on(first)
    expect(sound(first)).to_have_attribute("data-sound", "on")
    second = first.context.new_page()
    second.goto("/hub/settings")
    expect(called(second, reference)).to_be_visible()
    expect(sound(second)).to_have_attribute("data-sound", "elsewhere")

    sounded = int(sound(first).get_attribute("data-sounded") or 0)
    first.clock.fast_forward(HALF_A_MINUTE_MS)

    expect(sound(first)).to_have_attribute("data-sounded", str(sounded + 1))
    expect(sound(second)).to_have_attribute("data-sound", "elsewhere")
    expect(sound(second)).to_have_attribute("data-sounded", "0")
    second.get_by_role("button", name="Mute for 15 minutes").click()
    expect(sound(first)).to_have_attribute("data-sound", "muted")
    first.clock.fast_forward(HALF_A_MINUTE_MS)
    expect(sound(first)).to_have_attribute("data-sounded", str(sounded + 1))


@pytest.mark.parametrize("screen", [HUB_DESK, HUB_DARK, HUB_WIDE, PHONE], ids=str)
def test_the_bar_of_danger_is_accessible_and_fits(house: House, reader: Reader, screen: Screen) -> None:
    reference = a_danger(house, -4_300)

    page = at_the_hub(reader, ADA, "/hub/settings", screen)

    expect(page.get_by_role("region", name="Danger reported")).to_be_visible()
    expect(page.locator(f"[data-reference='{reference}']")).to_have_count(1)
    check(page)
