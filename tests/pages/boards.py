"""What a board shows, and what the API says: to be held against each other, here and by the bench."""

from typing import Any

import httpx
from playwright.sync_api import Page

from shared.store.tables import OPEN_STATES


def listed(page: Page) -> list[int]:
    """The numbers of the lines in the list, the newest first."""
    found: list[int] = page.eval_on_selector_all(
        "[data-happenings] [data-number]", "all => all.map(one => Number(one.dataset.number))"
    )
    return found


def recorded(operator: httpx.Client) -> list[int]:
    """The same as the record has them."""
    lines = operator.get("/api/v1/feed/lines", params={"limit": 200}).json()["lines"]
    return [line["number"] for line in reversed(lines)]


def counted(page: Page) -> dict[str, str]:
    """Each counter's figure, as it is read."""
    found: dict[str, str] = page.eval_on_selector_all(
        "[data-count]",
        "all => Object.fromEntries(all.map(e => [e.dataset.count, e.querySelector('[data-figure]').textContent]))",
    )
    return found


def told(operator: httpx.Client) -> dict[str, str]:
    """The same as the API counts."""
    board = operator.get("/api/v1/board").json()
    rft = board["right_first_time"]["value"]
    plain = ("overdue", "due_today", "unsure", "danger", "parked", "recalls")
    return {
        **{f"band-{one['band'] or 'none'}": f"{one['open']:,}" for one in board["bands"]},
        **{name.removesuffix("_today"): f"{board[name]:,}" for name in plain},
        "rft": "–" if rft is None else f"{rft:.0%}",
    }


def drawn(page: Page) -> int:
    """How many defects the map has in view."""
    return int(page.get_attribute("[data-map]", "data-drawn") or 0)


def is_open(operator: httpx.Client) -> int:
    """How many are open."""
    return int(operator.get("/api/v1/board").json()["open"])


def in_the_county(operator: httpx.Client) -> int:
    """How many of them lie where the map of the whole county shows them for sure; 5,000 at most are counted."""
    west, south, east, north = operator.get("/api/v1/streets/tiles").json()["bounds"]
    asked = {"state": OPEN_STATES, "bbox": f"{west},{south},{east},{north}", "limit": 5000}
    return len(operator.get("/api/v1/defects", params=asked).json()["features"])


def differences(page: Page, operator: httpx.Client) -> dict[str, Any]:
    """Where the list, the counters or the map of the whole county say another thing than the API."""
    shown = drawn(page)
    both = {
        "list": (listed(page), recorded(operator)),
        "counters": (counted(page), told(operator)),
        # What lies beyond the county's edge may be in view or not.
        "map": (shown, min(max(shown, in_the_county(operator)), is_open(operator))),
    }
    return {name: pair for name, pair in both.items() if pair[0] != pair[1]}
