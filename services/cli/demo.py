"""`roadmend demo`: loads a county that does not exist, and drives it as residents, vehicles and crews would."""

from pathlib import Path

import typer

from infra.demo import account, load
from services.cli.run import now, say, writing
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
