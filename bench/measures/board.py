"""The hub's board in a real Chromium: the demo driven while it is open, and a whole county on it.

BOARD_MINUTES and BOARD_SPEED say for how long and how quickly the demo is driven: 30 minutes at 50 times its pace, one
minute with --quick, unless they are told. At the end the board is held against the API: list, counters, pins.
"""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, Request, sync_playwright

from bench import county
from bench.county import Layout
from bench.figures import Figure, clocked, median, percentile
from bench.house import House, copied, county_of, house_on, rss_kb
from bench.run import Run
from infra.native.layout import ROOT
from shared.domain.terms import Role
from shared.flows import manage_access
from shared.store import loads
from shared.store.engine import transaction
from tests import databases
from tests.pages import boards
from tests.pages.browser import chromium
from tests.waiting import until

NAME = "board"
MOST_MB, USABLE_SECONDS, TILE_MS, COUNT_MS = 400.0, 2.0, 150.0, 100.0
EMAIL, PASSWORD = "board@bench.example", "a long password of the bench"
SCREEN = {"width": 1920, "height": 1080}
LOOK_SECONDS = 10.0
CUT_SECONDS = 60.0
SETTLE_SECONDS, REST_SECONDS, ONE_SECONDS = 60.0, 300.0, 120.0


def measure(run: Run) -> list[Figure]:
    """A cut of the network, the long drive, then the large county."""
    return [_cut(run), *_driven(run), *_large(run)]


# --- the demo is driven ----------------------------------------------------------------------------------------------


@dataclass
class _Memory:
    """MB, at each look: of the page's scripts, of the page's process, of all of the browser's processes."""

    heap: list[float] = field(default_factory=list)
    process: list[float] = field(default_factory=list)
    browser: list[float] = field(default_factory=list)


def _driven(run: Run) -> list[Figure]:
    minutes = float(os.environ.get("BOARD_MINUTES") or run.of(30, 1))
    speed = float(os.environ.get("BOARD_SPEED") or 50)
    empty = _empty()
    with _demo(run) as house, _looking(house) as (browser, page), _operator(house) as operator:
        memory, lines = _Memory(), list[int]()
        # It is not waited for its reckoning, which asks for each of a hundred thousand reports.
        over = time.monotonic() + minutes * 60 + SETTLE_SECONDS
        with _driving(house, minutes, speed) as drive:
            while drive.poll() is None and time.monotonic() < over:
                _look(browser, page, memory)
                lines.append(_newest(operator))
                page.wait_for_timeout(LOOK_SECONDS * 1000)
        # Surveys that came in more quickly than they were matched are matched now.
        rested = clocked(lambda: house.comes_to_rest(REST_SECONDS + minutes * 60))
        _look(browser, page, memory)
        conditions = {
            "minutes": minutes,
            "speed": speed,
            "lines": _newest(operator),
            "lines in the quietest minute": min((later - one for one, later in _minutes(lines)), default=None),
            "looks": len(memory.heap),
            "seconds until it was at rest": round(rested),
        }
        return [*_remembered(memory, empty, conditions), _compared(run, page, operator, conditions)]


@contextmanager
def _demo(run: Run) -> Iterator[House]:
    """The made-up county with all that runs it, before anything has happened in it."""
    with copied(run.template) as url, house_on(url) as house:
        house.stack.run("roadmend", "demo", "load")
        house.stack.start_api()
        house.stack.start_worker()
        house.stack.start_beat()
        _employ(house)
        yield house


def _newest(operator: httpx.Client) -> int:
    """The number of the record's newest line."""
    return next(iter(boards.recorded(operator)), 0)


def _minutes(lines: list[int]) -> list[tuple[int, int]]:
    """The newest line at the beginning and the end of each minute, but of those in which it comes to rest."""
    looks = round(60 / LOOK_SECONDS)
    return list(zip(lines, lines[looks:], strict=False))[: -2 * looks]


@contextmanager
def _driving(house: House, minutes: float, speed: float) -> Iterator["subprocess.Popen[bytes]"]:
    """The demo's own command, in a process of its own."""
    words = ["roadmend", "demo", "drive", "--minutes", str(minutes), "--speed", str(speed), "--url", house.stack.url]
    with (house.stack.folder / "drive.log").open("wb") as log:
        driving = subprocess.Popen(words, cwd=ROOT, env=house.stack.environment(), stdout=log, stderr=log)
        try:
            yield driving
        finally:
            driving.terminate()
            driving.wait(60)


def _look(browser: Browser, page: Page, memory: _Memory) -> None:
    told = page.context.new_cdp_session(page)
    told.send("HeapProfiler.collectGarbage")
    used = told.send("Runtime.getHeapUsage")["usedSize"]
    told.detach()
    processes = _processes(browser)
    pages = [pid for pid, kind in processes.items() if kind == "renderer"]
    memory.heap.append(used / 2**20)
    memory.process.append(max(rss_kb([pid]) for pid in pages) / 1024)
    memory.browser.append(rss_kb([*processes]) / 1024)


def _processes(browser: Browser) -> dict[int, str]:
    """Of all of Chromium's processes, by number, what each is for: "renderer", "GPU"."""
    whole = browser.new_browser_cdp_session()
    told = whole.send("SystemInfo.getProcessInfo")["processInfo"]
    whole.detach()
    return {int(one["id"]): one["type"] for one in told}


_EMPTY = """([width, height]) => new Promise((done) => {
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    document.body.append(canvas);
    const drawn = canvas.getContext("webgl2");
    let left = 60;
    (function draw() { drawn.clear(drawn.COLOR_BUFFER_BIT); left-- ? requestAnimationFrame(draw) : done(); })();
})"""


def _empty() -> float:
    """MB that all of Chromium's processes hold where the page is one empty canvas as large as the screen."""
    with sync_playwright() as playwright:
        browser = chromium(playwright)
        browser.new_page(viewport=SCREEN).evaluate(_EMPTY, [*SCREEN.values()])
        held = rss_kb([*_processes(browser)]) / 1024
        browser.close()
    return held


def _remembered(memory: _Memory, empty: float, conditions: dict[str, Any]) -> Iterator[Figure]:
    for name, looks, target, bare in (
        ("JS heap, the most", memory.heap, True, None),
        ("the page's process, the most", memory.process, True, None),
        ("all of Chromium's processes, drawing in software, the most", memory.browser, False, empty),
    ):
        yield Figure(
            measure=NAME,
            name=name,
            value=max(looks),
            unit="MB",
            target=f"< {MOST_MB:.0f} MB" if target else "",
            met=max(looks) < MOST_MB if target else None,
            bare=bare,
            bare_name="" if bare is None else "Chromium with one empty canvas of that size",
            ratio=None if bare is None else max(looks) / bare,
            repeats=[round(one) for one in looks],
            conditions=conditions,
        )


def _compared(run: Run, page: Page, operator: httpx.Client, conditions: dict[str, Any]) -> Figure:
    """Whether board and API are one once nothing happens any more, and how long that takes the board."""
    began = time.monotonic()
    while (left := boards.differences(page, operator)) and time.monotonic() < began + ONE_SECONDS:
        page.wait_for_timeout(500)
    conditions = {**conditions, "seconds until they were one": round(time.monotonic() - began)}
    for name, (shown, said) in left.items():
        run.note(f"board: the {name} shows {json.dumps(shown)[:300]}, the API says {json.dumps(said)[:300]}")
    return Figure(
        measure=NAME,
        name="differences between board and API at the end",
        value=len(left),
        unit="of 3",
        target="0",
        met=not left,
        conditions=conditions,
    )


def _cut(run: Run) -> Figure:
    """The network is away for a minute while the county goes on: whether each line then comes, and comes once."""
    with _demo(run) as house, _looking(house) as (_, page), _operator(house) as operator:
        before, began = _newest(operator), time.monotonic()
        page.context.set_offline(True)
        with _driving(house, minutes=0.2, speed=20) as drive:
            drive.wait()
        house.comes_to_rest()
        page.wait_for_timeout(max(0.0, CUT_SECONDS - (time.monotonic() - began)) * 1000)
        away, missed = time.monotonic() - began, _newest(operator) - before
        page.context.set_offline(False)
        words = page.locator("[data-live-words]")
        until(lambda: words.inner_text().startswith("Back."), 30, "the feed to be heard again")
        caught_up = int(words.inner_text().split()[1].replace(",", ""))
        until(lambda: _newest(operator) in boards.listed(page), 30, "the newest line")
        odd = len(set(boards.listed(page)) ^ set(boards.recorded(operator))) + abs(caught_up - missed)
    run.note(f"board: {missed} lines were written while the network was away; the board says {caught_up} caught up.")
    return Figure(
        measure=NAME,
        name="lines missing or doubled after a cut of the network",
        value=odd,
        unit=f"of {missed}",
        target="0",
        met=odd == 0,
        conditions={"seconds": round(away)},
    )


# --- a whole county --------------------------------------------------------------------------------------------------


def _large(run: Run) -> list[Figure]:
    layout, reports = Layout(run.of(65_000, 10_000)), run.of(1_000_000, 20_000)
    with county_of(run.template, layout, worked=True) as url, house_on(url) as house:
        county.add_reports(house.db, layout, reports)
        county.add_history(house.db, layout, run.of(435_000, 40_000))
        with databases.in_force(url), transaction("command:bench") as tx:
            loads.draw_map(tx)
        house.stack.start_api()
        _employ(house)
        conditions = {"rows": county.size_of(house.db), "screen": SCREEN}
        with _operator(house) as operator:
            counting = [clocked(lambda: operator.get("/api/v1/board").raise_for_status()) for _ in range(60)]
        with _looking(house) as (_, page):
            usable, tiles = list[tuple[float, float]](), list[float]()
            for _ in range(5):
                usable.append(_usable(page))
                tiles += _moved(page)
        run.note("board: Chromium draws in software here; a tile's time is from its request to its last byte.")
        return [
            _figure("counters, 95%", percentile(counting, 0.95) * 1000, "ms", COUNT_MS, conditions),
            _figure("counters and list usable", median([one[0] for one in usable]), "s", USABLE_SECONDS, conditions),
            _figure("and the map drawn", median([one[1] for one in usable]), "s", None, conditions),
            _figure(f"a tile while moving, 95% of {len(tiles)}", percentile(tiles, 0.95), "ms", TILE_MS, conditions),
        ]


def _usable(page: Page) -> tuple[float, float]:
    """Seconds from the click until the counters and the list are there and can be used, and until the map is drawn."""
    began = time.monotonic()
    page.goto("/hub", wait_until="commit")
    page.wait_for_selector("[data-board][data-listed]")
    listed = time.monotonic() - began
    page.wait_for_selector("[data-map][data-ready]")
    until(lambda: boards.drawn(page) > 0, 60, "pins")
    return listed, time.monotonic() - began


def _moved(page: Page) -> list[float]:
    """Milliseconds of each tile of defects while somebody moves over the county, nearer and farther."""
    took: list[float] = []

    def finished(asked: Request) -> None:
        if "/defects/tiles/" in asked.url:
            timing = asked.timing
            took.append(timing["responseEnd"] - timing["requestStart"])

    page.on("requestfinished", finished)
    canvas = page.locator("[data-map] canvas")
    canvas.focus()
    for key in (
        "+",
        "+",
        "ArrowRight",
        "ArrowDown",
        "+",
        "+",
        "ArrowLeft",
        "ArrowUp",
        "+",
        "ArrowRight",
        "-",
        "-",
        "-",
    ):
        page.keyboard.press(key)
        page.wait_for_timeout(900)
    page.remove_listener("requestfinished", finished)
    return took


def _figure(name: str, value: float, unit: str, most: float | None, conditions: dict[str, Any]) -> Figure:
    return Figure(
        measure=NAME,
        name=name,
        value=value,
        unit=unit,
        target="" if most is None else f"≤ {most:g} {unit}",
        met=None if most is None else value <= most,
        conditions=conditions,
    )


# --- who looks -------------------------------------------------------------------------------------------------------


def _employ(house: House) -> None:
    with databases.in_force(house.url), transaction("command:bench") as tx:
        manage_access.add_person(tx, EMAIL, "Bench", Role.OPERATOR, datetime.now(UTC), password=PASSWORD)


@contextmanager
def _operator(house: House) -> Iterator[httpx.Client]:
    """The API as a program asks it."""
    with httpx.Client(base_url=house.stack.url, headers=house.bearer(Role.OPERATOR), timeout=30) as client:
        yield client


@contextmanager
def _looking(house: House) -> Iterator[tuple[Browser, Page]]:
    """A Chromium with the board open, signed in, its map drawn."""
    with sync_playwright() as playwright:
        browser = chromium(playwright)
        page = browser.new_context(base_url=house.stack.url, viewport=SCREEN, locale="en-GB").new_page()
        form = {"email": EMAIL, "password": PASSWORD, "next": "/hub/settings"}
        page.context.request.post("/hub/sign-in", form=form)
        page.goto("/hub")
        page.wait_for_selector("[data-map][data-ready]", timeout=120_000)
        yield browser, page
        browser.close()
