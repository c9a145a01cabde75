"""The matching queue in a browser: answered by keys alone, by two at once, live, and on every screen."""

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import make_url, select

from shared.store.engine import transaction
from shared.store.tables import report
from tests import databases
from tests.delivery.house import House
from tests.factories import triaged
from tests.pages.browser import PHONE, Reader, Screen, check, sideways
from tests.pages.operators import ADA, BEN, HUB_DARK, HUB_SMALL, HUB_WIDE, at_the_hub
from tests.waiting import until

NOW = datetime.now(UTC).replace(microsecond=0)
LONG_AGO = NOW - timedelta(days=400)
_places = (float(number) for number in count(341_000, 600))


@pytest.fixture
def ask(house: House) -> "Asking":
    return Asking(house)


class Asking:
    """Makes questions, each at a place of its own, due before all others and in their order."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.url = make_url(house.stack.variables["ROADMEND_DATABASE_URL"])

    def __call__(self, words: str, due: datetime, candidates: int = 1) -> str:
        """A report of which matching is unsure: is it one of so many defects near by?"""
        easting, where = next(_places), {"northing": 463_000.0, "street_key": f"street {words}"}
        with databases.in_force(self.url), transaction("test") as tx:
            for number in range(candidates):
                triaged(tx, NOW, easting=easting + 60 * number, description=f"{words}, before", **where)
            told = triaged(tx, NOW, easting=easting + 30, description=words, triage_due_at=due, **where)
            return str(tx.scalar(select(report.c.reference).where(report.c.id == told)))

    def answer_of(self, reference: str) -> str | None:
        """What was answered last, once it is."""
        said = self.house.ask(
            "SELECT answer FROM question WHERE report_id = (SELECT id FROM report WHERE reference = %s)"
            " ORDER BY settled_at DESC NULLS FIRST LIMIT 1",
            reference,
        )
        return None if said is None else str(said)


def shows(page: Page, reference: str) -> None:
    expect(page.locator(f'[data-shown="{reference}"]').first).to_be_attached()


def test_ten_questions_are_answered_by_keys_alone_and_the_last_is_taken_back(reader: Reader, ask: Asking) -> None:
    asked = [ask(f"ten {number}", LONG_AGO + timedelta(minutes=number)) for number in range(10)]
    page = at_the_hub(reader, ADA, "/hub/unsure")

    for reference, key in zip(asked, "sdcsdcsdcs", strict=True):
        shows(page, reference)
        page.keyboard.press(key)
    expect(page.locator("[data-done]")).to_contain_text(f"{asked[-1]}: the same as D-")
    until(lambda: ask.answer_of(asked[-1]) == "same", 20, "the last answer to arrive")
    answers = [ask.answer_of(one) for one in asked]
    page.keyboard.press("z")

    shows(page, asked[-1])
    expect(page.locator("[data-done]")).to_contain_text("was taken back")
    assert answers == [*["same", "different", "cannot_tell"] * 3, "same"]
    assert ask.answer_of(asked[-1]) is None
    page.keyboard.press("d")
    until(lambda: ask.answer_of(asked[-1]) == "different", 20, "the new answer to arrive")


def test_a_note_stays_with_its_question_and_what_could_not_be_taken_back_stays_the_last_answer(
    reader: Reader, ask: Asking
) -> None:
    first, second = ask("noted", LONG_AGO), ask("not noted", LONG_AGO + timedelta(minutes=1))
    page = at_the_hub(reader, ADA, "/hub/unsure")
    note = page.get_by_label("Note")
    sent: list[tuple[str, str]] = []
    page.on("request", lambda one: sent.append((one.url, one.post_data or "")))
    shows(page, first)
    note.fill("A bin stood over it.")
    note.press("Enter")
    page.keyboard.press("n")
    shows(page, second)
    expect(note).to_have_value("")
    page.keyboard.press("p")
    expect(note).to_have_value("A bin stood over it.")

    page.route("**/answer", lambda route: route.abort(), times=1)
    page.keyboard.press("s")
    expect(page.locator("[data-done]")).to_have_text(f"{first} is back: it was not answered.")
    expect(note).to_have_value("A bin stood over it.")
    # Keys are not heard for a moment.
    on_second = page.locator(f'[data-shown="{second}"]')
    until(lambda: (page.keyboard.press("s"), on_second.count())[1], 20, "it to be answered")
    expect(note).to_have_value("")
    page.keyboard.press("d")
    until(lambda: ask.answer_of(second) == "different", 20, "both answers to arrive")

    page.route("**/take-back", lambda route: route.abort(), times=1)
    page.route("**/questions?limit=1&*", lambda route: route.abort(), times=1)
    page.keyboard.press("z")
    expect(page.get_by_text(f"The answer about {second} stands.")).to_be_visible()
    page.keyboard.press("z")
    expect(page.locator("[data-done]")).to_contain_text(f'{second}: the answer "different')
    assert (ask.answer_of(first), ask.answer_of(second)) == ("same", None)
    assert [first in url for url, body in sent if "A bin stood over it." in body] == [True, True]
    page.goto(f"/hub/unsure?report={second}")
    shows(page, second)
    page.keyboard.press("c")
    until(lambda: ask.answer_of(second) == "cannot_tell", 20, "the new answer to arrive")


def test_the_second_of_two_gets_the_question_back_with_who_answered_it(reader: Reader, ask: Asking) -> None:
    reference, behind = ask("two", LONG_AGO), ask("behind", LONG_AGO + timedelta(minutes=1))
    ada, ben = at_the_hub(reader, ADA, "/hub/unsure"), at_the_hub(reader, BEN, "/hub/settings")
    ben.route("**/api/v1/feed**", lambda route: route.abort())
    ben.goto("/hub/unsure")
    shows(ada, reference)
    shows(ben, reference)
    ada.keyboard.press("s")
    until(lambda: ask.answer_of(reference) == "same", 20, "the first answer to arrive")

    ben.keyboard.press("d")

    expect(
        ben.get_by_role("alert").filter(has_text=f"Ada Fell has answered the question about {reference}: the same.")
    ).to_be_visible()
    shows(ben, reference)
    expect(ben.get_by_role("button", name="Different")).to_be_disabled()
    check(ben)
    assert ask.answer_of(reference) == "same"
    ben.keyboard.press("n")
    shows(ben, behind)
    ben.keyboard.press("c")
    until(lambda: ask.answer_of(behind) == "cannot_tell", 20, "the answer to arrive")


def test_what_others_answer_and_what_is_asked_anew_is_seen_at_once(reader: Reader, ask: Asking) -> None:
    reference = ask("live", LONG_AGO)
    ben = at_the_hub(reader, BEN, "/hub/unsure")
    expect(ben.locator("[data-live-words]")).to_have_text("Live")
    shows(ben, reference)
    earlier = ask("earlier", LONG_AGO - timedelta(days=1))
    expect(ben.locator("[data-position]")).to_have_text("2")
    ada = at_the_hub(reader, ADA, f"/hub/unsure?report={reference}")

    ada.keyboard.press("c")

    expect(
        ben.get_by_role("alert").filter(has_text="Somebody has settled this while you looked at it.")
    ).to_be_visible()
    ben.keyboard.press("p")
    shows(ben, earlier)
    ben.keyboard.press("c")
    until(lambda: ask.answer_of(earlier) == "cannot_tell", 20, "the answer to arrive")


@pytest.mark.parametrize("screen", [HUB_SMALL, HUB_WIDE, HUB_DARK], ids=str)
def test_it_is_accessible_and_fits(reader: Reader, ask: Asking, screen: Screen) -> None:
    reference = ask(f"{screen}", LONG_AGO, candidates=2)
    page = at_the_hub(reader, ADA, f"/hub/unsure?report={reference}", screen)
    shows(page, reference)
    expect(page.locator("[data-ready]")).to_have_attribute("data-ready", "map")

    page.keyboard.press("2")

    expect(page.get_by_role("button", name="2 D-")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="Same as 2")).to_be_visible()
    check(page)
    page.set_viewport_size({"width": PHONE.width, "height": PHONE.height})
    assert sideways(page) <= 0
    page.keyboard.press("s")
    until(lambda: ask.answer_of(reference) == "same", 20, "the answer to arrive")
