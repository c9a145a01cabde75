"""The frame of the hub: signing in and out, places by keys, the palette, what is said of the connection."""

import pytest
from playwright.sync_api import APIResponse, Route, expect

from tests.delivery.house import House
from tests.pages.browser import DARK_DESK, DESK, PHONE, PLAIN_DESK, Reader, Screen, check, tab_to
from tests.pages.operators import ADA, ADMIN, HUB_SCREENS, PASSWORD, SUE, at_the_hub, end_sessions, sign_in
from tests.waiting import until

DANGER_MS = 60_000
"""So often the bar asks for danger although nothing happens."""


@pytest.mark.parametrize("screen", [PHONE, DESK, PLAIN_DESK, DARK_DESK], ids=str)
def test_who_opens_the_hub_signs_in_and_comes_to_what_was_wanted(reader: Reader, screen: Screen) -> None:
    page = reader.open("/hub/settings?from=mail", screen)
    check(page)
    page.get_by_label("Email address").fill(ADMIN.email)
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("Email address")).to_have_value(ADMIN.email)
    expect(page.get_by_role("alert")).to_contain_text("do not go together")
    check(page)

    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("heading", name="Settings", exact=True)).to_be_visible()
    assert page.url.endswith("/hub/settings?from=mail")


def test_another_sites_address_is_not_gone_to_after_signing_in(reader: Reader) -> None:
    page = reader.open("/hub/sign-in?next=https://elsewhere.example/hub", DESK)
    page.get_by_label("Email address").fill(ADA.email)
    page.get_by_label("Password").fill(PASSWORD)

    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "sign-in" not in url)

    assert page.url.startswith(reader.url)


@pytest.mark.parametrize("screen", HUB_SCREENS, ids=str)
def test_the_frame_is_accessible_and_fits(reader: Reader, screen: Screen) -> None:
    page = at_the_hub(reader, ADMIN, "/hub/settings", screen)
    expect(page.locator("[data-live-words]")).to_have_text("Live")

    check(page)


def test_every_command_is_found_by_its_name_and_by_its_key(reader: Reader) -> None:
    page = at_the_hub(reader, ADMIN, "/hub/settings")
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Command").fill("all keys")
    check(page)

    page.keyboard.press("Enter")

    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    check(page)
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.get_by_role("combobox", name="Search: reference")).to_be_focused()


def test_single_keys_can_be_put_off(reader: Reader) -> None:
    page = at_the_hub(reader, ADMIN, "/hub/settings")
    page.keyboard.press("?")
    page.get_by_label("Single keys act").uncheck()
    page.keyboard.press("Escape")

    page.keyboard.press("?")
    page.keyboard.press("Control+k")

    expect(page.get_by_role("dialog")).to_have_count(1)
    expect(page.get_by_role("dialog", name="Commands")).to_be_visible()


def test_who_signs_out_is_told_so_also_when_the_feed_hears_of_it_first(reader: Reader) -> None:
    page = at_the_hub(reader, ADA, "/hub/settings")
    words = page.locator("[data-live-words]")
    expect(words).to_have_text("Live")

    held: list[tuple[Route, APIResponse]] = []
    page.route("**/api/v1/sign-out", lambda route: held.append((route, route.fetch())))

    page.get_by_role("button", name="Sign out").click()
    until(lambda: page.evaluate("1") and held, 15, "the session to end")
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(words).to_have_text("Signed out. Sign in again")
    [(route, answer)] = held
    route.fulfill(response=answer)

    expect(page.get_by_text("You have signed out.")).to_be_visible()


def test_whose_session_ends_while_they_write_loses_no_word_and_goes_on_after_signing_in_elsewhere(
    reader: Reader, house: House
) -> None:
    page = at_the_hub(reader, ADMIN, "/hub/settings")
    page.clock.install()
    page.goto("/hub/settings/policy")
    text, button = page.get_by_label("Policy, as TOML"), page.get_by_role("button", name="Check it")
    text.fill("Half a policy")
    end_sessions(house, ADMIN)

    with page.expect_response("**/api/v1/dangers?*") as asked:
        page.clock.fast_forward(DANGER_MS)
    assert asked.value.status == 401
    button.click()
    expect(page.get_by_text("You are signed out, and nothing was done.")).to_be_visible()
    expect(page.locator("[data-live-words]")).to_have_text("Signed out. Sign in again in another window")
    expect(text).to_have_value("Half a policy")
    check(page)
    sign_in(page, ADMIN)
    button.click()

    expect(page.get_by_role("alert").filter(has_text="Line 1")).to_be_visible()


def test_another_person_who_signs_in_does_not_save_what_the_first_has_written(reader: Reader, house: House) -> None:
    page = at_the_hub(reader, ADMIN, "/hub/settings/policy")
    page.get_by_label("Policy, as TOML").fill("Half a policy")
    end_sessions(house, ADMIN)
    sign_in(page, SUE)

    page.get_by_role("button", name="Check it").click()

    expect(page.get_by_text("You are signed out, and nothing was done.")).to_be_visible()
    expect(page.get_by_label("Policy, as TOML")).to_have_value("Half a policy")


def test_who_signs_out_is_out(reader: Reader) -> None:
    page = at_the_hub(reader, ADA, "/hub/settings")
    tab_to(page, "Sign out")
    page.keyboard.press("Enter")
    expect(page.get_by_text("You have signed out.")).to_be_visible()

    page.goto("/hub/settings")

    expect(page.get_by_role("heading", name="Sign in to the control hub")).to_be_visible()
