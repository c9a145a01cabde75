"""Two at one thing in the hub, in real browsers: they see each other, lose nothing, and one of them takes a danger."""

import re
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.delivery.house import House, a_report, send
from tests.pages.browser import PHONE, Reader, Screen, check
from tests.pages.operators import ADA, BEN, HUB_DARK, HUB_DESK, HUB_WIDE, at_the_hub
from tests.waiting import until

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


# --- two at one defect -----------------------------------------------------------------------------------------------


def a_hole(house: House, metres_north: float) -> str:
    """Somebody reports a pothole there. The reference of the defect that it is."""
    answer = send(house.stack.url, a_report(metres_north), uuid4().hex)
    assert answer.status_code in (200, 201), answer.text
    made = """SELECT defect.reference FROM defect JOIN sighting ON sighting.defect_id = defect.id
              JOIN report ON report.id = sighting.report_id WHERE report.reference = %s AND defect.band IS NOT NULL"""
    return str(until(lambda: house.ask(made, answer.json()["reference"]), 60, "the report to be a graded defect"))


def merge(page: Page, absorbed: str, into: str) -> None:
    """The page's person says that the two are one."""
    told = page.evaluate(
        """async ([absorbed, into]) => {
          const token = document.querySelector('meta[name="csrf-token"]').content;
          const headers = { "Content-Type": "application/json", "X-CSRF-Token": token };
          const body = JSON.stringify({ into, why: "The same hole." });
          return (await fetch(`/api/v1/defects/${absorbed}/merge`, { method: "POST", headers, body })).status;
        }""",
        [absorbed, into],
    )
    assert told == 200, told


def test_two_who_look_at_one_defect_see_each_other_and_who_writes(house: House, reader: Reader) -> None:
    path = f"/hub/defects/{a_hole(house, -5_000)}"
    ada, ben = at_the_hub(reader, ADA, path), at_the_hub(reader, BEN, path)
    expect(ben.locator("[data-presence]")).to_contain_text("Also here: Ada Fell, since")

    ben.keyboard.press("c")
    ben.get_by_role("dialog").get_by_label("Why").fill("Measured by the kerb.")

    writing = re.compile(r"Ben Carr, since \d\d:\d\d; writing")
    expect(ada.locator("[data-presence]")).to_have_text(writing, timeout=15_000)
    check(ada)
    ben.goto("/hub/settings")
    expect(ada.locator("[data-presence]")).to_be_empty(timeout=15_000)


def test_one_merges_while_the_other_looks_and_no_word_is_lost(house: House, reader: Reader) -> None:
    mine, other = a_hole(house, -5_200), a_hole(house, -5_400)
    ada, ben = at_the_hub(reader, ADA, f"/hub/defects/{mine}"), at_the_hub(reader, BEN, "/hub/settings")
    ada.keyboard.press("c")
    form = ada.locator("dialog:has(form)")
    form.get_by_label("Why").fill("Measured by the kerb.")
    merge(ben, other, into=mine)

    form.get_by_role("button", name="Confirm").click()

    asked = ada.get_by_role("dialog", name="Changed meanwhile")
    expect(asked).to_contain_text(f"Ben Carr merged {other} into it")
    expect(asked).to_contain_text("Measured by the kerb.")
    check(ada)
    assert house.ask("SELECT assessed_by FROM defect WHERE reference = %s", mine) is None
    asked.get_by_role("button", name="Look again").click()
    expect(form.get_by_label("Why")).to_have_value("Measured by the kerb.")
    form.get_by_role("button", name="Confirm").click()
    expect(form).to_have_count(0)
    assert house.ask("SELECT state FROM defect WHERE reference = %s", mine) in ("confirmed", "ordered")
