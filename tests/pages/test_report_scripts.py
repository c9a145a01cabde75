"""What scripts add to the report's pages: the phone's position, a pin, photos seen before they go, and no signal."""

import io
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from PIL import Image
from PIL.ExifTags import IFD, Base
from playwright.sync_api import BrowserContext, Page, expect

from infra.demo.county import made
from infra.demo.truth import to_wgs84
from tests.delivery.house import House
from tests.factories import a_picture
from tests.pages.browser import DESK, PHONE, Reader, Screen, check, transferred
from tests.waiting import until

STREET = next(one for one in made().roads if one.maintainer == "council" and not one.rural and one.length_m > 300)
LAT, LON = to_wgs84(*STREET.at(140.0, 3.0))
HERE = {"latitude": LAT, "longitude": LON, "accuracy": 6}
PIN = re.compile("Pin. Arrow keys")


def standing_there(reader: Reader, screen: Screen = PHONE) -> Page:
    """A page of somebody who stands in the street and lets the browser know."""
    page = reader.open("", screen, geolocation=HERE, permissions=["geolocation"])
    page.goto("/report")
    return page


def answers_danger(page: Page) -> None:
    page.get_by_label("No", exact=True).check()
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/report/where")


def is_at(page: Page, path: str) -> None:
    page.wait_for_url(f"**/report/{path}")


# --- where -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("screen", [PHONE, DESK], ids=str)
def test_the_phones_position_is_said_back_and_taken(reader: Reader, house: House, screen: Screen) -> None:
    page = standing_there(reader, screen)
    answers_danger(page)

    page.get_by_role("button", name="Use my location").click()
    expect(page.get_by_text("Found, to within 6 metres")).to_be_visible()
    expect(page.locator(".app-pin__said")).to_contain_text(STREET.name)
    check(page)
    page.get_by_role("button", name="Continue").click()

    until(lambda: not page.url.endswith("/where"), 20, "the place to be taken")
    place = house.ask("SELECT answers -> 'place' FROM draft ORDER BY made_at DESC LIMIT 1")
    assert (place["lat"], place["lon"]) == pytest.approx((LAT, LON), abs=1e-5)
    assert place["accuracy_m"] == 6
    assert STREET.name in place["words"]


def test_the_pin_is_nudged_by_keys_and_by_buttons(reader: Reader) -> None:
    page = standing_there(reader)
    answers_danger(page)
    page.get_by_role("button", name="Use my location").click()
    expect(page.locator(".app-pin__said")).to_contain_text(STREET.name)

    page.get_by_role("button", name="Move the pin 1 metre north").click()
    north = float(page.locator("#lat").input_value())
    page.get_by_role("button", name=PIN).press("Shift+ArrowUp")
    further = float(page.locator("#lat").input_value())

    assert (north - LAT) * 111_320 == pytest.approx(1, abs=0.15)
    assert (further - north) * 111_320 == pytest.approx(10, abs=0.15)


def test_places_are_suggested_while_somebody_types_and_are_then_taken(reader: Reader) -> None:
    page = standing_there(reader)
    answers_danger(page)

    page.get_by_label("Street, place or postcode").press_sequentially(STREET.name[:-2])
    suggested = page.locator("#q-places option")
    until(lambda: any(STREET.name in (one.get_attribute("value") or "") for one in suggested.all()), 20, "the street")
    label = next(
        one.get_attribute("value") or "" for one in suggested.all() if STREET.name in one.evaluate("e=>e.value")
    )
    check(page)
    page.get_by_label("Street, place or postcode").fill(label)
    page.get_by_role("button", name="Continue").click()

    page.wait_for_url(re.compile("/report/(nearby|what|where\\?q=)"))
    expect(page.get_by_role("alert")).to_have_count(0)


def test_the_phones_position_is_sent_as_rough_as_it_is_also_with_the_map_open(reader: Reader) -> None:
    rough = {**HERE, "accuracy": 900}
    page = reader.open("/report", geolocation=rough, permissions=["geolocation"])
    page.goto(f"/report/where?lat={LAT + 0.001:.6f}&lon={LON:.6f}")
    expect(page.get_by_role("button", name=PIN)).to_be_visible()

    page.get_by_role("button", name="Use my location").click()
    expect(page.get_by_text("Found, to within 900 metres")).to_be_visible()
    expect(page.get_by_label("Latitude")).to_have_value(f"{LAT:.6f}")
    expect(page.locator(".app-pin__said")).to_contain_text(STREET.name)
    assert page.locator("#accuracy").input_value() == "900"
    page.get_by_role("button", name="Continue").click()

    expect(page.get_by_role("alert")).to_contain_text("known to within 900 m only")
    expect(page.get_by_role("button", name=PIN)).to_be_visible()
    page.get_by_label("Latitude").press_sequentially("1")
    assert page.locator("#accuracy").input_value() == ""


def test_a_map_that_did_not_come_can_be_asked_for_again(reader: Reader) -> None:
    page = reader.open("/report", service_workers="block")
    page.goto("/report/where")
    page.route("**/api/v1/streets/tiles", lambda route: route.abort())
    ask = page.get_by_role("button", name="Show it on a map")

    ask.click()
    expect(page.get_by_text("The map did not come")).to_be_visible()
    expect(ask).to_be_focused()
    check(page)
    page.unroute("**/api/v1/streets/tiles")
    ask.click()

    expect(page.get_by_role("button", name=PIN)).to_be_visible()
    expect(page.get_by_text("The map did not come")).to_have_count(0)
    expect(ask).to_have_count(0)


def test_the_map_comes_only_when_it_is_asked_for(reader: Reader) -> None:
    page = standing_there(reader)
    answers_danger(page)
    with transferred(page) as before:
        page.goto("/report/where")

    assert not [address for address in before if "maplibre" in address or "/pin-" in address]
    assert sum(before.values()) < 120_000


# --- photos ----------------------------------------------------------------------------------------------------------


def at_photos(page: Page) -> None:
    answers_danger(page)
    page.get_by_label("Street, place or postcode").fill(f"{LAT:.5f}, {LON:.5f}")
    page.get_by_role("button", name="Continue").click()
    until(lambda: not page.url.endswith("/where"), 20, "the place to be taken")
    if page.url.endswith("/nearby"):
        page.get_by_role("button", name="None of these").click()
    is_at(page, "what")
    page.locator("label", has_text="Pothole").first.click()
    page.get_by_role("button", name="Continue").click()
    is_at(page, "photos")


def a_large_photo(tmp_path: Path) -> Path:
    """4000 by 3000 of noise, held sideways, 60 m north of the place."""
    small = Image.open(io.BytesIO(a_picture(5)))
    image = Image.effect_noise((4000, 3000), 90).convert("RGB")
    exif = Image.Exif()
    exif[Base.Orientation] = 6
    north = LAT + 60 / 111_320
    degrees = [(float(int(v)), float(int(v % 1 * 60)), v * 60 % 1 * 60) for v in (north, abs(LON))]
    exif.get_ifd(IFD.GPSInfo).update({1: "N", 2: degrees[0], 3: "W", 4: degrees[1]})
    exif.get_ifd(IFD.Exif)[Base.DateTimeOriginal] = "2026:11:20 09:30:00"
    file = tmp_path / "large.jpg"
    image.save(file, "JPEG", quality=90, exif=exif)
    small.close()
    assert file.stat().st_size > 2_000_000
    return file


def test_a_large_photo_is_shrunk_and_keeps_what_the_camera_wrote(reader: Reader, house: House, tmp_path: Path) -> None:
    page = standing_there(reader)
    at_photos(page)

    page.set_input_files("#photo", a_large_photo(tmp_path))
    expect(page.get_by_role("img", name="Chosen photo 1: large.jpg")).to_be_visible()
    check(page)
    page.get_by_role("button", name="Continue").click()
    is_at(page, "check")

    row = "SELECT {} FROM photo WHERE draft_hash IS NOT NULL ORDER BY id DESC LIMIT 1"
    assert (house.ask(row.format("width_px")), house.ask(row.format("height_px"))) == (1536, 2048)
    assert house.ask(row.format("taken_at::date::text")) == "2026-11-20"
    expect(page.get_by_text("about 60 metres from the place")).to_be_visible()
    check(page)
    page.get_by_role("button", name="Use the photo’s place").click()
    page.wait_for_load_state()
    place = house.ask("SELECT answers -> 'place' FROM draft ORDER BY updated_at DESC LIMIT 1")
    assert (place["lat"] - LAT) * 111_320 == pytest.approx(60, abs=2)


def test_photos_go_with_their_form_also_while_they_are_being_shrunk(
    reader: Reader, house: House, tmp_path: Path
) -> None:
    page = standing_there(reader)
    at_photos(page)
    shrinking_waits(page)

    page.set_input_files("#photo", a_large_photo(tmp_path))
    page.set_input_files("#photo", {"name": "b.jpg", "mimeType": "image/jpeg", "buffer": a_picture(51)})
    page.get_by_role("button", name="Continue").click()
    page.evaluate("goOn()")

    is_at(page, "check")
    expect(page.get_by_role("img", name=re.compile(r"^Photo \d$"))).to_have_count(2)
    newest = "SELECT array_agg(height_px) FROM (SELECT height_px FROM photo ORDER BY id DESC LIMIT 2) AS newest"
    assert 2048 in house.ask(newest)


def shrinking_waits(page: Page) -> None:
    """On a phone so slow that shrinking ends no sooner than goOn() is called."""
    page.evaluate(
        """() => {
          const real = createImageBitmap;
          const begun = new Promise((resolve) => (window.goOn = resolve));
          window.createImageBitmap = async (...told) => { await begun; return real(...told); };
        }"""
    )


def test_a_chosen_photo_can_be_taken_away_before_it_is_sent(reader: Reader) -> None:
    page = standing_there(reader)
    at_photos(page)
    files = [{"name": f"{n}.jpg", "mimeType": "image/jpeg", "buffer": a_picture(20 + n)} for n in range(6)]

    page.set_input_files("#photo", files)
    expect(page.get_by_text("Up to 5 can be sent")).to_be_visible()
    page.get_by_role("button", name="Remove Chosen photo 2").click()
    expect(page.get_by_text("4 chosen")).to_be_visible()
    page.get_by_role("button", name="Continue").click()

    is_at(page, "check")
    expect(page.get_by_role("img", name=re.compile(r"^Photo \d$"))).to_have_count(4)


# --- no signal -------------------------------------------------------------------------------------------------------


def visited(reader: Reader, screen: Screen = PHONE) -> tuple[Page, BrowserContext]:
    """Somebody who has been there once, with signal: the service worker is ready."""
    page = standing_there(reader, screen)
    ready = (
        "navigator.serviceWorker.ready.then(() => caches.match('/report/offline')).then(found => found !== undefined)"
    )
    until(lambda: page.evaluate(ready), 30, "the page without signal to be kept")
    return page, page.context


@pytest.mark.parametrize("screen", [PHONE, DESK], ids=str)
def test_a_report_without_signal_is_kept_and_sent_once_when_it_returns(
    reader: Reader, house: House, screen: Screen
) -> None:
    page, context = visited(reader, screen)
    words = f"Written without signal {uuid4().hex}"
    written = "SELECT count(*) FROM report WHERE description LIKE %s"

    context.set_offline(True)
    page.goto("/report")
    expect(page.get_by_role("heading", name="Report without signal")).to_be_visible()
    check(page)
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_role("alert")).to_contain_text("Select yes if anyone is in danger now")
    expect(page.get_by_role("alert")).to_contain_text("Select what is wrong")
    check(page)
    page.get_by_label("No", exact=True).check()
    page.get_by_role("button", name="Use my location").click()
    expect(page.get_by_text("Found, to within 6 metres")).to_be_visible()
    page.get_by_label("What is wrong?").select_option("pothole")
    page.get_by_label("What else should we know?").fill(words)
    page.set_input_files("#photo", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": a_picture(41)})
    expect(page.get_by_role("img", name="Chosen photo 1")).to_be_visible()
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_text("Kept on this phone, will be sent when there is signal")).to_be_visible()
    check(page)
    assert house.ask(written, f"%{words}") == 0

    context.set_offline(False)
    expect(page.get_by_text("Your report was sent. Your reference is R-")).to_be_visible(timeout=60_000)
    page.goto("/report")
    page.reload()
    expect(page.get_by_text("Your report was sent. Your reference is R-")).to_be_visible()
    check(page)
    assert house.ask(written, f"%{words}") == 1
    photos = "SELECT count(*) FROM photo JOIN report ON report.id = report_id WHERE description LIKE %s"
    assert house.ask(photos, f"%{words}") == 1


def test_what_was_answered_before_the_signal_went_is_filled_in(reader: Reader) -> None:
    page, context = visited(reader)
    answers_danger(page)
    page.get_by_label("Street, place or postcode").fill(f"{LAT:.5f}, {LON:.5f}")
    page.get_by_role("button", name="Continue").click()
    until(lambda: not page.url.endswith("/where"), 20, "the place to be taken")
    if page.url.endswith("/nearby"):
        page.get_by_role("button", name="None of these").click()
    is_at(page, "what")
    context.set_offline(True)
    page.locator("label", has_text="Flooding").first.click()
    page.get_by_label("What else should we know?").fill("Up to the kerb.")

    page.get_by_role("button", name="Continue").click()

    expect(page.get_by_role("heading", name="Report without signal")).to_be_visible()
    expect(page.get_by_label("What is wrong?")).to_have_value("flooding")
    expect(page.get_by_label("What else should we know?")).to_have_value("Up to the kerb.")


def test_a_report_kept_by_a_closed_page_is_sent_by_the_next(reader: Reader, house: House) -> None:
    page, context = visited(reader)
    words = f"Kept by a closed page {uuid4().hex}"
    context.set_offline(True)
    page.goto("/report/where")
    page.get_by_label("No", exact=True).check()
    page.get_by_role("button", name="Use my location").click()
    expect(page.get_by_text("Found, to within 6 metres")).to_be_visible()
    page.get_by_label("What is wrong?").select_option("pothole")
    page.get_by_label("What else should we know?").fill(words)
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_text("Kept on this phone, will be sent")).to_be_visible()
    page.close()

    context.set_offline(False)
    again = context.new_page()
    again.goto("/report")

    expect(again.get_by_text("Your report was sent. Your reference is R-")).to_be_visible(timeout=60_000)
    assert house.ask("SELECT count(*) FROM report WHERE description LIKE %s", f"%{words}") == 1


# --- what cannot be kept or is not taken -----------------------------------------------------------------------------


PHOTOS_OF = "SELECT count(*) FROM photo JOIN report ON report.id = report_id WHERE description LIKE %s"


def writing(reader: Reader, words: str) -> Page:
    """The page without signal, filled in at a place that can be reported; as there is signal, it sends at once."""
    page = reader.open("/report/offline", geolocation=HERE, permissions=["geolocation"])
    page.get_by_label("No", exact=True).check()
    page.get_by_label("Latitude").fill(f"{LAT:.6f}")
    page.get_by_label("Longitude").fill(f"{LON:.6f}")
    page.get_by_label("What is wrong?").select_option("pothole")
    page.get_by_label("What else should we know?").fill(words)
    return page


def is_sent(page: Page) -> None:
    expect(page.get_by_text("Your report was sent. Your reference is R-")).to_be_visible(timeout=60_000)


def chooses(page: Page, *photos: bytes) -> None:
    files = [{"name": f"{n}.jpg", "mimeType": "image/jpeg", "buffer": photo} for n, photo in enumerate(photos)]
    page.set_input_files("#photo", files)


def test_what_the_service_would_not_take_is_said_before_it_is_kept(reader: Reader) -> None:
    page = writing(reader, "x" * 1001)
    page.context.set_geolocation({**HERE, "accuracy": 900})
    page.get_by_label("Street, and house number or landmark").fill("y" * 301)

    page.get_by_role("button", name="Use my location").click()
    expect(page.locator("[data-said]")).to_contain_text("known to within 900 metres only, and 200 are needed")
    page.get_by_role("button", name="Keep it").click()

    told = page.get_by_role("alert")
    expect(told).to_contain_text("known to within 900 metres only")
    expect(told).to_contain_text("What else we should know must be 1000 characters or fewer")
    expect(told).to_contain_text("landmark must be 300 characters or fewer")
    check(page)
    page.get_by_label("Latitude").fill(f"{LAT:.5f}")
    page.get_by_role("button", name="Keep it").click()
    expect(told).not_to_contain_text("900 metres")


def test_a_refused_report_is_put_right_with_all_that_was_in_it(reader: Reader, house: House) -> None:
    words = f"Put right {uuid4().hex}"
    page = writing(reader, words)
    page.get_by_label("Latitude").fill("40.000000")
    page.get_by_label("How large is it?").select_option("mug")
    page.get_by_label("Email address").fill("sam@example.org")
    chooses(page, a_picture(61))
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_text("A report that was kept on this phone was not taken. Latitude 40")).to_be_visible()
    check(page)

    page.get_by_role("link", name="Put it right").click()
    expect(page.get_by_role("heading", name="Put your report right")).to_be_visible()
    expect(page.get_by_text("This report was not taken. Latitude 40")).to_be_visible()
    expect(page.get_by_label("What is wrong?")).to_have_value("pothole")
    expect(page.get_by_label("How large is it?")).to_have_value("mug")
    expect(page.get_by_label("What else should we know?")).to_have_value(words)
    expect(page.get_by_label("Email address")).to_have_value("sam@example.org")
    expect(page.get_by_role("img", name="Chosen photo 1")).to_be_visible()
    check(page)
    page.get_by_label("Latitude").fill(f"{LAT:.6f}")
    page.get_by_role("button", name="Keep it").click()

    is_sent(page)
    page.goto("/report")
    is_sent(page)
    expect(page.get_by_text("was not taken")).to_have_count(0)
    assert house.ask(PHOTOS_OF, f"%{words}") == 1


def test_a_report_of_a_kind_that_is_no_more_stays_until_it_is_put_right(reader: Reader) -> None:
    page = writing(reader, "Never lost")
    page.evaluate("document.querySelector('#kind').add(new Option('Of an older page', 'no_more'))")
    page.get_by_label("What is wrong?").select_option("no_more")
    page.get_by_role("button", name="Keep it").click()
    page.get_by_role("link", name="Put it right").click()
    expect(page.get_by_role("alert")).to_contain_text("Select what is wrong")
    expect(page.get_by_label("What else should we know?")).to_have_value("Never lost")

    page.goto("/report/offline")

    expect(page.get_by_role("link", name="Put it right")).to_be_visible()


def test_the_clock_of_a_phone_may_be_fast(reader: Reader, house: House) -> None:
    words = f"An hour fast {uuid4().hex}"
    page = writing(reader, words)
    page.clock.set_fixed_time(datetime.now(UTC) + timedelta(hours=1))

    page.get_by_role("button", name="Keep it").click()

    is_sent(page)
    assert house.ask("SELECT observed_at = received_at FROM report WHERE description LIKE %s", f"%{words}")


def test_a_report_that_a_full_phone_cannot_keep_is_kept_without_its_photos(reader: Reader, house: House) -> None:
    words = f"No room {uuid4().hex}"
    page = writing(reader, words)
    chooses(page, noise(1_000_000))
    expect(page.get_by_role("img", name="Chosen photo 1")).to_be_visible()
    used = page.evaluate("navigator.storage.estimate().then(({usage}) => usage)")
    page.context.new_cdp_session(page).send(
        "Storage.overrideQuotaForOrigin", {"origin": reader.url, "quotaSize": used + 300_000}
    )

    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_role("alert")).to_contain_text("It could not be kept on this phone. Remove the photos")
    check(page)
    page.get_by_role("button", name="Remove Chosen photo 1").click()
    page.get_by_role("button", name="Keep it").click()

    is_sent(page)
    assert house.ask(PHOTOS_OF, f"%{words}") == 0


def noise(least: int) -> bytes:
    """A JPEG of at least so many bytes, too small to be shrunk."""
    written = io.BytesIO()
    Image.effect_noise((1200, 1000), 90).convert("RGB").save(written, "JPEG", quality=95)
    assert least <= len(written.getvalue()) <= 1_500_000
    return written.getvalue()


def test_a_photo_chosen_last_of_all_is_kept_too(reader: Reader, house: House, tmp_path: Path) -> None:
    words = f"At the last moment {uuid4().hex}"
    page = writing(reader, words)
    shrinking_waits(page)

    page.set_input_files("#photo", a_large_photo(tmp_path))
    page.get_by_role("button", name="Keep it").click()
    page.evaluate("goOn()")

    is_sent(page)
    assert house.ask(PHOTOS_OF, f"%{words}") == 1
