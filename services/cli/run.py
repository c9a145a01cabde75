"""What commands share: a transaction that nudges afterwards, the time, and how they speak."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from shared import bus
from shared.store.engine import WriteTx, transaction

out = Console(highlight=False, soft_wrap=True)
"""Where answers go."""
err = Console(stderr=True, highlight=False, soft_wrap=True)
"""Where complaints and progress go."""


@contextmanager
def writing(actor: str) -> Iterator[WriteTx]:
    """One transaction for a command, "command:load" for `load`; who was woken is nudged after the commit."""
    with transaction(actor) as tx:
        yield tx
    bus.nudge(tx.woken)


def now() -> datetime:
    """The time, UTC."""
    return datetime.now(UTC)


def say(sentence: str) -> None:
    """Print a line of the answer, as it stands: brackets are not markup."""
    out.print(sentence, markup=False)


def complain(*sentences: str) -> None:
    """Print lines to standard error."""
    for sentence in sentences:
        err.print(sentence, markup=False)


def progress() -> Progress:
    """A bar on standard error; plain and silent where that is not a terminal."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=err,
        disable=not err.is_terminal,
    )
