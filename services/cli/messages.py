"""`roadmend messages`: what has not left and why, driving it again, and looking at what people would get."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from services.cli.run import now, say, writing
from shared.domain.telling import HEADLINES
from shared.errors import NotFound
from shared.flows import retry_parked
from shared.letters.render import Frame, Letter, render, templates
from shared.settings import settings
from shared.store import messages
from shared.store.engine import reading

app = typer.Typer(no_args_is_help=True, help="Messages to residents.")


@app.command("list")
def list_messages(
    everything: Annotated[bool, typer.Option("--all", help="Due and waiting ones too, not only the parked")] = False,
    most: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most, the oldest first")] = 100,
) -> None:
    """List messages that are parked, with what went wrong; and count the others. Who reads them is not shown."""
    with reading() as tx:
        listed = messages.listed(tx, parked_only=not everything, most=most)
        counted = messages.counts(tx, now())
    for one in listed:
        say(_line(one))
    say(", ".join(f"{number} {what}" for what, number in counted.items()) + ".")


def _line(one: dict[str, Any]) -> str:
    when = (
        f"parked at {one['parked_at']:%Y-%m-%d %H:%M:%S}Z" if one["parked_at"] else f"due at {one['due_at']:%H:%M:%S}Z"
    )
    told = f"{one['id']} {one['template']} by {one['channel']}, made {one['made_at']:%Y-%m-%d %H:%M}Z"
    return f"{told}: {one['tries']} tries, {when}" + (f": {one['error']}" if one["error"] else "")


@app.command()
def retry(message: Annotated[int | None, typer.Option(help="Only this one")] = None) -> None:
    """Make parked messages due again. One that may have left is asked about first, where its provider can tell."""
    with writing("command:messages") as tx:
        again = retry_parked.messages(tx, now(), message_id=message)
    say(f"{again} messages are due again." if again != 1 else "1 message is due again.")


@app.command()
def preview(
    template: Annotated[str | None, typer.Option(help="Only this template")] = None,
    html: Annotated[Path | None, typer.Option(help="Write the HTML of all of them into this file")] = None,
) -> None:
    """Show every message with made-up values: subject, text, and what a text message would say."""
    chosen = [template] if template else templates()
    if not set(chosen) <= set(templates()):
        raise NotFound(f"There is no template {template}. There are: {', '.join(templates())}.")
    letters = {name: _sample(name) for name in chosen}
    for name, letter in letters.items():
        say(f"=== {name}\nSubject: {letter.subject}\n\n{letter.text}\nText message: {letter.sms}\n")
    if html is not None:
        html.write_text("\n<hr>\n".join(letter.html for letter in letters.values()))
        say(f"Wrote {html}.")


def _sample(template: str) -> Letter:
    at = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
    url = settings().public_url
    frame = Frame(url, settings().council_name or "Example County Council", ZoneInfo("Europe/London"), {})
    links = {"link": f"{url}/defects/D-2222-3333", "manage": f"{url}/follow/EXAMPLE"}
    values = {**links, "unsubscribe": f"{url}/follow/EXAMPLE/unsubscribe", **_values(at)}
    if template not in HEADLINES:
        values["earlier"] = []
    return render(template, values, frame, at)


def _values(at: datetime) -> dict[str, Any]:
    """One value for whatever any message may say."""
    due = (at + timedelta(days=8)).replace(hour=23, minute=59, second=59)
    step = {"at": at.isoformat(), "words": HEADLINES["confirmed"]}
    return {
        "reader": "report",
        "report": "R-7K3M-9QXF",
        "defect": "D-2222-3333",
        "other": "D-4444-5555",
        "what": "Pothole",
        "street": "Fishergate",
        "look_by": at + timedelta(days=2),
        "danger": False,
        "due": due,
        "was": at + timedelta(days=3),
        "clock": "permanent",
        "why": "A crew came, and a parked car stood in the way.",
        "words": "We close this road on Monday to mend it.",
        "question": "Which of the two holes by the bus stop do you mean?",
        "target": "Blackpool Council",
        "earlier": [step],
        "follow": "PR1 8XJ and 1 km around it",
        "rhythm": "daily",
        "confirmed": False,
        "also": ["Fishergate"],
        "since": at - timedelta(days=1),
        "until": at,
        "more": 0,
        "items": [{"defect": "D-2222-3333", "what": "Pothole", "street": "Fishergate", "steps": [step]}],
    }
