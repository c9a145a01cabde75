"""Files on their way in: how far each has come, and the streets, areas and postcodes that they hold."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from shared.store.engine import ReadTx, WriteTx
from shared.store.staging import stage
from shared.store.tables import GRID, area, load_progress, map_shape

_SQL = Path(__file__).parent / "sql"
_PUT_STREETS, _PUT_STREET_NAMES, _KEY_STREETS, _PUT_AREAS, _PUT_POSTCODES = (
    text((_SQL / f"{name}.sql").read_text())
    for name in ("put_streets", "put_street_names", "key_streets", "put_areas", "put_postcodes")
)
_STAMP_MAP, _DRAW_STREETS, _DRAW_AREAS = (
    text((_SQL / f"{name}.sql").read_text().replace("::", r"\:\:"))
    for name in ("stamp_map", "draw_streets", "draw_areas")
)
ONE_STREET_M = 200.0
"""Pieces of one name that are no further apart are one street."""

# --- how far a file has come -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Progress:
    """Rows of the file that are dealt with, the bad ones among them, and when it was done."""

    rows_done: int
    rows_bad: int
    finished_at: datetime | None


def progress(tx: ReadTx, kind: str, digest: str) -> Progress:
    """How far this very file, loaded this very way, has come."""
    row = tx.execute(
        select(load_progress.c.rows_done, load_progress.c.rows_bad, load_progress.c.finished_at).where(
            load_progress.c.kind == kind, load_progress.c.file_sha256 == digest
        )
    ).one_or_none()
    return Progress(0, 0, None) if row is None else Progress(**row._mapping)


def advance(tx: WriteTx, kind: str, digest: str, done: int, bad: int, finished_at: datetime | None = None) -> None:
    """Note how far the file has come, in the transaction that wrote its rows. Locks the file's line."""
    values = {"rows_done": done, "rows_bad": bad, "finished_at": finished_at}
    note = upsert(load_progress).values(kind=kind, file_sha256=digest, **values)
    tx.execute(note.on_conflict_do_update(index_elements=["kind", "file_sha256"], set_=values))


def claim(tx: WriteTx, kind: str, digest: str) -> Progress:
    """The same, held to the end of the transaction: two commands never load one file at once."""
    tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"load {kind} {digest}", 0))))
    return progress(tx, kind, digest)


# --- what files hold -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StreetRow:
    """A piece of street. `line` is its place in the file, `wkb` a line in the file's own coordinates."""

    line: int
    network_id: str
    usrn: int | None
    name: str
    road_class: str
    hierarchy: str
    maintainer: str
    level: int
    rural: bool
    wkb: bytes


@dataclass(frozen=True, slots=True)
class AreaRow:
    """An area: `kind` is authority, district, division or ward; `served` only where the authority is ours."""

    line: int
    code: str
    name: str
    kind: str
    served: bool
    contact: str | None
    parent_code: str | None
    wkb: bytes


@dataclass(frozen=True, slots=True)
class PostcodeRow:
    """A postcode without spaces; `quality` 10 is best."""

    line: int
    postcode: str
    quality: int
    x: float
    y: float


_STREET = {
    "line": "int",
    "network_id": "text",
    "usrn": "bigint",
    "name": "text",
    "class": "text",
    "hierarchy": "text",
    "maintainer": "text",
    "level": "smallint",
    "rural": "boolean",
    "wkb": "bytea",
}
_AREA = {
    "line": "int",
    "code": "text",
    "name": "text",
    "kind": "text",
    "served": "boolean",
    "contact": "text",
    "parent_code": "text",
    "wkb": "bytea",
}
_POSTCODE = {"line": "int", "postcode": "text", "quality": "smallint", "x": "float8", "y": "float8"}


def put_streets(tx: WriteTx, rows: Sequence[StreetRow], srid: int) -> None:
    """Add streets or draw them anew, by their network id. `srid` is the EPSG code of the file's coordinates."""
    stage(tx, "arriving_street", _STREET, _tuples(rows))
    tx.execute(_PUT_STREETS, {"srid": srid, "grid": GRID})
    tx.execute(_PUT_STREET_NAMES)


def key_streets(tx: WriteTx) -> None:
    """Say which pieces are one street. Locks the streets that get a key."""
    tx.execute(_KEY_STREETS, {"gap_m": ONE_STREET_M})
    tx.execute(text("ANALYZE street"))


def draw_map(tx: WriteTx) -> None:
    """Draw the map's streets and areas anew. Locks the drawing: two never draw at once."""
    tx.execute(_STAMP_MAP)
    tx.execute(delete(map_shape))
    tx.execute(_DRAW_STREETS)
    tx.execute(_DRAW_AREAS)
    tx.execute(text("ANALYZE map_shape"))


def put_areas(tx: WriteTx, rows: Sequence[AreaRow], srid: int) -> None:
    """Add areas or draw them anew, by their code."""
    stage(tx, "arriving_area", _AREA, _tuples(rows))
    tx.execute(_PUT_AREAS, {"srid": srid, "grid": GRID})
    tx.execute(text("ANALYZE area_piece"))


def put_postcodes(tx: WriteTx, rows: Sequence[PostcodeRow], srid: int) -> None:
    """Add postcodes or move them."""
    stage(tx, "arriving_postcode", _POSTCODE, _tuples(rows))
    tx.execute(_PUT_POSTCODES, {"srid": srid, "grid": GRID})


def serve(tx: WriteTx, codes: Sequence[str]) -> None:
    """Mark these authorities as ours; others stay as they are. Locks them."""
    tx.execute(update(area).where(area.c.code.in_(codes), area.c.kind == "authority").values(served=True))


def any_served(tx: ReadTx) -> bool:
    """Is there an area that is ours?"""
    return bool(tx.scalar(select(area.c.id).where(area.c.served).limit(1)))


def _tuples(rows: Sequence[Any]) -> Iterable[tuple[Any, ...]]:
    """Each row's fields in their order."""
    names = [field.name for field in fields(rows[0])] if rows else []
    return (tuple(getattr(row, name) for name in names) for row in rows)
