"""Following a report and a defect, in a real browser: what is told, and what the reporter can do."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.delivery.house import House
from tests.factories import a_picture
from tests.pages.browser import DESK, LOOKS, PHONE, SCREENS, Reader, Screen, check, tab_to
from tests.pages.story import Story, Told


@dataclass(frozen=True)
class Tales:
    """Reports at several points of their story, made once for all tests here."""

    story: Story
    fixed: Told
    fixed_defect: str
    safe_defect: str
    watched_defect: str
    duplicate: str
    asked: Told


@pytest.fixture(scope="module")
def tales(house: House) -> Iterator[Tales]:
    story = Story(house)
    try:
        yield _told(house, story)
    finally:
        story.leave()


def _told(house: House, story: Story) -> Tales:
    fixed, safe, watched, original, again, asked = (story.report(place) for place in range(6))
    story.release(story.photo(fixed, 0))
    defects = [story.defect_of(one) for one in (fixed, safe, watched, original, again)]
    for defect in (defects[0], defects[1], defects[3]):
        story.assess(defect)
    story.assess(defects[2], decision="monitor", why="Below the level.", depth_mm=25, width_mm=120)
    story.merge(defects[4], defects[3])
    story.mend(defects[1], 1, outcome="made_safe")
    story.verify(story.mend(defects[0], 0))
    house.comes_to_rest()
    story.decide(_waiting(story, asked), decision="ask", question="Which lane is it in?")
    return Tales(story, fixed, defects[0], defects[1], defects[2], defects[4], asked)


def _waiting(story: Story, told: Told) -> Told:
    """Unlinked again: it waits for a person."""
    defect = story.defect_of(told)
    answer = story.operator.post(
        f"/api/v1/reports/{told.reference}/unlink", {"defect": defect, "why": "It may be the other lane."}
    )
    assert answer.status_code == 200, answer.text
    return told


def _news(page: Page) -> list[str]:
    """The headings of the timeline, oldest first."""
    return page.locator(".app-timeline h3").all_inner_texts()[::-1]


def _is_seen(page: Page, words: str) -> None:
    """A photo with these words came whole."""
    image = page.get_by_role("img", name=words)
    image.scroll_into_view_if_needed()
    expect(image).not_to_have_js_property("naturalWidth", 0)


# --- every page in every state ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("screen", LOOKS, ids=str)
def test_the_richest_pages_are_accessible_and_fit_however_they_are_looked_at(
    reader: Reader, tales: Tales, screen: Screen
) -> None:
    page = reader.open(tales.fixed.link, screen)
    check(page)
    page.goto(f"/defects/{tales.fixed_defect}")
    check(page)


@pytest.mark.parametrize("screen", [PHONE, DESK], ids=str)
def test_every_page_in_every_state_is_accessible_and_fits(reader: Reader, tales: Tales, screen: Screen) -> None:
    page = reader.open("/find", screen)
    check(page)
    for defect in (tales.safe_defect, tales.watched_defect, tales.duplicate):
        page.goto(f"/defects/{defect}")
        check(page)
    page.goto(tales.fixed.page)
    check(page)
    page.goto(tales.fixed.link)
    for act in ("not-fixed", "forget"):
        page.goto(f"{tales.fixed.page}/{act}")
        check(page)
    page.goto(tales.asked.link)
    check(page)
    page.goto(f"{tales.asked.page}/answer")
    page.get_by_role("button", name="Send your answer").click()
    check(page)


# --- what is told ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("screen", SCREENS, ids=str)
def test_a_report_is_found_by_its_reference(reader: Reader, tales: Tales, screen: Screen) -> None:
    page = reader.open("/find", screen)

    page.get_by_label("Find your report").fill("R-0000-0000")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("alert")).to_contain_text("We have no report with this reference")
    page.get_by_label("Find your report").fill(tales.fixed.reference.lower().replace("-", " "))
    page.get_by_role("button", name="Find").click()

    expect(page).to_have_url(re.compile(f"{tales.fixed.page}$"))


@pytest.mark.parametrize("screen", SCREENS, ids=str)
def test_a_verified_repair_is_told_with_its_date_kept_and_photos_from_before_and_after(
    reader: Reader, tales: Tales, screen: Screen
) -> None:
    page = reader.open(f"/defects/{tales.fixed_defect}", screen)

    expect(page.locator(".app-standing")).to_contain_text("It is mended, and the repair has been checked.")
    promised = page.locator(".app-timeline li", has_text="We will mend it by this date.")
    expect(promised.locator(".govuk-tag")).to_have_text("Kept")
    for words in ("Before the repair", "After the repair", "From somebody who saw it"):
        _is_seen(page, words)
    expect(page.get_by_text("under warranty until")).to_be_visible()
    expect(page.get_by_role("link", name="Tell us that it has failed again")).to_be_visible()


@pytest.mark.parametrize("screen", SCREENS, ids=str)
def test_made_safe_is_not_told_as_mended(reader: Reader, tales: Tales, screen: Screen) -> None:
    page = reader.open(f"/defects/{tales.safe_defect}", screen)

    expect(page.locator(".app-standing")).to_contain_text("made safe; the repair is still to come")
    assert "Fixed" not in _news(page)
    assert page.locator(".app-gallery").count() == 0


def test_no_further_action_is_told_with_measures_and_the_next_look(reader: Reader, tales: Tales) -> None:
    page = reader.open(f"/defects/{tales.watched_defect}")

    inset = page.locator(".govuk-inset-text")
    expect(inset).to_contain_text("25 mm deep and 120 mm wide")
    expect(inset).to_contain_text("at least 40 mm deep and 150 mm wide")
    expect(inset).to_contain_text("We will look at it again by")


def test_a_duplicate_tells_its_originals_news(reader: Reader, tales: Tales) -> None:
    page = reader.open(f"/defects/{tales.duplicate}")

    assert "Duplicate" in _news(page)
    assert _news(page)[-1] != "Duplicate"


def test_everybody_sees_the_words_without_what_is_personal(reader: Reader, tales: Tales) -> None:
    page = reader.open(tales.fixed.page)

    expect(page.get_by_text("A lorry, [hidden], broke the edge.")).to_be_visible()
    assert "Sam Lee" not in page.content()
    assert "residents.example" not in page.content()


# --- what the reporter does ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("screen", SCREENS, ids=str)
def test_the_link_opens_the_report_and_its_secret_leaves_the_address(
    reader: Reader, tales: Tales, screen: Screen
) -> None:
    page = reader.open(tales.fixed.link, screen)

    expect(page).to_have_url(re.compile(f"{tales.fixed.page}$"))
    expect(page.get_by_text("AB12 CDE")).to_be_visible()
    assert tales.fixed.secret not in page.content()
    _is_seen(page, "Photo that came with the report")
    (cookie,) = page.context.cookies(page.url)
    assert (cookie["path"], cookie["httpOnly"], cookie["sameSite"]) == (tales.fixed.page, True, "Lax")
    page.get_by_role("button", name="Close my report on this device").click()
    expect(page.get_by_text("AB12 CDE")).to_have_count(0)


@pytest.mark.parametrize("screen", SCREENS, ids=str)
def test_this_was_not_fixed(reader: Reader, tales: Tales, screen: Screen, tmp_path: Path) -> None:
    told = tales.story.report(10 + SCREENS.index(screen))
    _waiting(tales.story, told)
    tales.story.decide(told, decision="no_defect", why="Nothing there.", evidence="Walked both sides.")
    picture = tmp_path / "hole.jpg"
    picture.write_bytes(a_picture(SCREENS.index(screen)))
    bad = tmp_path / "notes.jpg"
    bad.write_bytes(b"no picture at all")

    page = reader.open(told.link, screen)
    page.get_by_role("button", name="This was not fixed").click()
    page.get_by_role("button", name="Send").click()
    expect(page).to_have_title(re.compile("^Error: "))
    page.get_by_label("What is still wrong?").fill("It is right there, by the drain.")
    page.get_by_label("Add a photo (optional)").set_input_files(bad)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_label("What is still wrong?")).to_have_value("It is right there, by the drain.")
    page.get_by_label("Add a photo (optional)").set_input_files(picture)
    page.get_by_role("button", name="Send").click()

    expect(page.get_by_text("We are looking at it again")).to_be_visible()
    expect(page.get_by_text("It is right there, by the drain.")).to_be_visible()
    expect(page.get_by_role("img", name="Photo that came with the report")).to_be_visible()
    check(page)


def test_a_question_is_answered_by_the_keyboard_alone(reader: Reader, tales: Tales) -> None:
    told = tales.story.report(20)
    _waiting(tales.story, told)
    tales.story.decide(told, decision="ask", question="Which lane is it in?")

    page = reader.open(told.link, DESK)
    tab_to(page, "Answer")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/answer$"))
    tab_to(page, "Which lane is it in?")
    page.keyboard.type("The left one")
    tab_to(page, "Send your answer")
    page.keyboard.press("Enter")

    expect(page.get_by_text("Thank you for your answer")).to_be_visible()


@pytest.mark.parametrize("screen", SCREENS, ids=str)
def test_messages_stop_details_are_deleted_and_the_report_is_withdrawn(
    reader: Reader, tales: Tales, screen: Screen
) -> None:
    told = tales.story.report(30 + SCREENS.index(screen))
    page = reader.open(told.link, screen)

    page.get_by_role("button", name="Stop writing to me about this report").click()
    expect(page.get_by_text("We will not write to you about this report again")).to_be_visible()
    page.get_by_role("button", name="Write to me again").click()
    page.get_by_role("link", name="Delete my contact details").click()
    page.get_by_role("button", name="Delete my contact details").click()
    expect(page.get_by_text("We have deleted your contact details")).to_be_visible()
    expect(page.get_by_role("button", name="Stop writing to me about this report")).to_have_count(0)
    page.get_by_role("link", name="Withdraw this report").click()
    page.get_by_role("button", name="Withdraw").click()

    expect(page.get_by_text("You have withdrawn your report")).to_be_visible()
    check(page)


@pytest.mark.parametrize("screen", SCREENS, ids=str)
def test_anybody_follows_a_defect_by_e_mail(reader: Reader, tales: Tales, screen: Screen) -> None:
    page = reader.open(f"/defects/{tales.safe_defect}", screen)

    page.get_by_label("Your email address").fill("nobody")
    page.get_by_role("button", name="Follow", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("There is a problem")
    check(page)
    page.get_by_label("Your email address").fill(f"kim.{screen.name}@residents.example")
    page.get_by_role("button", name="Follow", exact=True).click()

    expect(page.get_by_text("Check your e-mail")).to_be_visible()
