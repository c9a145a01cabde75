"""`roadmend kpi`: the published figures of a quarter or of any days, each with its definition."""

from datetime import datetime
from typing import Annotated, Any

import orjson
import typer
from rich.table import Table

from services.cli.run import now, out, say
from shared.domain.kpi import Period, Quarter
from shared.errors import Invalid
from shared.store import figures, policies
from shared.store.engine import reading
from shared.store.figures import Snapshot
from shared.store.read_models import kpis

app = typer.Typer(help="The published figures.")


@app.command()
def kpi(
    quarter: Annotated[str | None, typer.Argument(help="For example 2026Q4; else the one that runs now")] = None,
    first: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="Instead: first day")] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="and last day")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object")] = False,
) -> None:
    """Compute the figures from the record now, and show what was frozen of the quarter."""
    with reading() as tx:
        rules = policies.in_force(tx, now())
        today = now().astimezone(rules.calendar.tz).date()
        wanted = Quarter.parse(quarter) if quarter else Quarter.of(first.date() if first else today)
        period = _period(wanted, first, last)
        told = kpis.published(tx, period, now(), rules)
        frozen = figures.snapshots(tx, str(wanted)) if period == wanted.period else []
    if as_json:
        say(orjson.dumps({**told, "frozen": [one.figures for one in frozen]}).decode())
        return
    _show(told, frozen)


def _period(quarter: Quarter, first: datetime | None, last: datetime | None) -> Period:
    period = quarter.period
    if first is not None or last is not None:
        period = Period(first.date() if first else period.first, last.date() if last else period.last)
    if period.last < period.first:
        raise Invalid("The last day is before the first.")
    return period


def _show(told: dict[str, Any], frozen: list[Snapshot]) -> None:
    table = Table("figure", "value", "counted", "definition", title=f"{told['from']} to {told['to']}")
    for one in told["counts"]:
        table.add_row(one["name"], "", str(one["count"]), one["definition"])
    for one in told["figures"]:
        table.add_row(one["name"], _percent(one["value"]), f"{one['counted']} of {one['of']}", one["definition"])
    for one in told["ages"]:
        shown = f"median {one['median']} d" if one["count"] else ""
        table.add_row(one["name"], shown, str(one["count"]), one["definition"])
    out.print(table)
    for one in frozen:
        say(f"Frozen as revision {one.revision} on {one.frozen_at:%Y-%m-%d}. {one.why}")


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f} %"
