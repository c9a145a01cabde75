"""The hub's settings in a browser: keys, people, the policy, streets, what is parked."""

import re

import httpx
import pytest
from playwright.sync_api import APIResponse, Page, Route, expect

from tests.delivery.house import House
from tests.pages.browser import PHONE, ZOOMED_400, Reader, check, sideways, tab_to
from tests.pages.operators import ADMIN, HUB_DESK, HUB_WIDE, SUE, at_the_hub
from tests.waiting import until

SECTIONS = ("people", "keys", "policy", "lots", "streets", "parked", "password")
SHOWS_MOST_COLOURS = ("people", "lots")


def test_every_section_is_accessible_light_and_dark_and_fits_every_width(reader: Reader) -> None:
    page = at_the_hub(reader, ADMIN, "/hub/settings")
    for section in SECTIONS:
        page.goto(f"/hub/settings/{section}")
        check(page)
        for screen in (PHONE, ZOOMED_400, HUB_WIDE, HUB_DESK):
            page.set_viewport_size({"width": screen.width, "height": screen.height})
            assert sideways(page) <= 0, f"{section} is wider than {screen}"
        if section in SHOWS_MOST_COLOURS:
            page.emulate_media(color_scheme="dark")
            check(page)
            page.emulate_media(color_scheme="light")


def test_a_key_is_made_shown_once_used_and_revoked(reader: Reader, house: House) -> None:
    page = at_the_hub(reader, ADMIN, "/hub/settings/keys")
    tab_to(page, "Make a key")
    page.keyboard.press("Enter")
    making = page.get_by_role("dialog", name="Make a key")
    making.get_by_label("Name").fill("Probe of the tests")
    making.get_by_label(re.compile("^Operator")).check()
    making.get_by_role("button", name="Make the key").click()
    expect(making.get_by_text("Must name at least one scope")).to_be_visible()
    check(page)
    making.get_by_label(re.compile("^Everything")).check()
    making.get_by_role("button", name="Make the key").click()

    shown = page.get_by_role("dialog", name="The key")
    told = shown.get_by_label("Key").input_value()
    bearer = {"Authorization": f"Bearer {told}"}
    assert httpx.get(f"{house.stack.url}/api/v1/me", headers=bearer).json()["role"] == "operator"
    shown.get_by_role("button", name="Close").click()
    expect(page.get_by_label("Key", exact=True)).to_have_value("")

    page.get_by_role("button", name="Revoke Probe of the tests").click()
    page.get_by_role("button", name="Revoke the key").click()
    expect(page.get_by_role("row").filter(has_text="Probe of the tests")).to_contain_text("revoked")
    assert httpx.get(f"{house.stack.url}/api/v1/me", headers=bearer).status_code == 401


def test_a_person_is_added_with_a_made_up_password_and_signs_in_with_it(reader: Reader) -> None:
    page = at_the_hub(reader, ADMIN, "/hub/settings/people")
    page.get_by_role("button", name="Add a person").click()
    adding = page.get_by_role("dialog", name="Add a person")
    adding.get_by_label("Name").fill("Wil Toad")
    adding.get_by_label("E-mail address").fill(ADMIN.email)
    adding.get_by_label(re.compile("^Operator")).check()
    adding.get_by_role("button", name="Make one up").click()
    password = adding.get_by_label("Password").input_value()
    adding.get_by_role("button", name="Add", exact=True).click()
    expect(adding.get_by_label("E-mail address")).to_be_focused()
    expect(adding.get_by_text("Is taken", exact=True)).to_be_visible()

    adding.get_by_label("E-mail address").fill("wil@roads.example")
    adding.get_by_role("button", name="Add", exact=True).click()

    expect(page.get_by_role("row").filter(has_text="wil@roads.example")).to_contain_text("operator")
    signed_in = page.context.browser.new_context(base_url=reader.url)  # type: ignore[union-attr]
    body = {"email": "wil@roads.example", "password": password}
    assert signed_in.request.post("/api/v1/sign-in", data=body).ok
    signed_in.close()
    page.get_by_role("button", name="Disable Wil Toad").click()
    expect(page.get_by_role("row").filter(has_text="Wil Toad")).to_contain_text("disabled")


def test_a_policy_is_adopted_after_its_fault_is_mended_and_its_changes_were_seen(reader: Reader) -> None:
    page = at_the_hub(reader, ADMIN, "/hub/settings/policy")
    page.get_by_role("button", name="Begin with the version in force").click()
    text = page.get_by_label("Policy, as TOML")
    expect(text).to_have_value(re.compile("freeze_after_days = 14"))
    written = text.input_value()
    text.fill(written.replace("freeze_after_days = 14", "freeze_after_days = 14000000"))
    page.get_by_role("button", name="Check it").click()
    line = written[: written.index("freeze_after_days")].count("\n") + 1
    expect(page.get_by_role("alert").filter(has_text=f"Line {line}, kpi.freeze_after_days")).to_be_visible()
    expect(text).to_be_focused()
    check(page)

    held: list[tuple[Route, APIResponse]] = []
    page.route("**/api/v1/policies/check", lambda route: held.append((route, route.fetch())), times=1)
    text.fill(written.replace("freeze_after_days = 14", "freeze_after_days = 15"))
    page.get_by_role("button", name="Check it").click()
    until(lambda: page.evaluate("1") and held, 15, "the text to be checked")
    text.fill(written.replace("freeze_after_days = 14", "freeze_after_days = 150"))
    [(route, answer)] = held
    route.fulfill(response=answer)
    expect(page.get_by_text("The text has changed since: check it again.")).to_be_visible()
    expect(page.locator("#preview")).to_be_hidden()

    text.fill(written.replace("freeze_after_days = 14", "freeze_after_days = 15"))
    page.get_by_role("button", name="Check it").click()
    row = page.get_by_role("row").filter(has_text="freeze_after_days")
    expect(row).to_contain_text("1415")
    expect(page.get_by_text("Cabinet, 12 April 2018").last).to_be_visible()
    check(page)
    page.get_by_role("button", name=f"Adopt it as {ADMIN.name}").click()

    page.wait_for_url("**/hub/settings/policy?was=*")
    expect(page.get_by_role("row").filter(has_text="in force")).to_contain_text(f"by {ADMIN.name}")
    expect(page.get_by_role("row").filter(has_text="freeze_after_days")).to_be_visible()


def test_a_streets_hierarchy_is_set_by_hand_beside_its_map(reader: Reader, house: House) -> None:
    name, hierarchy = house.ask(
        "SELECT ARRAY[min(name), min(hierarchy)] FROM street WHERE name <> '' GROUP BY street_key"
        " ORDER BY count(*), street_key LIMIT 1"
    )
    page = at_the_hub(reader, SUE, "/hub/settings/streets")
    page.get_by_label("Name, with its place").fill(name)
    page.get_by_role("button", name="Find").click()
    page.locator(".hub-settings__found a").first.click()
    expect(page.locator("#street-map canvas")).to_be_visible()
    check(page)

    page.get_by_label("Hierarchy, of the chosen pieces").select_option(hierarchy)
    page.get_by_label("Why").fill("Asked for by the tests.")
    page.get_by_role("button", name="Set the hierarchy").click()

    expect(page.get_by_role("row").filter(has_text="by hand").first).to_contain_text(SUE.name)
    expect(page.get_by_text("Asked for by the tests.")).to_be_visible()
    expect(page.locator("#street-map canvas")).to_be_visible()


@pytest.fixture
def parked(house: House) -> int:
    """An event whose telling is parked."""
    event_id = int(house.ask("SELECT min(id) FROM event WHERE kind = 'PolicyAdopted'"))
    house.tell(
        "INSERT INTO delivery (consumer, event_id, event_at, kind, subject_id, due_at, tries, error, parked_at)"
        " SELECT 'tell', id, at, 'ReportRestored', 0, now(), 10, 'TestError: parked by a test', now()"
        " FROM event WHERE id = %s",
        event_id,
    )
    return event_id


def test_what_is_parked_comes_and_goes_while_the_page_is_open(reader: Reader, house: House, parked: int) -> None:
    page: Page = at_the_hub(reader, SUE, "/hub/settings/parked")
    row = page.get_by_role("row").filter(has_text="TestError: parked by a test")
    expect(row).to_contain_text("telling people")
    check(page)

    house.tell("UPDATE delivery SET parked_at = NULL, due_at = now() + interval '1 day' WHERE event_id = %s", parked)
    expect(row).to_have_count(0)
    house.tell("UPDATE delivery SET parked_at = now() WHERE event_id = %s AND consumer = 'tell'", parked)
    expect(row).to_have_count(1)
    page.get_by_role("button", name=re.compile("^Try again: ReportRestored")).click()

    expect(row).to_have_count(0)
    expect(page.get_by_text("It is due again.")).to_be_visible()
    house.comes_to_rest()
