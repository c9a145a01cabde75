"""Detections on their way in: staged by COPY, placed on the network and kept, in one statement each for all of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import DateTime, bindparam, insert, select, text, update

from shared.domain.detection import Detection, Fault
from shared.domain.place import Located
from shared.domain.policy_sections import PlaceRules
from shared.domain.terms import BatchId
from shared.store import network, references
from shared.store.engine import ReadTx, WriteTx
from shared.store.staging import stage
from shared.store.tables import GRID, detection_batch, source

_COLUMNS = {
    "n": "int",
    "external_id": "text",
    "survey_pass_id": "text",
    "captured_at": "timestamptz",
    "class_code": "text",
    "confidence": "float8",
    "lat": "float8",
    "lon": "float8",
    "accuracy_m": "float8",
    "heading_deg": "float8",
    "depth_mm": "float8",
    "width_mm": "float8",
    "depth_method": "text",
    "more": "jsonb",
}
_REFUSALS = {"position": "int", "field": "text", "reason": "text"}
_PLACING = {"n": "int", "lat": "float8", "lon": "float8", "accuracy_m": "float8", "geom": f"geometry(POINT, {GRID})"}
_PLACED = network.placed_columns()
_FILL = text(f"INSERT INTO sent_point SELECT n, lat, lon, accuracy_m, {network.ON_GRID} FROM arriving_detection")
_PLACE = text("INSERT INTO placed_detection " + network.LOCATE)
_PUT = text((Path(__file__).parent / "sql" / "place_detections.sql").read_text()).bindparams(
    bindparam("now", type_=DateTime(timezone=True))
)


@dataclass(frozen=True, slots=True)
class Counts:
    """Of the detections of a request: kept, known before, and refused."""

    accepted: int
    repeated: int
    refused: int


def code_of(tx: ReadTx, source_id: int) -> str | None:
    """The code of a source; None when there is none."""
    code: str | None = tx.scalar(select(source.c.code).where(source.c.id == source_id))
    return code


MANY = 1_000
"""From so many detections on, a batch tells the planner what it brought to a young month."""
YOUNG = 4
"""A month's table is young until it held so many times what came; later the server's own autovacuum is soon enough."""


def arrive(tx: WriteTx, detections: Iterable[Detection], source_id: int) -> None:
    """Stage detections whose keys differ, less those that were kept before."""
    stage(tx, "arriving_detection", _COLUMNS, detections)
    known = text(
        "DELETE FROM arriving_detection USING detection_key AS key "
        "WHERE key.source_id = :source_id AND key.external_id = arriving_detection.external_id"
    )
    tx.execute(known, {"source_id": source_id})


def place(tx: WriteTx, rules: PlaceRules) -> None:
    """Put what arrived on the network."""
    tx.execute(text("SET LOCAL work_mem = '64MB'"))
    stage(tx, "sent_point", _PLACING, ())
    stage(tx, "placed_detection", _PLACED, ())
    tx.execute(_FILL, network.place_params(rules))
    tx.execute(text("CREATE INDEX ON sent_point USING gist (geom)"))
    tx.execute(text("ANALYZE sent_point"))
    tx.execute(_PLACE, network.place_params(rules))


def doubtful(tx: WriteTx, rules: PlaceRules) -> dict[int, Located]:
    """What arrived and is not plainly ours, by its position in the request: to be judged one by one."""
    ours = (
        "x IS NOT NULL AND (authority_served OR uncharted AND authority_code IS NULL) "
        "AND coalesce(maintainer, 'council') = 'council' AND accuracy_m <= :most"
    )
    found = text(f"SELECT * FROM placed_detection WHERE ({ours}) IS NOT TRUE")
    return {row.n: network.located(row) for row in tx.execute(found, {"most": float(rules.ask_accuracy_m)})}


def leave_out(tx: WriteTx, positions: Sequence[int]) -> None:
    """Take these out of what arrived."""
    tx.execute(text("DELETE FROM placed_detection WHERE n = ANY(:positions)"), {"positions": list(positions)})


def open_batch(tx: WriteTx, source_id: int, now: datetime) -> tuple[BatchId, str]:
    """A batch without figures yet: its id and its reference."""
    reference = references.fresh("B")
    values = {"source_id": source_id, "received_at": now, "accepted": 0, "repeated": 0, "refused": 0}
    made = insert(detection_batch).values(reference=reference, **values).returning(detection_batch.c.id)
    return BatchId(tx.scalar(made)), reference


def put(tx: WriteTx, batch: BatchId, source_id: int, now: datetime) -> int:
    """Keep what arrived and was not left out. Returns how many; others were kept meanwhile by another request.

    Locks the keys in their order, so that two requests with the same detections wait for one another.
    """
    kept = int(tx.scalar(_PUT, {"batch_id": batch, "source_id": source_id, "now": now, "grid": GRID}))
    month = f"detection_{now:%Y_%m}"
    if kept >= MANY and _rows_known(tx, month) < YOUNG * kept:
        # A new month's table knows nothing of itself, and a batch that followed cost 3.7 ms a detection, not 0.15.
        tx.execute(text(f"ANALYZE (SKIP_LOCKED) {month}"))
    return kept


def _rows_known(tx: ReadTx, table: str) -> float:
    """How many rows the planner believes a table to have; -1 when it was never looked at."""
    rows: float = tx.scalar(text("SELECT reltuples FROM pg_class WHERE oid = to_regclass(:table)"), {"table": table})
    return rows


def close_batch(tx: WriteTx, batch: BatchId, counts: Counts, faults: Sequence[Fault]) -> None:
    """Write a batch's figures, and why each refused one was."""
    tx.execute(
        update(detection_batch)
        .where(detection_batch.c.id == batch)
        .values(accepted=counts.accepted, repeated=counts.repeated, refused=counts.refused)
    )
    if faults:
        stage(tx, "arriving_refusal", _REFUSALS, faults)
        keep = text(
            "INSERT INTO detection_refusal (batch_id, position, field, reason) "
            "SELECT :batch_id, position, field, reason FROM arriving_refusal ON CONFLICT DO NOTHING"
        )
        tx.execute(keep, {"batch_id": batch})
