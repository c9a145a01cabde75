"""Looking at pages as people do: screens, with and without scripts, and what is asked of every page."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, Response, Route

from infra.native.layout import ROOT
from infra.native.packages import BROWSERS
from tests.waiting import until

FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A map needs WebGL, and a machine of tests has no graphics card.
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]
PIECES = ("stylesheet", "script", "image", "font", "manifest")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]


@dataclass(frozen=True)
class Screen:
    """What somebody holds in the hand. Sizes in CSS pixels."""

    name: str
    width: int
    height: int
    scripts: bool = True
    dark: bool = False

    def __str__(self) -> str:
        return self.name


PHONE = Screen("phone", 390, 844)
DESK = Screen("desk", 1440, 900)
PLAIN_PHONE = Screen("phone-without-scripts", 390, 844, scripts=False)
PLAIN_DESK = Screen("desk-without-scripts", 1440, 900, scripts=False)
DARK_PHONE = Screen("phone-in-the-dark", 390, 844, dark=True)
DARK_DESK = Screen("desk-in-the-dark", 1440, 900, dark=True)
ZOOMED_200 = Screen("zoomed-200", 640, 512)
ZOOMED_400 = Screen("zoomed-400", 320, 256)
"""A window of 1280 by 1024 at 200 % and 400 %: a browser's zoom makes just so few CSS pixels of it (WCAG 1.4.10)."""

SCREENS = (PHONE, DESK, PLAIN_PHONE, PLAIN_DESK)
"""What a journey is made on."""
LOOKS = (*SCREENS, DARK_PHONE, DARK_DESK, ZOOMED_200, ZOOMED_400)
"""What a page is looked at on."""


def chromium(playwright: Playwright) -> Browser:
    """The machine's own Chromium; CHROMIUM names another."""
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    assert program, f"These tests need Chromium: none of {', '.join(BROWSERS)} is on the PATH, and CHROMIUM names none"
    return playwright.chromium.launch(executable_path=program, args=FLAGS)


@dataclass
class Reader:
    """Somebody with a browser of their own: cookies, screen, and every complaint of the browser about our pages."""

    browser: Browser
    url: str
    contexts: list[BrowserContext] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str = "", screen: Screen = PHONE, status: int = 200, **options: Any) -> Page:
        """A page in a context of its own, at an address of ours when one is given, which answers with this status.

        `options` are new_context's.
        """
        context = self.browser.new_context(
            base_url=self.url,
            viewport={"width": screen.width, "height": screen.height},
            java_script_enabled=screen.scripts,
            color_scheme="dark" if screen.dark else "light",
            locale="en-GB",
            timezone_id="Europe/London",
            **options,
        )
        context.set_default_timeout(20_000)
        self.contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on("console", self._heard)
        page.on("response", self._answered)
        if path:
            answer = page.goto(path)
            assert answer
            assert answer.status == status, f"{path} answered {answer.status}"
        return page

    def _heard(self, message: ConsoleMessage) -> None:
        """What our policy refused; that a page was answered with 404 is said by the test itself."""
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(f"{message.location.get('url')}: {message.text}")

    def _answered(self, response: Response) -> None:
        """A page without its styles passes most tests."""
        if response.status >= 400 and response.request.resource_type in PIECES:
            self.complaints.append(f"{response.url}: {response.status}")

    def close(self) -> None:
        for context in self.contexts:
            context.close()


_NOTES_MAPS = """(() => {
  const make = HTMLCanvasElement.prototype.getContext;
  window.maps = [];
  HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
    const made = make.call(this, kind, ...more);
    if (kind === "webgl2" && made) window.maps.push(made);
    return made;
  };
})()"""


def note_maps(page: Page) -> None:
    """From the next address on: every map that is made."""
    page.add_init_script(_NOTES_MAPS)


def maps_of(page: Page) -> tuple[int, int]:
    """How many were made since the page came, and how many of them were not given back to the browser."""
    made, held = page.evaluate("[window.maps.length, window.maps.filter(one => !one.isContextLost()).length]")
    return int(made), int(held)


@lru_cache
def _axe() -> str:
    return (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text()


def violations(page: Page) -> list[str]:
    """What axe-core finds against WCAG 2.2 A and AA on the page as it is now: rule, what is wrong, and where."""
    if page.evaluate("matchMedia('(scripting: none)').matches"):
        with _copied(page) as copy:
            return violations(copy)
    page.evaluate(_axe())
    found = page.evaluate(
        "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}, resultTypes: ['violations']})", RULES
    )
    return [
        f"{one['id']}: {one['help']}: {node['target']} {node.get('failureSummary', '')}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


@contextmanager
def _copied(page: Page) -> Iterator[Page]:
    """The same elements where axe can run: its timers never ring where scripts are off. The page's own stay out."""
    html = re.sub(r"(</?)noscript\b", r"\1div", page.content())
    context = page.context.browser.new_context(
        viewport=page.viewport_size,
        color_scheme="dark" if page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") else "light",
        storage_state=page.context.storage_state(),
        bypass_csp=True,
    )
    copy = context.new_page()
    copy.route("**/*", lambda route: _answer(route, html))
    copy.goto(page.url)
    yield copy
    context.close()


def _answer(route: Route, html: str) -> None:
    if route.request.is_navigation_request():
        route.fulfill(body=html, content_type="text/html; charset=utf-8")
    elif route.request.resource_type == "script":
        route.abort()
    else:
        route.continue_()


def sideways(page: Page) -> int:
    """CSS pixels by which the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def check(page: Page) -> None:
    """What holds for every page in every state: accessible, no wider than its window, one main heading, a title."""
    assert violations(page) == [], page.url
    assert sideways(page) <= 0, f"{page.url} is wider than its window by {sideways(page)} pixels"
    assert page.locator("h1").count() == 1, page.url
    assert page.title(), page.url


def look_over(page: Page) -> None:
    """`check` in the light and in the dark, and the width of every screen there is. Leaves the page as it was."""
    size = page.viewport_size
    check(page)
    page.emulate_media(color_scheme="dark")
    check(page)
    page.emulate_media(color_scheme="light")
    for screen in (PHONE, DESK, ZOOMED_200, ZOOMED_400):
        page.set_viewport_size({"width": screen.width, "height": screen.height})
        assert sideways(page) <= 0, f"{page.url} is wider than {screen}"
    assert size
    page.set_viewport_size(size)


def tab_to(page: Page, name: str, most: int = 60) -> None:
    """Press Tab until what bears this name has the focus, and see that the focus can be seen."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if _focused(page) == name:
            return
    raise AssertionError(f"No Tab of {most} reached {name!r} on {page.url}; the last was {_focused(page)!r}")


def _focused(page: Page) -> str:
    """The words of what has the focus: its label, its own text, or its value."""
    return str(
        page.evaluate(
            """() => {
              const e = document.activeElement;
              const label = e.labels?.[0]?.innerText ?? e.getAttribute('aria-label') ?? e.innerText ?? '';
              return (label || e.value || '').trim();
            }"""
        )
    )


@dataclass
class Pace:
    """How long a person would take: nothing is waited for, all is added up."""

    seconds: float = 0.0
    pages: int = 0

    def loaded(self) -> None:
        """A page came: a second to see what it asks."""
        self.pages += 1
        self.seconds += 1.0

    def typed(self, text: str) -> None:
        """Five characters a second, as on a telephone."""
        self.seconds += len(text) / 5

    def chose(self) -> None:
        """A tap or a click: a second to decide and to hit it."""
        self.seconds += 1.0


@contextmanager
def transferred(page: Page) -> Iterator[dict[str, int]]:
    """Bytes that came over the network meanwhile, headers too, by address; whole when the block is left.

    What was asked for until then is waited for, streams of events left out: a page that goes on asking by itself, as a
    map does, is waited for inside the block.
    """
    session = page.context.new_cdp_session(page)
    asked: dict[str, str] = {}
    sizes: dict[str, int] = {}

    def ask(event: dict[str, Any]) -> None:
        if event.get("type") != "EventSource":
            asked[event["requestId"]] = event["request"]["url"]

    def come(event: dict[str, Any]) -> None:
        if address := asked.pop(event["requestId"], ""):
            sizes[address] = sizes.get(address, 0) + int(event.get("encodedDataLength", 0))

    session.on("Network.requestWillBeSent", ask)
    session.on("Network.loadingFinished", come)
    session.on("Network.loadingFailed", come)
    session.send("Network.enable")
    yield sizes
    page.wait_for_load_state("load")
    until(lambda: page.evaluate("1") and not asked, 20, "the network to come to rest")
    session.detach()


def busy_seconds(page: Page, path: str, slower: float = 4.0) -> float:
    """How long the page's thread was busy until it could be used, on a processor so many times slower.

    The time of its tasks, not of the clock: waiting for the server or for other processes does not count.
    """
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    session.send("Emulation.setCPUThrottlingRate", {"rate": slower})
    page.goto(path, wait_until="load")
    told = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    session.detach()
    return float(told["TaskDuration"])


def as_json(told: object) -> str:
    """For a message of a failed assertion."""
    return json.dumps(told, indent=1)
