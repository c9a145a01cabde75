"""The queue in a real browser: all of it by keys, true by itself, and every act can be undone."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import make_url, select

from shared.store.engine import WriteTx, transaction
from shared.store.tables import defect
from tests import databases
from tests.delivery.house import House
from tests.factories import a_defect
from tests.pages.browser import PHONE, PLAIN_DESK, Reader, check, sideways
from tests.pages.operators import ADA, BEN, HUB_DARK, HUB_SMALL, HUB_WIDE, SUE, at_the_hub
from tests.waiting import until

DAY = timedelta(days=1)
STEP_M = 40.0


@contextmanager
def writing(house: House) -> Iterator[WriteTx]:
    """A transaction in the house's own database."""
    url = make_url(house.stack.variables["ROADMEND_DATABASE_URL"])
    with databases.in_force(url), transaction("test") as tx:
        yield tx


def put(house: House, street: str, many: int, days: float = 5, place: float = 0) -> list[str]:
    """Candidates on a street of a test's own, one after the other due; once they are in the feed, by reference."""
    with writing(house) as tx:
        ids = [
            a_defect(
                tx,
                state="candidate",
                band="P10",
                street_key=street,
                easting=340_000.0 + hash(street) % 9_000,
                northing=440_000.0 + (place + number) * STEP_M,
                inspect_due_at=datetime.now(UTC) + days * DAY + number * timedelta(hours=1),
                known_at=datetime.now(UTC) + (days - 9) * DAY + number * timedelta(hours=1),
            )
            for number in range(many)
        ]
        rows = tx.execute(select(defect.c.id, defect.c.reference).where(defect.c.id.in_(ids)))
        known = {row.id: row.reference for row in rows}
    house.comes_to_rest()
    return [known[one] for one in ids]


@pytest.fixture
def street() -> str:
    """The key of a street that no other test has."""
    return f"queue-{uuid4().hex[:8]}"


def listed(page: Page) -> list[str]:
    return [str(one.get_attribute("data-reference")) for one in page.locator("[data-rows] tr").all()]


def state_of(house: House, reference: str) -> str:
    return str(house.ask("SELECT state FROM defect WHERE reference = %s", reference))


def test_the_queue_is_accessible_and_fits_in_every_state(house: House, reader: Reader, street: str) -> None:
    references = put(house, street, 3)
    page = at_the_hub(reader, ADA, f"/hub/queue?street={street}", HUB_DARK)
    for screen in (HUB_SMALL, HUB_WIDE, PHONE):
        page.set_viewport_size({"width": screen.width, "height": screen.height})
        assert sideways(page) <= 0, screen
    assert page.locator(".hub-scroll").evaluate("list => list.scrollWidth - list.clientWidth") <= 0
    page.get_by_text("State", exact=True).first.click()
    check(page)

    page.set_viewport_size({"width": HUB_SMALL.width, "height": HUB_SMALL.height})
    page.emulate_media(color_scheme="light")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("x")
    check(page)
    page.keyboard.press("c")

    check(page)
    assert listed(at_the_hub(reader, ADA, f"/hub/queue?street={street}", PLAIN_DESK)) == references


def test_by_keys_alone_it_is_filtered_selected_seen_done_and_undone(house: House, reader: Reader, street: str) -> None:
    references = put(house, street, 4)
    page = at_the_hub(reader, ADA, f"/hub/queue?street={street}")
    page.keyboard.press("f")
    page.keyboard.type(references[0])
    page.keyboard.press("Enter")
    page.wait_for_url("**q=**")
    assert listed(page) == [references[0]]
    page.goto(f"/hub/queue?street={street}")
    assert listed(page) == references

    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Shift+X")
    expect(page.get_by_text("3 selected")).to_be_visible()
    page.keyboard.press("r")
    page.keyboard.type("Openreach")
    page.keyboard.press("Tab")
    page.keyboard.type("It is their cover.")
    page.keyboard.press("Enter")
    expect(page.get_by_text("3 defects will be referred.")).to_be_visible()
    check(page)
    page.keyboard.press("Enter")
    expect(page.get_by_text("3 defects will be referred in")).to_be_visible()
    page.keyboard.press("u")

    expect(page.get_by_text("Undone. 3 defects stayed as they were.")).to_be_visible()
    assert [state_of(house, one) for one in references] == ["candidate"] * 4
    expect(page.get_by_role("link", name=references[2])).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/hub/defects/{references[1]}")


def test_what_became_of_each_is_told_when_it_is_done(house: House, reader: Reader, street: str) -> None:
    first, other = put(house, street, 2)
    page = at_the_hub(reader, BEN, f"/hub/queue?street={street}")
    page.get_by_role("button", name="Select all shown").click()
    page.get_by_role("button", name="Confirm and grade").click()
    page.get_by_label("Impact").select_option("2")
    page.get_by_label("Likelihood").select_option("2")
    page.get_by_label("Why").fill("Seen on site.")
    page.get_by_role("button", name="See what will happen").click()
    expect(page.get_by_role("dialog").get_by_role("row", name=first)).to_contain_text("candidate → confirmed")

    page.get_by_role("button", name="Grade 2").click()
    expect(page.get_by_text("will be confirmed and graded in")).to_be_visible()
    # One goes another way meanwhile; and the time in which it could be undone is over.
    house.tell("UPDATE defect SET state = 'no_defect' WHERE reference = %s", other)
    house.tell("UPDATE delivery SET due_at = now() WHERE consumer = 'acts'")
    until(
        lambda: house.ask("SELECT bool_and(done_at IS NOT NULL) FROM bulk_act WHERE undone_at IS NULL"), 20, "the act"
    )
    page.get_by_role("button", name="My last acts").click()

    row = page.get_by_role("row", name="2 defects confirmed and graded")
    expect(row).to_contain_text("Done: 1")
    expect(row).to_contain_text("Refused: 1")
    row.get_by_role("button", name="Show each").click()
    expect(page.get_by_role("dialog").get_by_role("row", name=other)).to_contain_text("Refused")
    check(page)
    house.tell("UPDATE defect SET state = 'candidate' WHERE reference = %s", other)


def test_what_is_new_is_told_and_nothing_moves_below_who_works(house: House, reader: Reader, street: str) -> None:
    first, second = put(house, street, 2)
    page = at_the_hub(reader, ADA, f"/hub/queue?street={street}")
    expect(page.locator("[data-live-words]")).to_have_text("Live")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")

    (sooner,) = put(house, street, 1, days=1, place=5)

    expect(page.locator("[data-news]")).to_contain_text("1 new above")
    assert listed(page) == [first, second]
    expect(page.get_by_role("link", name=second)).to_be_focused()
    page.keyboard.press("n")
    assert listed(page) == [sooner, first, second]
    expect(page.get_by_role("link", name=second)).to_be_focused()
    expect(page.get_by_label(f"Select {second}")).to_be_checked()


def test_a_view_is_saved_opened_renamed_and_deleted(house: House, reader: Reader, street: str) -> None:
    put(house, street, 1)
    page = at_the_hub(reader, SUE, f"/hub/queue?street={street}")
    page.get_by_role("button", name="Save this view").click()
    page.get_by_label("Name").fill("My street")
    page.keyboard.press("Enter")
    view = page.get_by_role("navigation", name="Views").get_by_role("link", name="My street")
    expect(view).to_have_attribute("aria-current", "page")
    page.goto("/hub/queue?overdue=true")
    view.click()
    expect(page.locator("[data-rows] tr")).to_have_count(1)

    page.get_by_role("button", name="My views").click()
    page.get_by_label("Name of My street").fill("Our street")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("button", name="Renamed")).to_be_visible()
    check(page)
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Close").click()

    expect(page.get_by_role("navigation", name="Views")).to_be_visible()
    expect(page.get_by_role("link", name="Our street")).to_have_count(0)
