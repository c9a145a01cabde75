"""The residents' map with 65,000 open defects in a real Chromium: what a frame costs while somebody pans and zooms.

The same moves are made with the defects and with a filter that leaves none, in turn, near and over the whole county,
on software graphics. The processor time of the page's thread counts, which other work on the machine does not change
much; how long a task held the thread, and how long tiles took, is told by the clock.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode

from playwright.sync_api import Browser, CDPSession, Page, Request, sync_playwright

from bench.county import ROW_M, SOUTH, STREET_M, WEST, Layout
from bench.figures import Figure, median, percentile
from bench.house import House, county_of, house_on
from bench.run import Run
from shared.store import loads
from shared.store.engine import transaction
from tests import databases
from tests.pages.browser import chromium

NAME = "map"
FRAME_MS, LONGEST_MS, TILE_MS = 50.0, 200.0, 150.0
"""A frame of the page's thread: a longer task is a long one in the sense of the web's vitals. The longest task while
the map moves. A tile's 19 of 20. What the same frames cost without a defect stands beside them: of an invented county,
whose streets are few from afar, that is little."""
NOBODYS = "sign_damaged"
"""A class that no defect here has."""
WIDTH, HEIGHT = 1280, 720
VIEWS = {"zoom 14": 14.0, "the whole county": None}
STEPS = 8
DRAGS = ((-260, -90), (220, 120), (-180, 140), (240, -150))

_ROADS = """
    UPDATE street SET hierarchy = CASE WHEN id % 20 = 0 THEN '3b' ELSE '4a' END WHERE hierarchy = '4b' AND id % 4 = 0
"""
"""As in a county, every twentieth street is a link road and one in five a local one: a map that is empty without its
defects is no measure of what they cost."""

_WATCH = """() => {
  window.bench = { frames: 0, tasks: [] };
  const frame = () => { window.bench.frames += 1; requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
  new PerformanceObserver((list) => window.bench.tasks.push(...list.getEntries().map((one) => one.duration)))
    .observe({ type: 'longtask' });
}"""


@dataclass
class _Moved:
    """What moving the map once cost: seconds of processor time, frames, and in ms the long tasks and the tiles."""

    seconds: float
    frames: int
    tasks: list[float] = field(default_factory=list)
    tiles: list[float] = field(default_factory=list)

    @property
    def frame_ms(self) -> float:
        return self.seconds / self.frames * 1000


def measure(run: Run) -> list[Figure]:
    """Each view with the defects and without, A B A B."""
    layout = Layout(run.of(65_000, 10_000))
    rounds = run.of(2, 1)
    with county_of(run.template, layout, worked=True) as url, house_on(url) as house:
        house.db.execute(_ROADS)
        with databases.in_force(url), transaction("command:bench") as tx:
            loads.draw_map(tx)
        house.stack.start_api()
        with sync_playwright() as playwright:
            browser = chromium(playwright)
            figures = []
            for view, zoom in VIEWS.items():
                taken: dict[bool, list[_Moved]] = {True: [], False: []}
                for _ in range(rounds):
                    for defects, moved in taken.items():
                        moved.append(_moved(browser, house, layout, zoom, defects=defects))
                figures += list(_figures(view, layout, taken, browser.version))
            browser.close()
    return figures


def _moved(browser: Browser, house: House, layout: Layout, zoom: float | None, *, defects: bool) -> _Moved:
    """Open the map in a browser that knows nothing yet, let it come to rest, and move it."""
    with _opened(browser, _address(house, layout, zoom, defects=defects)) as (page, session):
        page.evaluate(_WATCH)
        tiles: list[float] = []
        page.on("requestfinished", lambda asked: _note(tiles, asked))
        before = _thread_seconds(session)
        for way in DRAGS:
            _drag(page, *way)
        for turn in (-1, 1):
            _wheel(page, turn)
            _drag(page, 150, 60 * turn)
        seconds = _thread_seconds(session) - before
        told = page.evaluate("() => window.bench")
        return _Moved(seconds, told["frames"], told["tasks"], tiles)


def _note(tiles: list[float], asked: Request) -> None:
    """How long a tile of defects took, from asking to its last byte, in ms."""
    if "/defects/tiles/" in asked.url and asked.timing["responseEnd"] >= 0:
        tiles.append(asked.timing["responseEnd"] - max(0.0, asked.timing["requestStart"]))


@contextmanager
def _opened(browser: Browser, address: str) -> Iterator[tuple[Page, CDPSession]]:
    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT})
    try:
        page = context.new_page()
        page.goto(address)
        page.wait_for_selector("#map[data-ready]", timeout=60_000)
        session = context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        yield page, session
    finally:
        context.close()


def _thread_seconds(session: CDPSession) -> float:
    """Processor time of the page's own thread so far."""
    told = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    return float(told["TaskDuration"])


_NEXT_FRAME = "() => new Promise(requestAnimationFrame)"


def _drag(page: Page, across: int, down: int) -> None:
    """Take the map by its middle and pull it so many pixels, a little each frame."""
    x, y = _middle(page)
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, STEPS + 1):
        page.mouse.move(x + across * step / STEPS, y + down * step / STEPS)
        page.evaluate(_NEXT_FRAME)
    page.mouse.up()


def _wheel(page: Page, way: int) -> None:
    """Turn the wheel, 1 outwards or -1 inwards, a notch each frame."""
    page.mouse.move(*_middle(page))
    for _ in range(STEPS):
        page.mouse.wheel(0, 75 * way)
        page.evaluate(_NEXT_FRAME)


def _middle(page: Page) -> tuple[float, float]:
    box = page.locator("#map canvas").bounding_box()
    if box is None:
        raise RuntimeError("The map is not on the page.")
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def _address(house: House, layout: Layout, zoom: float | None, *, defects: bool) -> str:
    """The map's page: at the middle of the defects, or the whole county."""
    asked: dict[str, str] = {} if defects else {"class": NOBODYS}
    if zoom is not None:
        x = WEST + layout.streets_a_row * STREET_M / 2
        y = SOUTH + layout.first_free_row * ROW_M / 2
        place = house.db.execute(
            "SELECT ST_X(p), ST_Y(p) FROM ST_Transform(ST_SetSRID(ST_MakePoint(%s, %s), 27700), 4326) AS p", (x, y)
        ).fetchone()
        lon, lat = place if place is not None else (None, None)
        asked |= {"lat": str(lat), "lon": str(lon), "z": str(zoom)}
    return f"{house.stack.url}/map?{urlencode(asked)}"


def _figures(view: str, layout: Layout, taken: dict[bool, list[_Moved]], browser: str) -> Iterator[Figure]:
    conditions = {
        "open defects": layout.defects,
        "browser": f"Chromium {browser}, software graphics (SwiftShader), {WIDTH} x {HEIGHT}",
        "time": "processor time of the page's thread (threadTicks) over the frames that the browser made",
        "frames": [one.frames for one in taken[True]],
    }
    frames = {kind: [one.frame_ms for one in many] for kind, many in taken.items()}
    mine, bare = (median(frames[kind]) for kind in (True, False))
    yield Figure(
        measure=NAME,
        name=f"a frame of the page's thread while it moves, {view}",
        value=mine,
        unit="ms",
        bare=bare,
        bare_name="ms without defects",
        ratio=mine / bare,
        target=f"< {FRAME_MS:g} ms",
        met=mine < FRAME_MS,
        repeats=frames[True],
        conditions=conditions | {"without": frames[False]},
    )
    longest = {kind: max((task for one in many for task in one.tasks), default=0.0) for kind, many in taken.items()}
    yield Figure(
        measure=NAME,
        name=f"the longest task meanwhile, by the clock, {view}",
        value=longest[True],
        unit="ms",
        bare=longest[False],
        bare_name="ms without defects",
        target=f"< {LONGEST_MS:g} ms",
        met=longest[True] < LONGEST_MS,
        repeats=[max(one.tasks, default=0.0) for one in taken[True]],
        conditions=conditions,
    )
    tiles = [one for moved in taken[True] for one in moved.tiles]
    if tiles:
        yield Figure(
            measure=NAME,
            name=f"tiles of defects asked for meanwhile, p95, {view}",
            value=percentile(tiles, 0.95),
            unit="ms",
            target=f"< {TILE_MS:g} ms",
            met=percentile(tiles, 0.95) < TILE_MS,
            conditions=conditions | {"tiles": len(tiles), "median ms": round(median(tiles), 1)},
        )
