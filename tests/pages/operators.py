"""Who works in the hub: people with accounts, and their browsers, signed in."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from playwright.sync_api import Page
from sqlalchemy import make_url

from shared.domain.terms import Role
from shared.flows import manage_access
from shared.store.engine import transaction
from tests import databases
from tests.delivery.house import House
from tests.pages.browser import Reader, Screen

PASSWORD = "a long password for tests"
HUB_DESK = Screen("hub-desk", 1440, 900)
HUB_SMALL = Screen("hub-small", 1280, 720)
HUB_WIDE = Screen("hub-wide", 3840, 2160)
HUB_DARK = Screen("hub-in-the-dark", 1440, 900, dark=True)
HUB_SCREENS = (HUB_SMALL, HUB_DESK, HUB_WIDE, HUB_DARK)
"""What a page of the hub is looked at on."""


@dataclass(frozen=True)
class Operator:
    """Somebody with an account."""

    name: str
    email: str
    role: Role


ADA = Operator("Ada Fell", "ada@roads.example", Role.OPERATOR)
BEN = Operator("Ben Carr", "ben@roads.example", Role.OPERATOR)
SUE = Operator("Sue Moss", "sue@roads.example", Role.SUPERVISOR)
ADMIN = Operator("Ann Holt", "ann@roads.example", Role.ADMIN)
STAFF = (ADA, BEN, SUE, ADMIN)


def employ(house: House) -> None:
    """Give all of them accounts."""
    url = make_url(house.stack.variables["ROADMEND_DATABASE_URL"])
    with databases.in_force(url), transaction("test") as tx:
        for one in STAFF:
            manage_access.add_person(tx, one.email, one.name, one.role, datetime.now(UTC), password=PASSWORD)


def at_the_hub(reader: Reader, who: Operator, path: str = "/hub", screen: Screen = HUB_DESK, **options: Any) -> Page:
    """A browser of this person's own, signed in, at an address of the hub."""
    page = reader.open("", screen, **options)
    sign_in(page, who)
    told = page.goto(path)
    assert told
    assert told.status == 200, f"{path} answered {told.status}"
    return page


def sign_in(page: Page, who: Operator) -> None:
    """As in another window of the page's browser."""
    form = {"email": who.email, "password": PASSWORD, "next": "/hub/settings"}
    answer = page.context.request.post("/hub/sign-in", form=form)
    assert answer.ok, answer.status


def end_sessions(house: House, who: Operator) -> None:
    """None of theirs holds any longer."""
    ended = "UPDATE session SET revoked_at = now() FROM person WHERE person.id = person_id AND email = %s"
    house.tell(ended, who.email)
