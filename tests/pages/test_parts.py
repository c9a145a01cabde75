"""Every part that pages are made of, in the light and in the dark: here once, so that no page meets it first."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

from services.api import templates
from services.api.look import look
from tests.pages.browser import DESK, PHONE, PLAIN_PHONE, Reader, Screen, look_over, sideways, violations

ERRORS = {"street": "Enter a street or a postcode", "tell": "Choose how we tell you"}


def _gallery(reader: Reader, screen: Screen) -> Page:
    """A page of all parts, as the server would answer it."""
    text = (Path(__file__).parent / "gallery.html").read_text()
    shown = templates.environment().from_string(text).render(look=look(), errors=ERRORS, current="/map")
    page = reader.open("", screen)
    page.route("**/gallery", lambda route: route.fulfill(body=shown, content_type="text/html; charset=utf-8"))
    page.goto("/gallery")
    return page


@pytest.mark.parametrize("screen", [PHONE, DESK, PLAIN_PHONE], ids=str)
def test_every_part_is_accessible_and_fits_in_the_light_and_in_the_dark(reader: Reader, screen: Screen) -> None:
    look_over(_gallery(reader, screen))


def test_what_is_wrong_stands_in_the_title_and_above_all_and_leads_to_its_field(reader: Reader) -> None:
    page = _gallery(reader, DESK)

    assert page.title().startswith("Error: Every part - ")
    assert page.evaluate("document.activeElement.className") == "govuk-error-summary"
    page.get_by_role("link", name=ERRORS["street"]).click()

    assert page.evaluate("document.activeElement.id") == "street"


@pytest.mark.parametrize("screen", [PHONE, PLAIN_PHONE], ids=str)
def test_what_looks_for_mistakes_finds_them_with_and_without_scripts(reader: Reader, screen: Screen) -> None:
    page = reader.open("", screen)
    bad = '<!doctype html><title>Bad</title><p style="color: #aaa">Pale</p><input><hr style="width: 500px">'
    page.route("**/bad", lambda route: route.fulfill(body=bad, content_type="text/html; charset=utf-8"))
    page.goto("/bad")

    found = {one.partition(":")[0] for one in violations(page)}

    assert {"html-has-lang", "color-contrast", "label"} <= found
    assert sideways(page) > 100
