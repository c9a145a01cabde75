"""`roadmend score dedupe`: holds the matching against cities' own marks of duplicates, beside the plainest rule."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import orjson
import psycopg
import typer
from psycopg import sql
from rich.progress import Progress, TaskID
from rich.table import Table
from sqlalchemy import URL, make_url

from services.cli import run
from services.cli.score_figures import (
    FLOOR_M,
    FLOOR_OF_CITY_M,
    Figures,
    Joined,
    figures,
    plain_circle,
    rows,
)
from shared.errors import Invalid, Refusal
from shared.settings import ROOT, settings

app = typer.Typer(no_args_is_help=True, help="Hold decisions against known answers.")

CITIES = ROOT / "shared" / "policy" / "cities.toml"
SHOWN_POSITIVES = 20
"""Categories with fewer positives or known originals are counted, not shown, unless all are asked for."""


class ReplayFailed(Refusal):
    """A city could not be replayed."""

    code = "replay-failed"
    title = "The replay failed"


@dataclass(frozen=True, slots=True)
class Run:
    """One city in one setting."""

    city: str
    setting: str


@app.callback()
def score() -> None:
    """Hold decisions against known answers."""


@app.command()
def dedupe(
    folder: Annotated[Path, typer.Argument(help="Holds CITY_events.csv.gz and CITY_labels.csv.gz, of any city.")],
    policy: Annotated[Path, typer.Option(help="The policy whose [dedupe] section decides.")] = CITIES,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON, and nothing else.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Show categories with few marks, too.")] = False,
) -> None:
    """Replay cities' requests through intake and triage, and score what was joined by the protocol of the data.

    Each city gets a scratch database on its own UTM grid, on the server of ROADMEND_DATABASE_URL; it is dropped again.
    """
    cities = sorted(file.name.removesuffix("_events.csv.gz") for file in folder.glob("*_events.csv.gz"))
    if not cities:
        raise Invalid(f"There is no CITY_events.csv.gz in {folder}.")
    runs = [Run(city, setting) for city in cities for setting in FLOOR_M]
    with run.progress() as bar, ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        tasks = {one: bar.add_task(f"{one.city}, {one.setting}", total=_requests(folder, one.city)) for one in runs}
        outcomes = dict(
            zip(runs, pool.map(lambda one: _replay(folder, policy, one, bar, tasks[one]), runs), strict=True)
        )
    found = {one: _scored(folder, one, outcomes[one]) for one in runs}
    if as_json:
        run.say(orjson.dumps([_plain(one, *found[one]) for one in runs]).decode())
        return
    for one in runs:
        run.out.print(_table(one, *found[one], every=every))


def _requests(folder: Path, city: str) -> int:
    return sum(row["event"] == "report" for row in rows(folder / f"{city}_events.csv.gz"))


def _scored(folder: Path, one: Run, outcome: Mapping[str, Joined]) -> tuple[float, list[Figures], list[Figures]]:
    """The floor's radius, our figures, and the floor's."""
    events = list(rows(folder / f"{one.city}_events.csv.gz"))
    labels = list(rows(folder / f"{one.city}_labels.csv.gz"))
    category = {row["request_id"]: row["category"] for row in events if row["event"] == "report"}
    radius = FLOOR_OF_CITY_M.get(one.city, FLOOR_M)[one.setting]
    floor = plain_circle(events, radius)
    return radius, figures(one.city, outcome, category, labels), figures(one.city, floor, category, labels)


def _plain(one: Run, radius: float, ours: list[Figures], floor: list[Figures]) -> dict[str, Any]:
    return {
        "city": one.city,
        "setting": one.setting,
        "figures": [each.plain() for each in ours],
        "floor": {"radius_m": radius, "figures": [each.plain() for each in floor]},
    }


# --- one replay ------------------------------------------------------------------------------------------------------


def _replay(folder: Path, policy: Path, one: Run, bar: Progress, task: TaskID) -> dict[str, Joined]:
    """Replay one city in a process of its own: its grid is fixed when the process starts.

    Raises:
        ReplayFailed: with the last line that the process complained in.
    """
    events = folder / f"{one.city}_events.csv.gz"
    command = [sys.executable, "-m", "services.cli.score_city", str(events), str(policy), one.setting]
    with _scratch() as url:
        environment = {
            **os.environ,
            "ROADMEND_DATABASE_URL": url.render_as_string(hide_password=False),
            "ROADMEND_GRID_EPSG": str(_utm(events)),
        }
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        with subprocess.Popen(command, cwd=ROOT, env=environment, **pipes) as process:  # noqa: S603
            said = ""
            for said in process.stdout or ():
                if said.strip().isdigit():
                    bar.advance(task, int(said))
            complaint = process.stderr.read() if process.stderr else ""
        if process.returncode != 0:
            raise ReplayFailed(f"{one.city}: {complaint.strip().splitlines()[-1] if complaint.strip() else 'no word'}")
    return {request: Joined(defect, joined) for request, (defect, joined) in orjson.loads(said).items()}


def _utm(events: Path) -> int:
    """The EPSG code of the UTM zone in which the middle of a city lies."""
    places = [(float(row["lat"]), float(row["lon"])) for row in rows(events) if row["lat"]]
    lat, lon = (sum(each) / len(places) for each in zip(*places, strict=True))
    return (32600 if lat >= 0 else 32700) + int((lon + 180) // 6) + 1


@contextmanager
def _scratch() -> Iterator[URL]:
    """A new database on the configured server; it is dropped whatever happens."""
    server = make_url(settings().database_url)
    url = server.set(database=f"score_{os.getpid()}_{secrets.token_hex(4)}")
    _administer(server, "CREATE DATABASE {} TEMPLATE template0", url)
    try:
        _administer(server, "ALTER DATABASE {} SET synchronous_commit = off", url)
        yield url
    finally:
        _administer(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", url)


def _administer(server: URL, statement: str, scratch: URL) -> None:
    address = server.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(str(scratch.database))))


# --- the table -------------------------------------------------------------------------------------------------------

_COLUMNS = (
    ("recall", "recall"),
    ("original", "right_original"),
    ("repaired", "false_repaired"),
    ("far", "false_far"),
    ("neighbours", "neighbours"),
    ("precision", "precision"),
    ("F1", "f1"),
)


def _table(one: Run, radius: float, ours: list[Figures], floor: list[Figures], *, every: bool) -> Table:
    title = f"{one.city.capitalize()}, {one.setting} (below each: the plain circle of {radius:g} m)"
    table = Table("category", "scored", "marked", *(head for head, _ in _COLUMNS), title=title, title_justify="left")
    for mine, plain in zip(ours, floor, strict=True):
        if every or max(mine.positives, mine.originals) >= SHOWN_POSITIVES:
            cells = (_cell(mine, name) for _, name in _COLUMNS)
            table.add_row(mine.category, f"{mine.scored}", f"{mine.positives}", *cells)
            table.add_row("", "", "", *(_cell(plain, name) for _, name in _COLUMNS), style="dim")
    return table


def _cell(of: Figures, name: str) -> str:
    share: float | None = getattr(of, name)
    if share is None:
        return ""
    return f"{share:.1%}" if name.startswith("false") else f"{share:.3f}"
