"""Takes in streets, areas and postcodes, a batch in the caller's transaction, and notes how far the file has come."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.errors import Conflict, Invalid
from shared.store import loads
from shared.store.engine import WriteTx
from shared.store.loads import AreaRow, PostcodeRow, StreetRow

__all__ = ["AreaRow", "Bad", "Elsewhere", "PostcodeRow", "StreetRow", "Stretch", "areas", "finish", "note"]
__all__ += ["postcodes", "streets"]


class Elsewhere(Conflict):
    """The same file is being loaded by another command."""

    code = "loading-elsewhere"
    title = "Loading elsewhere"


@dataclass(frozen=True, slots=True)
class Bad:
    """A row that was not taken, by its line in the file, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """How far a file is done: which file, loaded how (`digest`); its rows so far, and the bad ones among them."""

    kind: str
    digest: str
    done: int
    bad: int


def streets(tx: WriteTx, rows: Sequence[StreetRow], srid: int) -> None:
    """Add streets, or draw them anew."""
    loads.put_streets(tx, rows, srid)


def areas(tx: WriteTx, rows: Sequence[AreaRow], srid: int) -> None:
    """Add areas, or draw them anew."""
    loads.put_areas(tx, rows, srid)


def postcodes(tx: WriteTx, rows: Sequence[PostcodeRow], srid: int) -> None:
    """Add postcodes, or move them."""
    loads.put_postcodes(tx, rows, srid)


def note(tx: WriteTx, stretch: Stretch) -> None:
    """The file has come so far."""
    loads.advance(tx, stretch.kind, stretch.digest, stretch.done, stretch.bad)


def finish(tx: WriteTx, stretch: Stretch, now: datetime) -> None:
    """The file is done: its streets get their keys, and the map is drawn anew.

    Raises:
        Invalid: areas were loaded, and none is ours.
    """
    if stretch.kind == "streets":
        loads.key_streets(tx)
    if stretch.kind == "areas" and not loads.any_served(tx):
        raise Invalid(
            "None of the areas is ours, so that every report would be sent elsewhere. Say which is: --served CODE"
        )
    if stretch.kind in ("streets", "areas"):
        loads.draw_map(tx)
    loads.advance(tx, stretch.kind, stretch.digest, stretch.done, stretch.bad, now)
