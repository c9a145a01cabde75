"""`roadmend demo`: loads a county that does not exist, and drives it as residents, vehicles and crews would."""

import logging
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from infra.demo import account, load
from infra.demo.drive import Drive, Plan
from services.cli.run import complain, now, say, writing
from shared.errors import NotFound
from shared.settings import settings

app = typer.Typer(no_args_is_help=True, help="A county that does not exist: load it, drive it.")


def _kept() -> Path:
    """Beside the photos: the private folder of this deployment."""
    return settings().photo_dir.parent / "demo.json"


@app.command("load")
def load_county() -> None:
    """Load the made-up county if the database is empty, and print its sign-ins."""
    with writing("command:demo") as tx:
        if load.is_empty(tx):
            # Kept before the commit: what is in the database can always be signed in to.
            account.write(load.fill(tx, now()), _kept())
            loaded = True
        else:
            loaded = load.is_loaded(tx)
    known = account.read(_kept()) if loaded else None
    if known is not None:
        for line in known.lines():
            say(line)
    elif loaded:
        say(f"The demo county was loaded before; its sign-ins were printed then, and are not in {_kept()}.")
    else:
        say("The database is in use: the demo county was not loaded into it.")


@app.command()
def drive(
    minutes: Annotated[float, typer.Option(min=0.05, max=10_000, help="How long new things happen")] = 3.0,
    seed: Annotated[int, typer.Option(help="The same seed: the same holes, people and dice")] = 1,
    speed: Annotated[float, typer.Option(min=0.1, max=100, help="How much quicker than usual everybody is")] = 1.0,
    rate: Annotated[
        float | None, typer.Option(min=0.01, max=1000, help="Reports a second, instead of 2 x speed")
    ] = None,
    url: Annotated[str | None, typer.Option(help="Where the API is; else where the settings say")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the summary to this file")] = None,
) -> None:
    """Drive the made-up county over HTTP and hold what comes of it against the truth. Exit 1: a promise was broken."""
    known = account.read(_kept())
    if known is None:
        raise NotFound(f"There are no demo sign-ins in {_kept()}: load the county first, with roadmend demo load.")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    plan = Plan(minutes * 60, seed, speed, rate, residents=_threads(rate or 2 * speed))
    summary = Drive(url or settings().public_url, known, plan).run(complain)
    if json_file is not None:
        json_file.write_bytes(orjson.dumps(summary, option=orjson.OPT_INDENT_2))
    _tell(summary)
    if summary["broken promises"]:
        raise typer.Exit(1)


def _threads(reports_a_second: float) -> int:
    """Enough residents at once that none of them is the bottleneck."""
    return max(2, min(64, round(reports_a_second)))


def _tell(summary: dict[str, Any]) -> None:
    for part, told in summary.items():
        if isinstance(told, dict):
            said = ", ".join(f"{name} {value}" for name, value in told.items())
            say(f"{part}: {said}")
    for sentence in summary["broken promises"]:
        say(f"BROKEN: {sentence}")
    say("No promise was broken." if not summary["broken promises"] else "Promises were broken.")
