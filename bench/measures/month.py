"""The hub's month at a glance, with 1,000,000 reports, 500,000 defects and all that happened to them in the record."""

from datetime import UTC, datetime
from typing import Any

from bench import county, outside, record
from bench.county import Layout
from bench.figures import Figure, percentile
from bench.house import House, county_of, house_on
from bench.run import Run
from shared.domain.month import Month
from shared.domain.terms import Role

NAME = "month"
TARGET_MS = 2_000.0


def measure(run: Run) -> list[Figure]:
    """This month, the one before, and one a year ago, as the page is answered over HTTP."""
    layout = Layout(run.of(65_000, 10_000))
    times = run.of(10, 3)
    figures: list[Figure] = []
    with county_of(run.template, layout, worked=True) as url, house_on(url) as house:
        county.add_reports(house.db, layout, run.of(1_000_000, 20_000))
        county.add_history(house.db, layout, run.of(435_000, 40_000))
        record.add(house.db)
        house.stack.start_api()
        conditions = {"rows": county.size_of(house.db), "asked": times, "clients": 1}
        this = Month.of(datetime.now(UTC).date())
        for name, back in (("this month", 0), ("last month", 1), ("a year ago", 12)):
            seconds = _asked(house, f"/hub/month?month={this.later(-back)}", times)
            figures += [_figure(name, share, seconds, conditions) for share in (0.5, 0.95)]
    return figures


def _asked(house: House, path: str, times: int) -> list[float]:
    """Seconds of each answer, one at a time; the first, which makes everything warm, is not counted."""
    port, headers = int(house.stack.variables["ROADMEND_PORT"]), house.bearer(Role.OPERATOR)
    load = {"kind": "closed", "method": "GET", "path": path, "headers": headers, "port": port}
    told = outside.load(**load, connections=1, seconds=120, most=times + 1, again=True)
    if set(told["statuses"]) != {"200"}:
        raise RuntimeError(f"{path} was answered {told['statuses']}")
    return list(told["seconds"][1:])


def _figure(name: str, share: float, seconds: list[float], conditions: dict[str, Any]) -> Figure:
    value = percentile(seconds, share) * 1000
    return Figure(
        measure=NAME,
        name=f"{name}, {share:.0%}",
        value=value,
        unit="ms",
        target=f"≤ {TARGET_MS:,.0f} ms" if share == 0.95 else "",
        met=value <= TARGET_MS if share == 0.95 else None,
        repeats=[one * 1000 for one in seconds],
        conditions=conditions,
    )
