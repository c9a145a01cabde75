"""Following a place in a real browser: found, chosen, confirmed by the e-mail's link, changed and stopped."""

import re
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.delivery.house import House
from tests.pages.browser import DESK, LOOKS, PHONE, PLAIN_PHONE, SCREENS, Reader, Screen, check, tab_to
from tests.waiting import until


def a_street(house: House) -> str:
    """The name of a street that there is once."""
    return str(house.ask("SELECT name FROM street WHERE name <> '' GROUP BY name ORDER BY count(*), name LIMIT 1"))


def mail_to(page: Page, address: str) -> Page:
    """The newest e-mail to an address, opened in the mailbox."""

    def there() -> bool:
        page.goto("/mailbox")
        return page.get_by_role("listitem").filter(has_text=address).count() > 0

    until(there, 30, f"mail to {address}")
    page.get_by_role("listitem").filter(has_text=address).first.get_by_role("link").click()
    return page


def link_in(page: Page) -> str:
    """The path of the link by which a follow is confirmed."""
    found = re.search(r"/follow/\S+", page.locator("#text").inner_text())
    assert found is not None
    return found[0]


def follow(page: Page, street: str, address: str) -> None:
    page.goto("/follow")
    page.get_by_label("Street, postcode, district or division").fill(street)
    page.get_by_role("button", name="Search").click()
    page.get_by_role("radio", name=street).first.check()
    page.get_by_role("radio", name="Every day").check()
    page.get_by_label("Your email address").fill(address)
    page.get_by_role("button", name="Continue").click()


@pytest.mark.parametrize("screen", SCREENS, ids=str)
def test_a_street_is_followed_confirmed_and_stopped(house: House, reader: Reader, screen: Screen) -> None:
    page, address = reader.open("/follow", screen), f"{uuid4().hex}@example.org"
    check(page)

    follow(page, a_street(house), address)
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your email")
    check(page)
    link = link_in(mail_to(page, address))
    check(page)

    page.goto(link)
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Confirm that you want to follow {a_street(house)}")
    check(page)
    page.get_by_role("button", name="Yes, tell me").click()
    expect(page.get_by_text("You will hear from us when something happens.")).to_be_visible()
    expect(page.get_by_role("radio", name="Every day")).to_be_checked()
    check(page)

    page.get_by_role("button", name="Stop these messages").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"You have stopped following {a_street(house)}")
    check(page)
    page.get_by_role("button", name="Follow it again").click()
    expect(page.get_by_text("You follow it again.")).to_be_visible()


@pytest.mark.parametrize("screen", LOOKS, ids=str)
def test_what_is_wrong_is_said_in_a_page_that_is_accessible(house: House, reader: Reader, screen: Screen) -> None:
    page = reader.open("/follow", screen)
    page.get_by_label("Street, postcode, district or division").fill("Xyzzyplugh")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("alert")).to_contain_text("We found nothing that is called “Xyzzyplugh”.")
    check(page)

    page.get_by_label("Street, postcode, district or division").fill(a_street(house))
    page.get_by_role("button", name="Search").click()
    page.get_by_label("Your email address").fill("nobody")
    page.get_by_role("button", name="Continue").click()

    expect(page.get_by_role("alert")).to_contain_text("Enter an email address in the correct format")
    assert page.title().startswith("Error: ")
    check(page)


def test_a_postcode_is_followed_with_a_radius(house: House, reader: Reader) -> None:
    postcode = "PR1 8XJ"
    house.tell(
        "INSERT INTO postcode (postcode, geom) SELECT 'PR18XJ', ST_PointOnSurface(geom) FROM street LIMIT 1"
        " ON CONFLICT DO NOTHING"
    )
    page, address = reader.open("/follow", DESK), f"{uuid4().hex}@example.org"

    page.get_by_label("Street, postcode, district or division").fill(postcode)
    page.get_by_role("button", name="Search").click()
    page.get_by_label("How far around the postcode").select_option("500 metres")
    page.get_by_label("Your email address").fill(address)
    page.get_by_role("button", name="Continue").click()

    expect(mail_to(page, address).locator("#text")).to_contain_text(f"{postcode} and 500 m around it")


def test_the_keyboard_alone_follows_a_street(house: House, reader: Reader) -> None:
    page, street, address = reader.open("/follow", DESK), a_street(house), f"{uuid4().hex}@example.org"

    tab_to(page, "Street, postcode, district or division")
    page.keyboard.type(street)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Your email address")).to_be_visible()
    tab_to(page, "Your email address")
    page.keyboard.type(address)
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Check your email")
    assert link_in(mail_to(page, address))


@pytest.mark.parametrize("screen", [PHONE, DESK], ids=str)
def test_an_area_is_drawn_corner_by_corner_without_dragging(house: House, reader: Reader, screen: Screen) -> None:
    page, address = reader.open("/follow/draw", screen), f"{uuid4().hex}@example.org"
    said = page.locator("[data-draw-said]")
    expect(said).to_have_text("No corners yet.")
    expect(page.get_by_role("region", name="Map on which you draw an area")).to_be_visible()
    check(page)

    for x, y in ((60, 60), (200, 60), (200, 200)):
        page.locator("[data-draw-map] canvas").click(position={"x": x, "y": y})
    expect(said).to_have_text("3 corners. The area is drawn.")
    page.get_by_role("button", name="Take the last corner back").click()
    expect(said).to_have_text("2 corners. An area needs 3 or more.")
    page.get_by_role("button", name="Add the middle of the map as a corner").click()
    expect(said).to_have_text("3 corners. The area is drawn.")
    page.get_by_label("Your email address").fill(address)
    page.get_by_role("button", name="Continue").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Check your email")
    expect(mail_to(page, address).locator("#text")).to_contain_text("The area that you drew")


def test_nothing_drawn_is_said_and_without_scripts_other_ways_are_told(reader: Reader) -> None:
    page, plain = reader.open("/follow/draw", PHONE), reader.open("/follow/draw", PLAIN_PHONE)

    expect(page.locator("[data-draw-said]")).to_have_text("No corners yet.")
    page.get_by_role("button", name="Continue").click()

    expect(page.get_by_role("alert")).to_contain_text("Draw an area on the map")
    check(page)
    expect(plain.get_by_text("Your browser cannot show a map to draw on")).to_be_visible()
    check(plain)
