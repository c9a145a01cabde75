"""A resident reports a problem, page by page, in a real browser: with and without scripts, and by keyboard alone."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import make_url, select, update

from infra.demo.county import Road, made
from infra.demo.truth import to_wgs84
from shared.domain.drafts import HASTE
from shared.store.engine import transaction
from shared.store.tables import defect, photo
from tests import databases
from tests.delivery.house import House
from tests.factories import a_defect, a_picture, a_verified_repair, an_order
from tests.pages.browser import (
    DARK_PHONE,
    DESK,
    PHONE,
    PLAIN_PHONE,
    SCREENS,
    ZOOMED_200,
    ZOOMED_400,
    Pace,
    Reader,
    Screen,
    check,
    tab_to,
)
from tests.waiting import until

MOST_PAGES = 8
MOST_SECONDS = 60.0
REFERENCE = re.compile(r"R-[0-9A-Z]{4}-[0-9A-Z]{4}")
ROADS = made().roads
_used: Iterator[Road] = iter([road for road in ROADS if road.maintainer == "council" and 150 < road.length_m < 350])


def a_street() -> Road:
    """A street on which no test has reported anything yet, and whose name no other has."""
    names = [road.name for road in ROADS]
    return next(road for road in _used if names.count(road.name) == 1)


@dataclass
class Person:
    """Somebody who fills in the pages, and how long that would take."""

    page: Page
    pace: Pace
    begun: float = 0.0

    @classmethod
    def comes(cls, reader: Reader, screen: Screen, path: str = "/report", **options: object) -> "Person":
        page = reader.open("", screen, **options)
        pace = Pace()
        page.on("load", lambda: pace.loaded())
        page.goto(path)
        return cls(page, pace)

    def chooses(self, name: str) -> None:
        self.page.get_by_label(name, exact=True).check()
        self.pace.chose()

    def types(self, label: str, text: str) -> None:
        self.page.get_by_label(label).fill(text)
        self.pace.typed(text)

    def presses(self, name: str) -> None:
        self.pace.chose()
        self.page.get_by_role("button", name=name).first.click()

    def reaches(self, path: str) -> None:
        self.page.wait_for_url(f"**{path}")

    # --- the pages ---------------------------------------------------------------------------------------------------

    def begins(self) -> None:
        """At the start of the service, where nobody is in danger."""
        self.presses("No, report a problem")
        self.reaches("/report/where")
        self.begun = time.monotonic()

    def answers_danger(self, answer: str = "No") -> None:
        self.chooses(answer)
        self.presses("Continue")
        self.page.wait_for_url("**/report/**")
        self.begun = time.monotonic()

    def types_place(self, typed: str) -> None:
        self.types("Street, place or postcode", typed)
        self.presses("Continue")

    def passes_what_is_near(self) -> None:
        """What other tests left near this street is none of it."""
        self.page.wait_for_url(re.compile("/report/(nearby|what)$"))
        if self.page.url.endswith("nearby"):
            self.presses("None of these")
        self.reaches("/report/what")

    def says_what(self) -> None:
        self.passes_what_is_near()
        self.page.locator("label", has_text="Pothole").first.click()
        self.pace.chose()
        self.chooses("About as wide as a dinner plate")
        self.types("What else should we know?", "By the kerb.")
        self.presses("Continue")

    def adds_no_photo(self) -> None:
        self.reaches("/report/photos")
        self.presses("Continue")

    def sends(self, email: str = "") -> str:
        """Returns the reference."""
        self.reaches("/report/check")
        if email:
            self.types("Email address", email)
        self.takes_a_persons_time()
        self.presses("Send the report")
        self.reaches("/report/done")
        found = REFERENCE.search(self.page.locator("main").inner_text())
        assert found is not None
        return found[0]

    def takes_a_persons_time(self) -> None:
        """The pages think that whoever is quicker than this is a program."""
        until(lambda: time.monotonic() - self.begun > HASTE.total_seconds() + 0.3, 10, "a person to have come so far")

    def reports(self, typed: str) -> str:
        """The whole way, with nothing special. Returns the reference."""
        self.answers_danger()
        self.types_place(typed)
        self.says_what()
        self.adds_no_photo()
        return self.sends()


def stored(house: House, column: str, reference: str) -> object:
    return house.ask(f"SELECT {column} FROM report WHERE reference = %s", reference)


def a_defect_on(house: House, road: Road, **more: object) -> str:
    """The reference of a defect in the middle of a street, as a person confirmed it."""
    x, y = road.at(road.length_m / 2)
    reference = f"D-{uuid4().hex[:4].upper()}-{uuid4().hex[:4].upper()}"
    house.tell(
        """
        INSERT INTO defect (reference, class_code, state, lat, lon, accuracy_m, geom, street_id, street_key, known_at,
                            clock_from, opened_at, last_seen_at, updated_at, repaired_at, ended_at)
        SELECT %s, 'pothole', %s, ST_Y(ST_Transform(at, 4326)), ST_X(ST_Transform(at, 4326)), 3, at, street.id,
               street.street_key, now() - interval '3 days', now(), now(), now(), now(), %s, %s
        FROM street, (SELECT ST_SetSRID(ST_MakePoint(%s, %s), 27700) AS at) AS place WHERE street.name = %s
        """,
        reference,
        more.get("state", "confirmed"),
        more.get("repaired_at"),
        more.get("repaired_at"),
        x,
        y,
        road.name,
    )
    return reference


# --- from the first visit to the reference ---------------------------------------------------------------------------


@pytest.mark.parametrize("screen", SCREENS, ids=str)
def test_a_report_takes_eight_pages_and_a_minute_at_most(reader: Reader, house: House, screen: Screen) -> None:
    road = a_street()
    a_defect_on(house, road)
    person = Person.comes(reader, screen, "/")

    person.begins()
    person.types_place(road.name)
    person.reaches("/report/nearby")
    person.presses("None of these")
    person.says_what()
    person.adds_no_photo()
    reference = person.sends("sam@example.org")

    assert stored(house, "description", reference) == "About as wide as a dinner plate (26 cm). By the kerb."
    assert person.pace.pages <= MOST_PAGES
    assert person.pace.seconds < MOST_SECONDS


def test_the_start_shows_a_report_that_was_begun_before(reader: Reader) -> None:
    person = Person.comes(reader, PHONE, "/")
    person.begins()
    person.types_place(a_street().name)
    person.page.wait_for_url(re.compile("/report/(nearby|what)$"))
    person.page.goto("/")

    person.presses("No, report a problem")

    person.reaches("/report")
    expect(person.page.get_by_role("link", name="Go on with it")).to_be_visible()


@pytest.mark.parametrize("screen", SCREENS, ids=str)
def test_every_page_is_accessible_in_every_state(reader: Reader, house: House, screen: Screen) -> None:
    road = a_street()
    a_defect_on(house, road)
    long = next(one for one in ROADS if one.length_m > 900 and not one.rural)
    person = Person.comes(reader, screen)
    page = person.page

    check(page)
    person.presses("Continue")
    expect(page.get_by_role("alert")).to_be_visible()
    assert page.title().startswith("Error: ")
    check(page)
    person.answers_danger("Yes")
    check(page)
    person.types_place("Xyzzy Boulevard")
    expect(page.get_by_role("alert")).to_contain_text("We do not know a place")
    check(page)
    person.types_place(long.name)
    expect(page.get_by_role("heading", name="Where on")).to_be_visible()
    check(page)
    page.goto("/report/where")
    person.types_place(road.name)
    person.reaches("/report/nearby")
    check(page)
    person.presses("None of these")
    person.reaches("/report/what")
    check(page)
    person.presses("Continue")
    expect(page.get_by_role("alert")).to_be_visible()
    check(page)
    person.says_what()
    person.reaches("/report/photos")
    check(page)
    page.set_input_files("#photo", {"name": "notes.jpg", "mimeType": "image/jpeg", "buffer": b"not a photo"})
    person.presses("Continue")
    expect(page.get_by_role("alert")).to_contain_text("notes.jpg")
    check(page)
    person.presses("Continue")
    person.reaches("/report/check")
    check(page)
    person.types("Email address", "sam")
    person.presses("Send the report")
    expect(page.get_by_role("alert")).to_be_visible()
    check(page)
    person.types("Email address", "sam@example.org")
    person.sends()
    check(page)


@pytest.mark.parametrize("screen", [DARK_PHONE, ZOOMED_200, ZOOMED_400], ids=str)
def test_the_pages_hold_in_the_dark_and_when_zoomed(reader: Reader, house: House, screen: Screen) -> None:
    road = a_street()
    a_defect_on(house, road)
    person = Person.comes(reader, screen)

    check(person.page)
    person.answers_danger()
    check(person.page)
    person.types_place(road.name)
    person.reaches("/report/nearby")
    check(person.page)
    person.presses("None of these")
    person.reaches("/report/what")
    check(person.page)
    person.says_what()
    person.reaches("/report/photos")
    check(person.page)
    person.adds_no_photo()
    person.reaches("/report/check")
    check(person.page)
    person.sends()
    check(person.page)


def test_the_keyboard_alone_completes_it(reader: Reader) -> None:
    page = reader.open("/report", DESK)

    tab_to(page, "Yes")
    page.keyboard.press("ArrowDown")
    tab_to(page, "Continue")
    page.keyboard.press("Enter")
    page.wait_for_url("**/report/where")
    begun = time.monotonic()
    tab_to(page, "Street, place or postcode")
    page.keyboard.type(a_street().name)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/report/(nearby|what)$"))
    if page.url.endswith("nearby"):
        tab_to(page, "None of these")
        page.keyboard.press("Enter")
        page.wait_for_url("**/report/what")
    tab_to(page, "Pothole")
    page.keyboard.press("Space")
    tab_to(page, "Continue")
    page.keyboard.press("Enter")
    page.wait_for_url("**/report/photos")
    tab_to(page, "Continue")
    page.keyboard.press("Enter")
    page.wait_for_url("**/report/check")
    tab_to(page, "Send the report")
    until(lambda: time.monotonic() - begun > HASTE.total_seconds() + 0.3, 10, "a person to have come so far")
    page.keyboard.press("Enter")
    page.wait_for_url("**/report/done")

    expect(page.get_by_text("We have your report").first).to_be_visible()


# --- where -----------------------------------------------------------------------------------------------------------


def test_a_mistyped_street_is_found_again(reader: Reader) -> None:
    road = a_street()
    person = Person.comes(reader, PLAIN_PHONE)
    person.answers_danger()

    person.types_place(road.name.replace("e", "", 1).replace("r", "rr", 1))

    expect(person.page.get_by_role("heading", name="Did you mean")).to_be_visible()
    expect(person.page.get_by_role("radio", name=road.name).first).to_be_visible()


@pytest.mark.parametrize("screen", SCREENS, ids=str)
def test_a_place_outside_the_county_is_told_whose_it_is_before_anything_else_is_asked(
    reader: Reader, screen: Screen
) -> None:
    person = Person.comes(reader, screen, "/report/where?lat=53.75&lon=-2.61")
    x_in_saltholme = person.page

    person.presses("Continue")
    person.answers_danger()

    expect(x_in_saltholme.get_by_role("heading", name="looked after by someone else")).to_be_visible()
    expect(x_in_saltholme.get_by_text("Saltholme Borough").first).to_be_visible()
    expect(x_in_saltholme.get_by_text("roads@saltholme.example").first).to_be_visible()
    check(x_in_saltholme)


def test_a_place_in_the_sea_is_refused_in_plain_words(reader: Reader) -> None:
    person = Person.comes(reader, PLAIN_PHONE)
    person.answers_danger()

    person.types_place("53.80, -3.60")

    expect(person.page.get_by_role("alert")).to_contain_text("in the sea")


# --- it is this one, it has failed again -----------------------------------------------------------------------------


@pytest.mark.parametrize("screen", SCREENS, ids=str)
def test_it_is_this_one_adds_a_sighting_and_follows_it(reader: Reader, house: House, screen: Screen) -> None:
    road = a_street()
    known = a_defect_on(house, road)
    before = house.ask("SELECT count(*) FROM report")
    address = f"{uuid4().hex}@example.org"
    person = Person.comes(reader, screen)

    person.answers_danger("Yes")
    person.types_place(road.name)
    person.presses("That’s it")
    person.reaches("/report/same")
    check(person.page)
    person.page.set_input_files("#photo", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": a_picture(7)})
    person.types("Email address", address)
    person.takes_a_persons_time()
    person.presses("Send")
    person.reaches("/report/done")

    check(person.page)
    expect(person.page.get_by_text(known)).to_be_visible()
    assert house.ask("SELECT count(*) FROM report") == before
    sighting = (
        "SELECT sighting.id FROM sighting JOIN defect ON defect.id = defect_id WHERE reference = %s AND sighting.danger"
    )
    assert house.ask(sighting, known)
    assert house.ask(f"SELECT count(*) FROM photo WHERE sighting_id IN ({sighting})", known) == 1
    assert house.ask("SELECT count(*) FROM follow WHERE email = %s", address) == 1


def under_warranty(house: House, road: Road) -> str:
    """The reference of a defect in the middle of a street whose repair was verified yesterday."""
    x, y = road.at(road.length_m / 2)
    lat, lon = to_wgs84(x, y)
    mended = datetime.now(UTC) - timedelta(days=1)
    database = make_url(house.stack.variables["ROADMEND_DATABASE_URL"])
    with databases.in_force(database), transaction("test") as tx:
        defect_id = a_defect(tx, easting=x, northing=y, street_key=None, state="confirmed")
        an_order(tx, defect_id, now=mended - timedelta(days=1))
        a_verified_repair(tx, defect_id, mended, lat=lat, lon=lon)
        # Its photos are rows without files: nobody is shown them.
        tx.execute(update(photo).values(released_at=None).where(photo.c.reference.like("P-%")))
        return str(tx.scalar(select(defect.c.reference).where(defect.c.id == defect_id)))


@pytest.mark.parametrize("screen", SCREENS, ids=str)
def test_a_repair_that_failed_opens_a_recall(reader: Reader, house: House, screen: Screen) -> None:
    road = a_street()
    mended = under_warranty(house, road)
    person = Person.comes(reader, screen)

    person.answers_danger()
    person.types_place(road.name)
    check(person.page)
    person.presses("It has failed again")
    person.adds_no_photo()
    reference = person.sends()

    expect(person.page.get_by_text(f"a repair ({mended}) has failed")).to_be_visible()
    house.comes_to_rest()
    recalled = (
        "SELECT recall.state FROM recall JOIN defect ON defect.id = recall.defect_id"
        " JOIN recall_sighting ON recall_id = recall.id JOIN report ON report.id = report_id"
        " WHERE defect.reference = %s AND report.reference = %s"
    )
    assert house.ask(recalled, mended, reference) == "proposed"


def test_whoever_comes_from_the_page_of_a_defect_is_asked_neither_where_nor_what(reader: Reader, house: House) -> None:
    known = a_defect_on(house, a_street())
    person = Person.comes(reader, PHONE, f"/defects/{known}")

    person.page.get_by_role("link", name="Tell us that you saw it too").click()
    person.reaches("/report?same=" + known)
    person.answers_danger()
    person.reaches("/report/same")
    person.takes_a_persons_time()
    person.presses("Send")

    person.reaches("/report/done")
    expect(person.page.get_by_text(known)).to_be_visible()


# --- sent once -------------------------------------------------------------------------------------------------------


def test_a_button_pressed_twice_sends_one_report(reader: Reader, house: House) -> None:
    person = Person.comes(reader, PLAIN_PHONE)
    person.answers_danger()
    person.types_place(a_street().name)
    person.says_what()
    person.adds_no_photo()
    person.reaches("/report/check")
    other = person.page.context.new_page()
    other.goto("/report/check")
    before = house.ask("SELECT count(*) FROM report")

    first = person.sends()
    other.get_by_role("button", name="Send the report").click()
    other.wait_for_url("**/report/done")

    assert first in other.locator("main").inner_text()
    assert house.ask("SELECT count(*) FROM report") == before + 1


def test_a_draft_survives_a_closed_tab(reader: Reader) -> None:
    road = a_street()
    person = Person.comes(reader, PLAIN_PHONE)
    person.answers_danger()
    person.types_place(road.name)
    person.says_what()
    person.reaches("/report/photos")
    context = person.page.context
    person.page.close()

    again = context.new_page()
    again.goto("/report")
    again.get_by_role("link", name="Go on with it").click()

    again.wait_for_url("**/report/photos")
    again.get_by_role("button", name="Continue").click()
    expect(again.get_by_text("By the kerb.")).to_be_visible()
    expect(again.get_by_text(road.name).first).to_be_visible()


@pytest.mark.parametrize("screen", SCREENS, ids=str)
def test_a_bad_photo_is_told_and_the_good_one_is_kept(reader: Reader, house: House, screen: Screen) -> None:
    person = Person.comes(reader, screen)
    person.answers_danger()
    person.types_place(a_street().name)
    person.says_what()
    person.reaches("/report/photos")

    person.page.set_input_files(
        "#photo",
        [
            {"name": "bad.jpg", "mimeType": "image/jpeg", "buffer": b"not a photo"},
            {"name": "good.jpg", "mimeType": "image/jpeg", "buffer": a_picture(11)},
        ],
    )
    person.presses("Continue")

    expect(person.page.get_by_role("alert")).to_contain_text("bad.jpg")
    expect(person.page.get_by_role("img", name="Photo 1")).to_be_visible()
    person.presses("Continue")
    reference = person.sends()
    photos = "SELECT count(*) FROM photo JOIN report ON report.id = report_id WHERE report.reference = %s"
    assert house.ask(photos, reference) == 1


def test_a_field_that_nobody_sees_holds_a_program_up_and_loses_nothing(reader: Reader, house: House) -> None:
    person = Person.comes(reader, DESK)
    person.answers_danger()
    person.types_place(a_street().name)
    person.says_what()
    person.adds_no_photo()
    person.reaches("/report/check")
    before = house.ask("SELECT count(*) FROM report")

    person.takes_a_persons_time()
    person.page.evaluate("document.getElementById('website').value = 'https://spam.example'")
    person.presses("Send the report")

    expect(person.page.get_by_role("alert")).to_contain_text("Leave this empty")
    assert house.ask("SELECT count(*) FROM report") == before
    check(person.page)
    person.types("Leave this empty", "")
    assert person.sends()


def test_another_sites_form_changes_nothing(reader: Reader, house: House) -> None:
    person = Person.comes(reader, PHONE)
    before = house.ask("SELECT count(*) FROM draft")

    answer = person.page.request.post(
        "/report", form={"danger": "yes"}, headers={"Origin": "https://elsewhere.example"}
    )

    assert answer.status == 403
    assert house.ask("SELECT count(*) FROM draft") == before


def test_the_report_is_read_by_the_machine_that_triages(reader: Reader, house: House) -> None:
    reference = Person.comes(reader, PLAIN_PHONE).reports(a_street().name)

    until(lambda: stored(house, "state", reference) == "linked", 60, "the report to be triaged")
