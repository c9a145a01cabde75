"""`roadmend deliveries`: what consumers have still to hear of, what is parked and why, and putting it right."""

from datetime import datetime
from typing import Annotated

import typer

from services.cli.run import now, say, writing
from shared.domain.events import Consumer
from shared.flows import retry_parked
from shared.store import deliveries
from shared.store.engine import reading

app = typer.Typer(no_args_is_help=True, help="Deliveries of events to their consumers.")


@app.command("list")
def list_deliveries(
    everything: Annotated[bool, typer.Option("--all", help="Due and waiting ones too, not only the parked")] = False,
    most: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most, the oldest first")] = 100,
) -> None:
    """List deliveries that are parked, with the error of the last try; and count the others."""
    with reading() as tx:
        listed = deliveries.listed(tx, parked_only=not everything, most=most)
        counted = deliveries.backlog(tx, now())
    for one in listed:
        say(_line(one))
    for one in counted:
        say(
            f"{one['consumer']}: {one['due']} due, {one['waiting']} waiting, {one['parked']} parked,"
            f" the oldest due for {float(str(one['lag_seconds'])):.1f} s"
        )
    if not counted:
        say("Nothing is due and nothing is parked.")


def _line(one: dict[str, object]) -> str:
    """One delivery, with the first line of what went wrong."""
    when = f"parked at {_time(one['parked_at'])}" if one["parked_at"] else f"due at {_time(one['due_at'])}"
    error = str(one["error"] or "").strip().partition("\n")[0]
    told = f"{one['consumer']} event {one['event_id']} ({one['kind']} of {one['subject_id']})"
    return f"{told}: {one['tries']} tries, {when}{': ' if error else ''}{error}"


def _time(value: object) -> str:
    return f"{value:%Y-%m-%d %H:%M:%S}Z" if isinstance(value, datetime) else ""


@app.command()
def retry(
    consumer: Annotated[Consumer | None, typer.Option(help="Only this consumer's")] = None,
    event: Annotated[int | None, typer.Option(help="Only those of this event")] = None,
) -> None:
    """Make parked deliveries due again, with their tries counted anew."""
    with writing("command:deliveries") as tx:
        again = retry_parked.deliveries(tx, now(), consumer=consumer, event_id=event)
    say(f"{again} deliveries are due again." if again != 1 else "1 delivery is due again.")
