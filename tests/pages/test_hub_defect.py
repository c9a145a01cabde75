"""A defect's page: merged by the map and by keys, split with what follows seen first, and true while others act."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.delivery.house import NORTH_OF_M, House
from tests.pages.browser import PHONE, Reader, check, maps_of, note_maps
from tests.pages.operators import ADA, BEN, HUB_SCREENS, at_the_hub
from tests.pages.story import Story, Told
from tests.waiting import until

ELSEWHERE = {"email": "ali@residents.example"}


@dataclass
class Scene:
    """A defect with two reports, one with a photo, and another defect 62 metres to its north."""

    story: Story
    reports: list[Told]
    defect: str
    other: str


def _scene(story: Story, place: int) -> Scene:
    lat, lon = story.at(place)

    def at(metres: float) -> dict[str, Any]:
        return {"location": {"lat": lat + metres * NORTH_OF_M, "lon": lon, "accuracy_m": 5}}

    reports = [story.report(place, **at(0)), story.report(place, **at(2), contact=ELSEWHERE)]
    story.photo(reports[0], place)
    other = story.report(place, **at(62), contact=ELSEWHERE, description="Another hole, further up.")
    return Scene(story, reports, story.defect_of(reports[0]), story.defect_of(other))


@pytest.fixture(scope="module")
def story(house: House) -> Iterator[Story]:
    made = Story(house)
    yield made
    made.leave()


@pytest.fixture(scope="module")
def scene(story: Story) -> Scene:
    """For tests that leave it as it was."""
    made = _scene(story, 44)
    story.defect_of(made.reports[1])
    return made


def opened(reader: Reader, scene: Scene, who: Any = ADA) -> Page:
    page = at_the_hub(reader, who, f"/hub/defects/{scene.defect}")
    expect(page.locator("[data-live-words]")).to_have_text("Live")
    return page


def test_two_are_merged_by_the_map_and_that_is_taken_back(reader: Reader, scene: Scene) -> None:
    page = opened(reader, scene)
    page.keyboard.press("m")
    page.get_by_role("dialog").locator(".hub-pin", has_text="1").click()
    expect(page.get_by_role("dialog")).to_contain_text(f"turned out to be the same as {scene.other}")
    expect(page.get_by_role("dialog")).to_contain_text("Would move: 2 reports")
    check(page)
    page.get_by_role("dialog").get_by_label("Why").fill("One hole, by the photo.")

    page.get_by_role("button", name="Merge", exact=True).click()

    expect(page.locator("[data-part='head']")).to_contain_text(f"The same as {scene.other}")
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.locator("[data-part='head']")).not_to_contain_text("The same as")
    expect(page.locator("[data-part='story']")).to_contain_text("after all. Ada Fell")


def test_a_dialogs_map_goes_with_it(reader: Reader, scene: Scene) -> None:
    page = at_the_hub(reader, ADA, "/hub/settings")
    note_maps(page)
    page.goto(f"/hub/defects/{scene.defect}")
    until(lambda: maps_of(page) == (1, 1), 20, "the page's own map")

    for number, key in enumerate("mx", start=2):
        page.keyboard.press(key)
        until(lambda made=number: maps_of(page) == (made, 2), 20, "the dialog's map")
        page.keyboard.press("Escape")
        until(lambda made=number: maps_of(page) == (made, 1), 20, "the dialog's map to be given back")


def test_two_are_merged_by_keys_alone(reader: Reader, story: Story) -> None:
    mine = _scene(story, 46)
    page = opened(reader, mine)
    page.keyboard.press("m")
    expect(page.get_by_role("radio").first).to_be_focused()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Merge", exact=True)).to_be_visible()
    while not page.evaluate("document.activeElement.matches('textarea')"):
        page.keyboard.press("Tab")
    page.keyboard.type("One hole.")
    page.keyboard.press("Tab")

    page.keyboard.press("Enter")

    expect(page.locator("[data-part='head']")).to_contain_text(f"The same as {mine.other}")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_one_is_split_with_what_follows_seen_first_and_merged_back(reader: Reader, scene: Scene) -> None:
    page = opened(reader, scene)
    page.keyboard.press("x")
    page.get_by_role("checkbox").nth(1).check()
    expect(page.get_by_role("heading", name="The new defect")).to_be_visible()
    expect(page.get_by_role("dialog")).to_contain_text(f"Would move: 1 report ({scene.reports[1].reference})")
    check(page)
    page.get_by_role("button", name="Split", exact=True).click()
    expect(page.get_by_role("dialog").get_by_text("Say why, in a few words.")).to_be_visible()
    page.get_by_role("dialog").get_by_label("Why").fill("Two holes, a metre apart.")

    page.get_by_role("button", name="Split", exact=True).click()

    expect(page.locator("[data-part='story']")).to_contain_text("was split off. Ada Fell")
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.locator("[data-says]")).to_contain_text(f"is part of {scene.defect} again")


def test_an_act_that_is_not_lawful_says_why_and_the_page_fits_every_screen(reader: Reader, scene: Scene) -> None:
    page = opened(reader, scene)
    button = page.get_by_role("button", name="Order the repair")
    expect(button).to_be_disabled()
    expect(button).to_have_accessible_description(
        f"{scene.defect} wants no works order: only what is confirmed, or made safe, and graded does."
    )
    expect(page.locator("[data-map] canvas")).to_be_visible()

    for screen in (*HUB_SCREENS, PHONE):
        page.set_viewport_size({"width": screen.width, "height": screen.height})
        page.emulate_media(color_scheme="dark" if screen.dark else "light")
        check(page)


def test_the_page_follows_what_another_does_and_keeps_what_is_typed(reader: Reader, scene: Scene) -> None:
    page, other = opened(reader, scene), opened(reader, scene, BEN)
    expect(page.locator("[data-presence]")).to_contain_text("Ben Carr", timeout=20_000)
    page.keyboard.press("c")
    page.get_by_role("dialog").get_by_label("Why").fill("Half a sentence")

    other.get_by_role("button", name="Watch it").click()
    other.get_by_role("dialog").get_by_label("Why").fill("Shallow, by the photo.")
    other.get_by_role("dialog").get_by_role("button", name="Watch it").click()

    expect(page.locator("[data-changed]")).to_contain_text("Ben Carr")
    expect(page.locator("[data-part='head'] .hub-state")).to_have_text("monitor")
    expect(page.get_by_role("dialog").get_by_label("Why")).to_have_value("Half a sentence")
    page.get_by_role("dialog").get_by_role("button", name="Confirm and grade").click()
    expect(page.get_by_role("dialog", name="Changed meanwhile")).to_contain_text("Ben Carr")


def test_a_reporters_contact_and_a_photo_are_looked_at_on_demand(reader: Reader, scene: Scene) -> None:
    page = at_the_hub(reader, ADA, f"/hub/reports/{scene.reports[0].reference}")
    assert "sam.lee@" not in page.content()

    page.get_by_role("button", name="Show how to reach the reporter").click()

    expect(page.locator("[data-contact-place]")).to_contain_text("sam.lee@residents.example")
    expect(page.locator("[data-part='story']")).to_contain_text("The contact details were looked at. Ada Fell")
    page.keyboard.press("p")
    expect(page.get_by_role("dialog", name="Photo")).to_contain_text("Only those whom it concerns may see it.")
    check(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_an_order_that_its_firm_has_just_accepted_is_not_cancelled_unawares(reader: Reader, story: Story) -> None:
    defect = story.defect_of(story.report(48))
    story.assess(defect)
    order = story.order_of(defect)
    page = at_the_hub(reader, ADA, f"/hub/defects/{defect}")
    page.get_by_role("button", name="Cancel its works order").click()
    form = page.locator("dialog:has(form)")
    form.get_by_label("Why").fill("The scheme of next month covers it.")
    story.accept(order)

    form.get_by_role("button", name="Cancel its works order").click()

    asked = page.get_by_role("dialog", name="Changed meanwhile")
    expect(asked).to_contain_text("accepted it just now")
    check(page)
    asked.get_by_role("button", name="Look again").click()
    form.get_by_role("button", name="Cancel its works order").click()
    expect(page.locator(f"[data-order='{order}']")).to_have_attribute("data-order-state", "cancelled")
