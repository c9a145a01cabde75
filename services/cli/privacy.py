"""`roadmend privacy`: forget what the policy's time has run out for, and whoever asks to be forgotten."""

from collections.abc import Mapping
from typing import Annotated

import typer

from services.cli.run import now, say, writing
from shared.flows import forget_personal

app = typer.Typer(no_args_is_help=True, help="Personal data, forgotten.")

_WORDS = {
    "contacts": "contact details deleted",
    "follows": "follows emptied",
    "drafts": "drafts deleted",
    "messages": "messages emptied",
    "detections": "raw detections deleted",
    "words_emptied": "reports whose words were emptied",
    "words_screened": "open reports that keep their words without personal data",
    "words_kept_as_evidence": "reports under claim whose words are kept for staff only",
    "photos_withheld": "photos hidden from the public",
}


@app.command()
def sweep() -> None:
    """Forget what the policy's time has run out for; the workers do so too. Says how many of each."""
    total: dict[str, int] = {}
    while True:
        with writing("command:privacy") as tx:
            counts = forget_personal.sweep(tx, now())
        for name, count in counts.items():
            total[name] = total.get(name, 0) + count
        if not any(counts.values()):
            break
    _tell(total)


@app.command()
def erase(
    email: Annotated[str | None, typer.Option(help="The person's e-mail address")] = None,
    phone: Annotated[str | None, typer.Option(help="Or the person's telephone number")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether it is meant")] = False,
) -> None:
    """Forget a person for good: contact details, follows, and what their reports say in words."""
    if not yes:
        typer.confirm("This cannot be undone. Forget this person?", abort=True)
    with writing("command:privacy") as tx:
        counts = forget_personal.erase(tx, now(), email=email, phone=phone)
    _tell(counts)


def _tell(counts: Mapping[str, int]) -> None:
    for name, count in counts.items():
        say(f"{count:>8} {_WORDS[name]}")
    if not counts:
        say("No policy is in force: nothing can be reckoned.")
