"""The month at a glance in a browser: on every screen, its definitions, and its CSV."""

import csv
from pathlib import Path

from playwright.sync_api import expect

from tests.pages.browser import PHONE, ZOOMED_400, Reader, check, sideways
from tests.pages.operators import ADA, HUB_DESK, HUB_SMALL, HUB_WIDE, at_the_hub


def test_a_month_fits_every_screen_tells_what_a_figure_is_and_is_taken_along_as_csv(
    reader: Reader, tmp_path: Path
) -> None:
    page = at_the_hub(reader, ADA, "/hub/month")
    check(page)
    for screen in (PHONE, ZOOMED_400, HUB_SMALL, HUB_WIDE, HUB_DESK):
        page.set_viewport_size({"width": screen.width, "height": screen.height})
        assert sideways(page) <= 0, screen
    page.emulate_media(color_scheme="dark")
    check(page)

    page.get_by_role("link", name="What is Became open?").click()
    expect(page.locator("#what-came")).to_contain_text("became open in the month")
    page.keyboard.press("[")
    page.wait_for_url("**/hub/month?month=*")
    expect(page.get_by_role("link", name="Month after")).to_be_visible()
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download CSV").click()
    file = tmp_path / "month.csv"
    downloading.value.save_as(file)

    rows = list(csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines()))
    assert {row["figure"] for row in rows} >= {"open_at_start", "reports", "recall_rate", "trend_came"}
    assert all(row["definition"] and row["as_of"] for row in rows)
