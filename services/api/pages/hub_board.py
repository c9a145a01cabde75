"""The board, and the wallboard that shows the same on a television."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from services.api import hub
from services.api.deps import Now, Read
from services.api.hub import Operator
from services.api.routes import board as counters

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@dataclass(frozen=True, slots=True)
class Counter:
    """One of the board's figures. `tiles` and `points` say what the map shows of it, `more` stands below the figure."""

    key: str
    name: str
    figure: str
    more: str = ""
    address: str = ""
    tiles: str = ""
    points: str = ""
    band: str | None = None
    alarming: bool = False

    @property
    def is_filter(self) -> bool:
        return bool(self.tiles or self.points)


@router.get("/hub")
def board(request: Request, asker: Operator, tx: Read, now: Now) -> HTMLResponse:
    """The county at a glance."""
    return hub.page("board.html", request, asker, **_shown(counters.counted(tx, now, request.app.state.board)))


@router.get("/hub/wall")
def wall(request: Request, asker: Operator, tx: Read, now: Now) -> HTMLResponse:
    """The same for a screen that nobody touches."""
    return hub.page("wall.html", request, asker, **_shown(counters.counted(tx, now, request.app.state.board)))


def _shown(told: dict[str, Any]) -> dict[str, Any]:
    today = told["today"]
    return {
        "bands": [_band(one) for one in told["bands"]],
        "others": _others(told),
        "open": told["open"],
        "today": today,
        "yesterday": (today["from"] - timedelta(hours=1)).date(),
    }


def _band(one: dict[str, Any]) -> Counter:
    code = one["band"]
    written = code or "none"
    return Counter(
        key=f"band-{written}",
        name=f"Open in band {code}" if code else "Open and not graded",
        figure=f"{one['open']:,}",
        more=f"{one['overdue']:,} late" if one["overdue"] else "",
        address=f"/hub/queue?band={written}",
        tiles=f"band={code}" if code else "graded=false",
        band=code,
    )


def _others(told: dict[str, Any]) -> list[Counter]:
    rft = told["right_first_time"]
    share = "–" if rft["value"] is None else f"{rft['value']:.0%}"
    waiting = (
        Counter("danger", "Danger unread", "", address="/hub/queue?danger=true", points="danger", alarming=True),
        Counter("overdue", "Overdue", "", address="/hub/queue?overdue=true", tiles="overdue=true", alarming=True),
        Counter("due", "Repairs due today", "", address="/hub/queue?due=repair", tiles="due=today"),
        Counter("unsure", "Unsure", "", address="/hub/unsure", points="unsure"),
        Counter("recalls", "Recalls open", "", address="/hub/recalls", points="recalls"),
        Counter("parked", "Parked deliveries", "", address="/hub/settings/parked", alarming=True),
    )
    figures = {**told, "due": told["due_today"]}
    made = [replace(one, figure=f"{figures[one.key]:,}") for one in waiting]
    of = f"{rft['counted']:,} of {rft['of']:,}"
    return [*made, Counter("rft", "Right first time this month", share, of, address="/hub/month")]
