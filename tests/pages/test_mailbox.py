"""The mailbox page: what people would have got, as a mail program shows it and as text, on every screen."""

from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import expect

from tests.delivery.house import House, a_report
from tests.pages.browser import DESK, LOOKS, Reader, Screen, check
from tests.waiting import until


@pytest.fixture(scope="module")
def reported(house: House) -> tuple[str, str]:
    """A report whose reporter got the first message: its reference, and the address."""
    address = f"{uuid4().hex}@example.org"
    place = "ST_Transform(ST_PointOnSurface(geom), 4326)"
    lat, lon = (house.ask(f"SELECT ST_{axis}({place}) FROM street ORDER BY id LIMIT 1") for axis in "YX")
    body = a_report(contact={"email": address}) | {"location": {"lat": lat, "lon": lon, "accuracy_m": 4}}
    told = httpx.post(f"{house.stack.url}/api/v1/reports", json=body, timeout=30)
    assert told.status_code == 201, told.text
    until(lambda: address in httpx.get(f"{house.stack.url}/mailbox", timeout=30).text, 60, "the message")
    return str(told.json()["reference"]), address


@pytest.mark.parametrize("screen", LOOKS, ids=str)
def test_the_mailbox_is_accessible_and_fits(reported: tuple[str, str], reader: Reader, screen: Screen) -> None:
    _, address = reported
    page = reader.open("/mailbox", screen)
    check(page)

    page.get_by_role("listitem").filter(has_text=address).get_by_role("link").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("We have your report")
    check(page)


def test_a_message_is_shown_as_a_mail_program_would_and_its_links_lead_on(
    reported: tuple[str, str], reader: Reader
) -> None:
    reference, address = reported
    page = reader.open("/mailbox", DESK)

    page.get_by_role("listitem").filter(has_text=address).get_by_role("link").click()
    mail = page.frame_locator("iframe")
    expect(mail.get_by_role("heading", level=1)).to_contain_text("We have your report")
    expect(page.locator("#text")).to_contain_text(reference)
    with page.expect_popup() as opened:
        mail.get_by_role("link", name="Stop these messages").click()

    expect(opened.value.get_by_role("heading", level=1)).to_have_text(f"Messages about your report {reference}")
    check(opened.value)
