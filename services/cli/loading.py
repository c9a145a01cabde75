"""Loads a file so that it may be stopped anywhere: each batch and the note of how far it came are one transaction."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from rich.progress import Progress

from services.cli import run
from services.cli.sources import Row
from shared.flows import load_network
from shared.flows.load_network import Bad, Stretch
from shared.store import loads
from shared.store.engine import WriteTx

Draft = TypeVar("Draft")
HEADING = ("line", "reason")


class BadRow(ValueError):
    """A row that cannot be taken; says why."""


class Source(Protocol):
    """A file of rows."""

    path: Path

    @property
    def total(self) -> int: ...

    def batches(self, skip: int) -> Iterator[list[Row]]: ...


@dataclass(frozen=True, slots=True)
class Load(Generic[Draft]):
    """What to do with a file: `read` makes a draft of a row or raises BadRow; `put` writes drafts, tells bad ones."""

    kind: str
    source: Source
    digest: str
    read: Callable[[Row], Draft]
    put: Callable[[WriteTx, Sequence[Draft]], Iterable[Bad] | None]
    rejects: Path


def load(what: Load[Draft]) -> None:
    """Load what is not loaded yet, with a progress bar, and say how it went."""
    with run.writing("command:load") as tx:
        begun = loads.claim(tx, what.kind, what.digest)
    if begun.finished_at is not None:
        run.say(f"This file was loaded before, on {begun.finished_at:%Y-%m-%d at %H:%M} UTC: nothing to do.")
        return
    if begun.rows_done:
        run.say(f"Going on after row {begun.rows_done:,}.")
    rejects = Rejects(what.rejects, begun.rows_bad)
    begun_at = Stretch(what.kind, what.digest, begun.rows_done, begun.rows_bad)
    with run.progress() as bars:
        stretch = _batches(what, begun_at, rejects, bars)
    with run.writing("command:load") as tx:
        load_network.finish(tx, stretch, run.now())
    run.say(f"{stretch.done - stretch.bad:,} {what.kind} loaded, {stretch.bad:,} refused{rejects.told()}.")


def _batches(what: Load[Draft], stretch: Stretch, rejects: "Rejects", bars: Progress) -> Stretch:
    """Batch after batch; a second command on the same file finds the rows of the first one done, and stops."""
    bar = bars.add_task(f"Loading {what.kind}", total=what.source.total, completed=stretch.done)
    for rows in what.source.batches(stretch.done):
        drafts, bad = _drafts(what, rows)
        with run.writing("command:load") as tx:
            if loads.claim(tx, what.kind, what.digest).rows_done != stretch.done:
                raise load_network.Elsewhere("Another command is loading this very file. Let it finish.")
            bad += what.put(tx, drafts) or ()
            stretch = replace(stretch, done=stretch.done + len(rows), bad=stretch.bad + len(bad))
            load_network.note(tx, stretch)
            rejects.add(bad)
        bars.advance(bar, len(rows))
    return stretch


def _drafts(what: Load[Draft], rows: Sequence[Row]) -> tuple[list[Draft], list[Bad]]:
    drafts: list[Draft] = []
    bad: list[Bad] = []
    for row in rows:
        try:
            drafts.append(what.read(row))
        except BadRow as no:
            bad.append(Bad(row.line, str(no)))
    return drafts, bad


class Rejects:
    """The file of bad rows: line and reason. It is made with the first one; `known` of an earlier start are kept."""

    def __init__(self, path: Path, known: int) -> None:
        self.path = path
        self.count = known
        if path.exists():
            kept = list(csv.reader(path.read_text().splitlines()))[: known + 1] if known else []
            path.unlink()
            self._append(kept)

    def add(self, bad: Sequence[Bad]) -> None:
        """Append, before the rows of the same batch are committed: what is noted as done is listed."""
        if bad and not self.path.exists():
            self._append([HEADING])
        self._append([(one.line, one.reason) for one in sorted(bad, key=lambda one: one.line)])
        self.count += len(bad)

    def told(self) -> str:
        return f": see {self.path}" if self.count else ""

    def _append(self, rows: Sequence[Sequence[object]]) -> None:
        if rows:
            with self.path.open("a", newline="") as file:
                csv.writer(file).writerows(rows)
