"""`roadmend policy`: check a policy file, show what it says, ask when something is due, adopt it."""

import json
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from services.cli.run import now, out, say, writing
from shared import calendars
from shared.domain.clocks import clocks_for
from shared.domain.deadlines import Clock, Due, NotATime, WorkingCalendar, at_local, due
from shared.domain.policy import Policy, PolicyError, parse
from shared.domain.terms import Band
from shared.errors import Invalid
from shared.flows.adopt_policy import adopt as adopt_version
from shared.settings import settings

app = typer.Typer(no_args_is_help=True, help="Check, show, ask and adopt policies.")

PolicyFile = Annotated[
    Path | None,
    typer.Option("--policy", exists=True, dir_okay=False, help="The policy file; default: the deployment's"),
]


@app.command()
def clock(
    start: Annotated[str, typer.Option(help="When it starts: 2026-12-23T15:00, with or without an offset")],
    length: Annotated[str | None, typer.Option("--clock", help="How long: 4h, 5wd, 28d or 6m")] = None,
    band: Annotated[str | None, typer.Option(help="Or a band of the policy, such as P5")] = None,
    policy: PolicyFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="For a program")] = False,
) -> None:
    """Say when a clock, or each clock of a band, runs out, and why."""
    if (length is None) == (band is None):
        raise Invalid("Give either --clock or --band.")
    rules = _read(policy)
    calendar = calendars.load(rules.calendar)
    begun = _moment(start, rules.calendar.timezone)
    if length is not None:
        found = {"due": due(begun, Clock.parse(length), calendar)}
    else:
        found = _of_band(str(band), rules, begun, calendar)
    (_print_json if as_json else _print)(found, calendar)


def _of_band(name: str, rules: Policy, begun: datetime, calendar: WorkingCalendar) -> dict[str, Due]:
    if name not in Band.__members__:
        raise Invalid(f"{name!r} is no band; the bands are {', '.join(Band)}.")
    clocks = clocks_for(Band[name], rules, begun, calendar)
    running = {
        "make safe": clocks.make_safe,
        "permanent": clocks.permanent,
        "recheck": clocks.recheck,
        "chase": clocks.chase,
    }
    return {kind: end for kind, end in running.items() if end is not None}


def _moment(text: str, zone: str) -> datetime:
    """A moment from ISO text; without an offset it is what the local clock shows."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise NotATime(f"{text!r} is not a time; write for example 2026-12-23T15:00.") from None
    return moment if moment.tzinfo else at_local(moment, zone)


def _print(found: dict[str, Due], calendar: WorkingCalendar) -> None:
    for kind, end in found.items():
        local = end.at.astimezone(calendar.tz).isoformat()
        say(local if kind == "due" else f"{kind}: {local}")
        for sentence in end.why:
            say(f"  {sentence}")


def _print_json(found: dict[str, Due], calendar: WorkingCalendar) -> None:
    answer = {
        kind.replace(" ", "_"): {"at": end.at.astimezone(calendar.tz).isoformat(), "why": end.why}
        for kind, end in found.items()
    }
    say(json.dumps(answer))


@app.command()
def check(file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)]) -> None:
    """Say whether a policy file is valid; an error names file, line and key."""
    rules = _read(file)
    calendar = calendars.load(rules.calendar)
    say(
        f"{file} is valid: {rules.meta.name}, {len(rules.classes)} classes, {len(rules.floors)} floors, "
        f"{len(rules.lots)} lots; bank holidays known from {calendar.first_year} to {calendar.last_year}."
    )
    for lot in rules.lots:
        if lot.to is not None and lot.to < date.today():  # noqa: DTZ011 - lots run by local days
            say(f"The lot {lot.code} ended on {lot.to}.")


@app.command()
def show(policy: PolicyFile = None) -> None:
    """Show the bands, the matrix and the lots of a policy."""
    rules = _read(policy)
    say(f"{rules.meta.name} ({rules.meta.authority}), in force from {rules.meta.effective_from.isoformat()}")
    say(f"Approved by: {rules.meta.approver}")
    say(f"SHA-256: {rules.sha256}")
    out.print(_bands(rules))
    out.print(_matrix(rules))
    for line in _lots(rules):
        say(line)


def _bands(rules: Policy) -> Table:
    table = Table("band", "title", "make safe", "permanent", "verify", "recheck", "warranty, months")
    for band, rule in rules.bands.items():
        clocks = (rule.make_safe, rule.permanent, rule.verify, rule.recheck)
        table.add_row(band.value, rule.title, *(str(one or "") for one in clocks), str(rule.warranty_months))
    return table


def _matrix(rules: Policy) -> Table:
    table = Table("impact", "likelihood 1", "2", "3", "4")
    for impact in (1, 2, 3, 4):
        table.add_row(str(impact), *(rules.matrix.band(impact, likelihood).value for likelihood in (1, 2, 3, 4)))
    return table


def _lots(rules: Policy) -> Iterator[str]:
    for lot in rules.lots:
        where = {"areas": lot.areas, "groups": lot.groups, "classes": lot.classes, "bands": lot.bands}
        limits = "; ".join(f"{kind} {', '.join(names)}" for kind, names in where.items() if "*" not in names)
        until = f" to {lot.to}" if lot.to else ""
        name = rules.contractors[lot.contractor].name
        yield f"Lot {lot.code}: {name}, from {lot.from_}{until}: {limits or 'everything, everywhere'}."


@app.command()
def adopt(file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)]) -> None:
    """Adopt a policy file: it decides from its effective date; what was decided stays under the old one."""
    with writing("command:policy") as tx:
        adopted = adopt_version(tx, _text(file), file.name, now())
    meta = adopted.policy.meta
    if adopted.id is None:
        say(f"This very text of {meta.name} was adopted before; nothing is changed.")
    else:
        say(f"{meta.name} is adopted as version {adopted.id}, in force from {meta.effective_from.isoformat()}.")


def _read(file: Path | None) -> Policy:
    chosen = file or settings().policy_file
    return parse(_text(chosen), chosen.name)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as wrong:
        line = file.read_bytes()[: wrong.start].count(b"\n") + 1
        raise PolicyError(file.name, line, "", "is not UTF-8 text.") from None
    except OSError as wrong:
        raise Invalid(f"{file} cannot be read: {wrong.strerror}.") from None
