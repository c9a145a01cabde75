"""A whole Roadmend with the made-up county, and a real Chromium to look at it: one of each for a process of tests."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import URL

from tests import databases
from tests.delivery.house import House
from tests.pages.browser import Reader, chromium
from tests.pages.operators import employ
from tests.stack import Stack

DANGER_PHONE = "01632 960 555"
"""Of the numbers that Ofcom keeps for films."""
CONTACT = "roads@council.example"


@pytest.fixture(scope="session")
def house(template: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Shared by all pages of this process: each test leaves it fit for the next. Nothing is limited."""
    url = databases.create(template, str(template.database))
    stack = Stack(
        tmp_path_factory.mktemp("pages"),
        databases.as_setting(url),
        danger_phone=DANGER_PHONE,
        contact_email=CONTACT,
        mail_provider="mailbox",
        sms_provider="mailbox",
    )
    try:
        stack.run("roadmend", "demo", "load")
        stack.start_all()
        made = House(stack)
        employ(made)
        yield made
    finally:
        stack.stop_all()
        databases.drop(url)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium; every reader has a context of its own in it. It goes with its file: while Playwright lives, its
    event loop is this thread's, and no test of another file could run one.
    """
    with sync_playwright() as playwright:
        made = chromium(playwright)
        yield made
        made.close()


@pytest.fixture
def reader(house: House, browser: Browser) -> Iterator[Reader]:
    """Somebody who opens pages; what the browser complained of fails the test."""
    made = Reader(browser, house.stack.url)
    yield made
    made.close()
    assert made.complaints == []
