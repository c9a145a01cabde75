"""`roadmend dedupe`: how often people and the machine agree on what is one defect."""

import csv
import sys
from datetime import date, datetime
from typing import Annotated

import orjson
import typer
from rich.table import Table

from services.cli.run import now, out, say
from shared.domain.agreement import COUNTS, Agreement, Line
from shared.domain.kpi import Period
from shared.errors import Invalid
from shared.store import policies
from shared.store.engine import reading
from shared.store.read_models import dedupe as read

app = typer.Typer(no_args_is_help=True, help="Is it the same defect? What the machine said, and what people say of it.")

DAY = ["%Y-%m-%d"]


@app.callback()
def dedupe() -> None:
    """Is it the same defect? What the machine said, and what people say of it."""


@app.command()
def report(
    first: Annotated[datetime | None, typer.Option("--from", formats=DAY, help="First day; else of the month")] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=DAY, help="Last day; else today")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values, and nothing else")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else")] = False,
) -> None:
    """Count the machine's verdicts of a period by source and model, and how many of them people contradicted."""
    if as_csv and as_json:
        raise Invalid("Choose one of --csv and --json.")
    with reading() as tx:
        zone = policies.in_force(tx, now()).calendar.tz
        found = read.agreement(tx, _period(first, last, now().astimezone(zone).date()), zone)
    if as_json:
        say(orjson.dumps(found.plain()).decode())
    elif as_csv:
        _write(found)
    else:
        _show(found)


def _period(first: datetime | None, last: datetime | None, today: date) -> Period:
    until = last.date() if last else today
    period = Period(first.date() if first else until.replace(day=1), until)
    if period.last < period.first:
        raise Invalid("The last day is before the first.")
    return period


def _write(found: Agreement) -> None:
    lines = csv.writer(sys.stdout, lineterminator="\n")
    shares = [*found.total.shares]
    lines.writerow(["from", "to", "source", "model", *COUNTS, *(f"{name}_share" for name in shares)])
    for one in found.lines:
        told = ["" if value is None else f"{value:.4f}" for value in one.shares.values()]
        counts = [getattr(one, name) for name in COUNTS]
        lines.writerow([found.first, found.last, one.source, one.model, *counts, *told])


def _show(found: Agreement) -> None:
    rows = [*found.lines, found.total]
    machine = Table("source", "model", title=f"What the machine said, {found.first} to {found.last}")
    for head in ("same", "contradicted", "new", "contradicted", "unsure", "of all"):
        machine.add_column(head, justify="right")
    asked = Table("source", title="What was asked, and how it was answered")
    for head in ("asked", "same", "its first", "different", "cannot tell", "otherwise", "open"):
        asked.add_column(head, justify="right")
    for one in rows:
        machine.add_row(one.source, one.model, *_of_machine(one))
        if one.unsure or one.source == "all":
            asked.add_row(one.source, *_of_questions(one))
    for table in (machine, asked):
        out.print(table)
    for sentence in found.cautions():
        say(f"- {sentence}")


def _of_machine(one: Line) -> list[str]:
    shares = one.shares
    return [
        f"{one.same:,}",
        _of(one.same_against, shares["same_against"]),
        f"{one.new:,}",
        _of(one.new_against, shares["new_against"]),
        f"{one.unsure:,}",
        _percent(shares["asked"]),
    ]


def _of_questions(one: Line) -> list[str]:
    shares = one.shares
    return [
        f"{one.unsure:,}",
        _of(one.said_same, shares["said_same"]),
        _of(one.said_first, shares["said_first"]),
        _of(one.said_different, shares["said_different"]),
        _of(one.cannot_tell, shares["cannot_tell"]),
        f"{one.otherwise:,}",
        f"{one.open:,}",
    ]


def _of(count: int, share: float | None) -> str:
    return f"{count:,}" if share is None else f"{count:,} ({_percent(share)})"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
