"""The resident's start, in a real browser."""

import pytest
from playwright.sync_api import expect

from tests.pages.browser import (
    DESK,
    LOOKS,
    PHONE,
    PLAIN_DESK,
    PLAIN_PHONE,
    SCREENS,
    Reader,
    Screen,
    as_json,
    busy_seconds,
    check,
    look_over,
    tab_to,
    transferred,
)
from tests.pages.conftest import DANGER_PHONE

PAGES = ("/", "/accessibility", "/privacy", "/about", "/status", "/api/docs", "/problems", "/nowhere")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("screen", [PHONE, PLAIN_DESK], ids=str)
def test_a_page_is_accessible_and_fits_in_the_light_and_in_the_dark(reader: Reader, screen: Screen, path: str) -> None:
    look_over(reader.open(path, screen, status=404 if path == "/nowhere" else 200))


@pytest.mark.parametrize("screen", LOOKS, ids=str)
def test_the_start_is_accessible_and_fits_on_every_screen(reader: Reader, screen: Screen) -> None:
    check(reader.open("/", screen))


@pytest.mark.parametrize("screen", SCREENS, ids=str)
def test_the_start_says_whom_to_call_about_a_danger(reader: Reader, screen: Screen) -> None:
    page = reader.open("/", screen)

    expect(page.get_by_role("heading", level=1)).to_have_text("Report a problem on the road")
    assert page.get_by_role("link", name="999").get_attribute("href") == "tel:999"
    assert page.get_by_role("link", name=DANGER_PHONE).get_attribute("href") == "tel:01632960555"


def test_the_keyboard_alone_reaches_the_report(reader: Reader) -> None:
    page = reader.open("/", DESK)

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "Skip to main content"
    tab_to(page, "Reference")
    page.keyboard.press("Shift+Tab")

    assert "govuk-button--start" in page.evaluate("document.activeElement.className")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Where is it?")


@pytest.mark.parametrize("screen", [PHONE, PLAIN_PHONE], ids=str)
def test_the_start_asks_about_a_danger_and_leads_on_to_the_place(reader: Reader, screen: Screen) -> None:
    page = reader.open("/", screen)

    page.get_by_role("button", name="Yes, record a danger").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Where is it?")
    expect(page.get_by_role("link", name="999")).to_be_visible()


def test_the_skip_link_leads_to_the_content(reader: Reader) -> None:
    page = reader.open("/", DESK)

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    assert page.evaluate("document.activeElement.id") == "main-content"


def test_on_a_phone_the_menu_opens_and_without_scripts_it_is_open(reader: Reader) -> None:
    page = reader.open("/", PHONE)
    plain = reader.open("/", PLAIN_PHONE)

    navigation = page.get_by_role("navigation")
    expect(navigation.get_by_role("link", name="Map")).to_be_hidden()
    page.get_by_role("button", name="Menu").click()

    expect(navigation.get_by_role("link", name="Map")).to_be_visible()
    expect(plain.get_by_role("navigation").get_by_role("link", name="Map")).to_be_visible()


def test_a_page_that_is_not_there_is_a_page_that_says_what_to_do(reader: Reader) -> None:
    page = reader.open("/nowhere", status=404)

    expect(page.get_by_role("heading", level=1)).to_have_text("Page not found")
    expect(page.get_by_role("link", name="report a problem on the road")).to_be_visible()


def test_the_start_is_small(reader: Reader) -> None:
    page = reader.open("", PHONE)

    with transferred(page) as sizes:
        page.goto("/")

    assert len(sizes) >= 4, as_json(sizes)
    assert sum(sizes.values()) < 120_000, as_json(sizes)


def test_the_start_can_be_used_at_once_on_a_slow_phone(reader: Reader) -> None:
    page = reader.open("", PHONE)

    assert 0 < busy_seconds(page, "/") < 2.0
