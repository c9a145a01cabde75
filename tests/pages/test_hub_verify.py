"""Verification, recalls and search in the hub: worked through by keys, and nothing sent that was undone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.delivery.house import House
from tests.pages.browser import PHONE, Reader, check, maps_of, note_maps, sideways
from tests.pages.operators import ADA, HUB_DESK, HUB_SMALL, HUB_WIDE, SUE, at_the_hub
from tests.pages.story import Story
from tests.waiting import until

WORDS = "Quicksilver puddle beside the observatory gate."
HELD_MS = 8_000
EMAIL = "ottoline.marchbanks@residents.example"


@dataclass
class Desk:
    """Three repairs that wait for a person; and a verified one that failed: its recall."""

    story: Story
    orders: tuple[str, str, str]
    recall: str
    report: str

    def order(self, which: int) -> Any:
        return self.story.operator.get(f"/api/v1/works-orders/{self.orders[which]}")


@pytest.fixture(scope="module")
def desk(house: House) -> Iterator[Desk]:
    story = Story(house)
    try:
        yield _made(story)
    finally:
        story.leave()


def _made(story: Story) -> Desk:
    told = [story.report(place, contact={"name": "Otto", "email": EMAIL}) for place in (50, 51)]
    told += [story.report(53), story.report(52, description=WORDS)]
    defects = [story.defect_of(one) for one in told]
    for defect in defects:
        story.assess(defect)
    orders = [story.mend(defect, place) for defect, place in zip(defects, (50, 51, 53, 52), strict=True)]
    story.verify(orders[3])
    story.report(52)

    def recalled() -> Any:
        return story.operator.get(f"/api/v1/recalls?defect={defects[3]}")["recalls"]

    (recall,) = until(recalled, 60, "the repair to be called back")
    made = Desk(story, (orders[0], orders[1], orders[2]), recall["reference"], told[3].reference)
    until(lambda: all(made.order(which)["state"] == "evidence_ok" for which in (0, 1, 2)), 60, "the evidence to pass")
    return made


def _look_over(page: Page) -> None:
    """In the light and the dark; and as wide as screens of the hub and of a telephone are. Leaves it as it was."""
    check(page)
    page.emulate_media(color_scheme="dark")
    check(page)
    page.emulate_media(color_scheme="light")
    for screen in (HUB_SMALL, HUB_WIDE, PHONE, HUB_DESK):
        page.set_viewport_size({"width": screen.width, "height": screen.height})
        assert sideways(page) <= 0, f"{page.url} is wider than {screen}"


def test_photos_lie_beside_each_other_or_over_each_other_and_in_full(reader: Reader, desk: Desk) -> None:
    page = at_the_hub(reader, ADA, f"/hub/verification?order={desk.orders[0]}")
    expect(page.get_by_role("img", name="Before 1").first).to_be_visible()
    expect(page.locator("[data-completer]")).not_to_be_empty()
    _look_over(page)

    page.keyboard.press("s")
    slider = page.get_by_role("slider")
    expect(slider).to_be_focused()
    slider.press("End")
    check(page)
    page.keyboard.press("f")

    shown = page.get_by_role("dialog", name="Photo")
    expect(shown.get_by_role("status")).to_have_text("Before 1, 1 of 2")
    page.keyboard.press("ArrowRight")
    expect(shown.get_by_role("img", name="After 1")).to_be_visible()
    check(page)


def test_a_verdict_that_was_not_saved_waits_with_its_words_while_the_next_one_is_written(
    reader: Reader, desk: Desk
) -> None:
    first = desk.orders[0]
    page = at_the_hub(reader, ADA, f"/hub/verification?order={first}")
    page.clock.install()
    page.route("**/verify", lambda route: route.abort(), times=1)
    one = page.locator('[data-part="one"]:not([inert])')
    why = one.get_by_label("Reason")
    rejected(page, "It sinks under a wheel.")
    expect(one).not_to_have_attribute("data-reference", first)
    second = str(one.get_attribute("data-reference"))
    page.keyboard.press("x")
    page.keyboard.type("Loose chippings ")

    page.clock.fast_forward(HELD_MS)
    expect(page.get_by_text(f"{first} is not decided: it is in the list again")).to_be_visible()
    expect(page.locator(f"#row-{first}")).to_be_visible()
    page.keyboard.type("all around.")
    expect(why).to_have_value("Loose chippings all around.")
    check(page)
    page.get_by_role("button", name="Show it").click()
    expect(one).to_have_attribute("data-reference", first)
    expect(why).to_have_value("It sinks under a wheel.")

    # Saved on what was long ago: somebody has changed it since, and that is not asked in the middle of a word.
    one.evaluate("one => (one.dataset.seen = '1')")
    why.press("Enter")
    expect(one).to_have_attribute("data-reference", second)
    expect(why).to_have_value("Loose chippings all around.")
    why.press("End")
    page.clock.fast_forward(HELD_MS)
    expect(page.get_by_text(f"{first} is not decided: it is in the list again")).to_have_count(1)
    page.keyboard.type(" And a step.")
    expect(why).to_have_value("Loose chippings all around. And a step.")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert desk.order(0)["state"] == "evidence_ok"


def rejected(page: Page, why: str) -> None:
    """What is shown is rejected, for that reason; it is held."""
    page.keyboard.press("x")
    page.keyboard.type(why)
    page.keyboard.press("Enter")


def test_what_is_decided_and_held_does_not_come_back_when_the_one_before_is_sent(reader: Reader, desk: Desk) -> None:
    page = at_the_hub(reader, ADA, f"/hub/verification?order={desk.orders[2]}")
    page.clock.install()
    page.clock.pause_at(datetime.now(UTC) + timedelta(minutes=1))
    one = page.locator('[data-part="one"]:not([inert])')
    rows = page.locator("[data-row]:visible")
    page.keyboard.press("v")
    page.keyboard.press("Enter")
    expect(page.locator(f"#row-{desk.orders[2]}")).to_be_hidden()
    page.clock.fast_forward(HELD_MS // 2)
    while rows.count():
        expect(one).to_have_attribute("data-reference", re.compile("^W-"))
        reference = str(one.get_attribute("data-reference"))
        rejected(page, f"Not {reference}.")
        expect(page.locator(f"#row-{reference}")).to_be_hidden()
    expect(page.get_by_text("No repair waits for you.")).to_be_visible()

    with page.expect_response("**/verify"):
        page.clock.fast_forward(HELD_MS // 2)
    sent = page.locator(f"#row-{desk.orders[2]}")
    until(lambda: (page.clock.fast_forward(20), sent.count() == 0)[1], 20, "the list to be read again")

    assert one.get_attribute("data-reference") is None
    expect(page.get_by_text("No repair waits for you.")).to_be_visible()
    page.get_by_role("button", name="Undo").first.click()
    expect(one.get_by_label("Reason")).to_have_value(re.compile("^Not W-"))
    page.get_by_role("button", name="Undo").first.click()
    expect(rows).to_have_count(2)


def test_a_verdict_is_given_by_keys_and_taken_back_before_it_is_sent(reader: Reader, desk: Desk) -> None:
    page = at_the_hub(reader, ADA, f"/hub/verification?order={desk.orders[1]}")
    one = page.locator('[data-part="one"]:not([inert])')
    page.keyboard.press("x")
    page.keyboard.press("Enter")
    expect(one.get_by_role("alert")).to_contain_text("Say why")

    page.keyboard.type("Loose chippings all around.")
    page.keyboard.press("Enter")
    expect(page.locator(f"#row-{desk.orders[1]}")).to_be_hidden()
    page.get_by_role("button", name="Undo").click()
    expect(one).to_have_attribute("data-reference", desk.orders[1])
    expect(one.get_by_label("Reason")).to_have_value("Loose chippings all around.")
    page.keyboard.press("v")
    page.keyboard.type("Sound and level on the photos.")
    page.keyboard.press("Enter")
    expect(page.locator(f"#row-{desk.orders[1]}")).to_be_hidden()
    page.goto("/hub/verification/sample")

    until(lambda: desk.order(1)["state"] == "payable", 20, "the verdict to arrive after its page was left")
    passed = [line for line in desk.order(1)["history"] if line["after"] == "verified"]
    assert [line["why"] for line in passed] == ["Sound and level on the photos."]
    expect(page.get_by_role("link", name=desk.orders[1])).to_be_visible()
    _look_over(page)


def test_a_list_is_true_by_itself_and_who_saves_on_what_was_is_shown_both_and_loses_nothing(
    reader: Reader, desk: Desk
) -> None:
    page = at_the_hub(reader, ADA, f"/hub/verification?order={desk.orders[0]}")
    expect(page.locator("[data-live-words]")).to_have_text("Live")
    expect(page.locator("[data-finding]")).to_have_count(0)
    desk.story.report(50)
    expect(page.locator("[data-finding='seen_again']")).to_be_visible()
    page.keyboard.press("v")
    page.keyboard.type("Looks sound to me")

    body = {"verdict": "failed", "why": "It sinks under a wheel.", "site_check": False}
    desk.story.second.post(f"/api/v1/works-orders/{desk.orders[0]}/verify", body)

    expect(page.locator("[data-changed]")).to_be_visible()
    expect(page.get_by_label("Reason")).to_have_value("Looks sound to me")
    page.clock.install()
    page.keyboard.press("Enter")
    page.clock.fast_forward(HELD_MS)
    asked = page.get_by_role("dialog", name="Changed meanwhile")
    expect(asked).to_contain_text("rejected the repair")
    expect(asked).to_contain_text("Looks sound to me")
    check(page)
    asked.get_by_role("button", name="Look again").click()
    expect(page.get_by_text("You wrote: Looks sound to me")).to_be_visible()
    expect(page.get_by_text("nothing is to be decided now")).to_be_visible()
    check(page)


def test_a_recall_shows_both_places_and_only_a_supervisor_rules_on_its_dispute(reader: Reader, desk: Desk) -> None:
    page = at_the_hub(reader, ADA, "/hub/settings")
    note_maps(page)
    held: list[Route] = []
    page.route("**/api/v1/streets/tiles", lambda route: held.append(route), times=1)
    page.goto(f"/hub/recalls#{desk.recall}")
    one = page.locator('[data-part="one"]')
    expect(one).to_have_attribute("data-reference", desk.recall)
    until(lambda: page.evaluate("1") and held, 15, "its map to be begun")
    one.evaluate("one => (one.dataset.earlier = 'yes')")
    page.locator(f"#row-{desk.recall}").click()
    expect(page.locator("[data-earlier]")).to_have_count(0)
    held[0].continue_()
    expect(one.locator("[data-map]")).to_have_attribute("data-drawn", desk.recall, timeout=20_000)
    expect(one.get_by_text("inside the footprint")).to_be_visible()
    assert maps_of(page)[0] > 1
    until(lambda: maps_of(page)[1] == 1, 20, "the map that was overtaken to be given back")
    _look_over(page)

    desk.story.crew.post(f"/api/v1/recalls/{desk.recall}/dispute", {"why": "A trench was cut through it."})
    expect(one.get_by_text("A trench was cut through it.")).to_be_visible()
    expect(one.get_by_text("Only a supervisor rules")).to_be_visible()
    expect(one.get_by_label("Reason")).to_be_disabled()
    check(page)
    supervisor = at_the_hub(reader, SUE, f"/hub/recalls?recall={desk.recall}")
    supervisor.keyboard.press("n")
    supervisor.keyboard.type("The trench is on the photo.")
    supervisor.keyboard.press("Enter")
    expect(supervisor.locator(f"#row-{desk.recall}")).to_be_hidden()
    supervisor.goto("/hub/settings")

    expect(one.get_by_text("Ruled not attributed")).to_be_visible()
    recall = desk.story.operator.get(f"/api/v1/recalls/{desk.recall}")
    assert (recall["state"], recall["decision_why"]) == ("not_attributable", "The trench is on the photo.")


def test_what_is_typed_is_suggested_and_a_whole_reference_leads_straight_there(reader: Reader, desk: Desk) -> None:
    page = at_the_hub(reader, ADA, "/hub/settings")
    page.keyboard.press("/")
    box = page.get_by_role("combobox", name="Search: reference")
    page.keyboard.type("quicksilver observatory")
    option = page.get_by_role("option", name=desk.report)
    expect(option).to_be_visible()
    check(page)
    page.keyboard.press("ArrowDown")
    expect(option).to_have_attribute("aria-selected", "true")
    expect(box).to_have_attribute("aria-activedescendant", "hub-found-0")
    page.keyboard.press("Escape")
    expect(option).to_be_hidden()
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Reports, list")).to_contain_text(WORDS)
    _look_over(page)

    box.fill(desk.recall.lower().replace("-", ""))
    page.keyboard.press("Enter")

    expect(page.locator('[data-part="one"]')).to_have_attribute("data-reference", desk.recall)


def test_an_address_is_looked_up_by_enter_and_stands_in_no_address_of_ours(
    reader: Reader, house: House, desk: Desk
) -> None:
    page = at_the_hub(reader, ADA, "/hub/settings")
    asked: list[Request] = []
    page.on("request", lambda one: asked.append(one))
    page.keyboard.press("/")
    page.keyboard.type(EMAIL)
    expect(page.get_by_text("Enter looks up the reports of this address")).to_be_visible()
    check(page)

    page.keyboard.press("Enter")

    expect(page.get_by_text("2 reports are of this address")).to_be_visible()
    expect(page.get_by_role("region", name="Reports, list").get_by_role("link")).not_to_have_count(0)
    check(page)
    assert not any("ottoline" in one.url or "%40" in one.url for one in asked)
    assert [
        one.url.rpartition("/")[2] for one in asked if "ottoline" in (one.post_data or "") and "@" in one.post_data
    ] == ["reporters"]
    assert "ottoline" not in page.evaluate("JSON.stringify([sessionStorage, localStorage])")
    assert (
        house.ask("SELECT data->>'reports' FROM event WHERE kind = 'ReporterLookedUp' ORDER BY id DESC LIMIT 1") == "2"
    )
    assert desk.report
