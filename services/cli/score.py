"""`roadmend score dedupe`: holds the matching against cities' own marks of duplicates, beside the plainest rule."""

import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import orjson
import psycopg
import typer
from psycopg import sql
from rich.progress import TaskID
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
    singly: Annotated[bool, typer.Option(help="One request at a time: slow, and the same figures.")] = False,
) -> None:
    """Replay cities' requests through intake and triage, and score what was joined by the protocol of the data.

    Each city gets a scratch database on its own UTM grid, on the server of ROADMEND_DATABASE_URL; it is dropped again.
    """
    cities = sorted(file.name.removesuffix("_events.csv.gz") for file in folder.glob("*_events.csv.gz"))
    if not cities:
        raise Invalid(f"There is no CITY_events.csv.gz in {folder}.")
    runs = [Run(city, setting) for city in cities for setting in FLOOR_M]
    outcomes = _replay_all(folder, policy, runs, singly=singly)
    found = {one: _scored(folder, one, outcomes[one]) for one in runs}
    if as_json:
        run.say(orjson.dumps([_plain(one, *found[one]) for one in runs]).decode())
        return
    for one in runs:
        for line in _table(one, *found[one], every=every):
            run.say(line)


def _replay_all(folder: Path, policy: Path, runs: Sequence[Run], *, singly: bool) -> dict[Run, dict[str, Joined]]:
    """As many at once as there are processors."""
    with run.progress() as bar, ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        tasks = [bar.add_task(f"{one.city}, {one.setting}", total=_requests(folder, one.city)) for one in runs]

        def one_run(one: Run, task: TaskID) -> dict[str, Joined]:
            return replay(folder, policy, one, singly=singly, heard=lambda count: bar.advance(task, count))

        return dict(zip(runs, pool.map(one_run, runs, tasks), strict=True))


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


def replay(
    folder: Path, policy: Path, one: Run, *, singly: bool = False, heard: Callable[[int], None] = lambda _: None
) -> dict[str, Joined]:
    """Replay one city in a process of its own: its grid is fixed when the process starts.

    Raises:
        ReplayFailed: with the last line that the process complained in.
    """
    events = folder / f"{one.city}_events.csv.gz"
    cut = "singly" if singly else "waves"
    command = [sys.executable, "-m", "services.cli.score_city", str(events.resolve()), str(policy.resolve())]
    with _scratch() as url:
        environment = {
            **os.environ,
            "ROADMEND_DATABASE_URL": url.render_as_string(hide_password=False),
            "ROADMEND_GRID_EPSG": str(_utm(events)),
        }
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        asked = [*command, one.setting, cut]
        with subprocess.Popen(asked, cwd=ROOT, env=environment, **pipes) as process:  # noqa: S603
            said = ""
            for said in process.stdout or ():
                if said.strip().isdigit():
                    heard(int(said))
            complaint = process.stderr.read().strip() if process.stderr else ""
        if process.returncode != 0:
            raise ReplayFailed(f"{one.city}: {complaint.splitlines()[-1] if complaint else 'it ended without a word'}")
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

_COLUMNS = {
    "recall": "recall",
    "original": "right_original",
    "repaired": "false_repaired",
    "far": "false_far",
    "neighbours": "neighbours",
    "precision": "precision",
    "F1": "f1",
}


def _table(one: Run, radius: float, ours: list[Figures], floor: list[Figures], *, every: bool) -> Iterator[str]:
    """Two lines a category: ours, and the plain circle's."""
    yield f"{one.city.capitalize()}, {one.setting} (second line: the plain circle of {radius:g} m)"
    yield f"  {'category':<28}{'scored':>7}{'marked':>7}" + "".join(f"{head:>11}" for head in _COLUMNS)
    for mine, plain in zip(ours, floor, strict=True):
        if every or max(mine.positives, mine.originals) >= SHOWN_POSITIVES:
            yield f"  {mine.category:<28}{mine.scored:>7}{mine.positives:>7}" + _cells(mine)
            yield " " * 44 + _cells(plain)
    yield ""


def _cells(of: Figures) -> str:
    return "".join(f"{_cell(getattr(of, name), name):>11}" for name in _COLUMNS.values())


def _cell(share: float | None, name: str) -> str:
    if share is None:
        return "-"
    return f"{share:.2%}" if name.startswith("false") else f"{share:.3f}"
