"""Detections that are due for matching, those that wait near them, and what is written of each when it is settled."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, text, update

from shared.domain.surveys import Detected
from shared.domain.terms import BatchId
from shared.domain.verdicts import Sighting
from shared.store import matching
from shared.store.engine import ReadTx, WriteTx
from shared.store.tables import detection, detection_batch
from shared.store.told import tell

LEAST_ACCURACY_M = 0.1
"""Nothing weighs infinitely much."""

_WAITING = (Path(__file__).parent / "sql" / "match_waiting.sql").read_text()

_NEXT = """
    SELECT id, ST_X(geom) AS x, ST_Y(geom) AS y FROM detection
    WHERE batch_id = %(batch)s AND received_at = %(received_at)s AND id > %(upto)s
    ORDER BY id LIMIT %(most)s
"""
_RECEIVED = """
    SELECT id, class_code, ST_X(geom) AS x, ST_Y(geom) AS y, accuracy_m, captured_at, received_at, street_id,
           street_key, street_side, level, survey_pass_id, confidence, depth_mm, width_mm
    FROM detection
    WHERE batch_id = %(batch)s AND received_at = %(received_at)s AND id BETWEEN %(first)s AND %(last)s
      AND id <> ALL(CAST(%(without)s AS bigint[]))
    ORDER BY id
"""


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch that is locked to be matched, so far it is: up to which id, and what became of those."""

    id: BatchId
    received_at: datetime
    matched_upto: int
    outcome: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Next:
    """A batch's next detections that nothing was made of yet: from the first id to the last, and where they lie."""

    first: int
    last: int
    points: Sequence[tuple[float, float]]

    def of(self, batch: Batch) -> dict[str, Any]:
        """What a statement about them is told."""
        return {**_of(batch), "first": self.first, "last": self.last}


def lock_batches(tx: WriteTx, ids: Sequence[int]) -> list[Batch]:
    """Those of the batches that are not matched yet, in the order of their ids. Locks them."""
    rows = (
        select(*(detection_batch.c[name] for name in Batch.__slots__))
        .where(detection_batch.c.id == func.any(list(ids)), detection_batch.c.matched_at.is_(None))
        .order_by(detection_batch.c.id)
        .with_for_update()
    )
    return [Batch(**row) for row in tx.execute(rows).mappings()]


def next_of(tx: ReadTx, batch: Batch, most: int) -> Next | None:
    """So many at most, in the order in which they came. None: nothing is left."""
    rows = matching.fetch(tx, _NEXT, {**_of(batch), "upto": batch.matched_upto, "most": most})
    return Next(rows[0][0], rows[-1][0], [(x, y) for _, x, y in rows]) if rows else None


def received(
    tx: ReadTx, batch: Batch, due: Next, condition_only: frozenset[str], without: Iterable[int] = ()
) -> list[Detected]:
    """What is known of these, in the order in which they came; `without` some."""
    rows = matching.fetch(tx, _RECEIVED, {**due.of(batch), "without": matching.listed(without)})
    return [_due(row, condition_only) for row in rows]


def waiting_near(
    tx: ReadTx,
    seen: Sequence[Sighting],
    alike: Mapping[str, frozenset[str]],
    reach: float,
    since: datetime,
    until: datetime,
) -> list[Detected]:
    """Detections received in that time that wait for another pass within `reach` of one of the positions."""
    asking = matching.boxes(seen).asked(alike) | {"reach": reach, "since": since, "until": until}
    return [_due(row, frozenset()) for row in dict.fromkeys(matching.fetch(tx, _WAITING, asking))]


def _due(row: tuple[Any, ...], condition_only: frozenset[str]) -> Detected:
    number, class_code, x, y, accuracy, seen_at, known_at, street_id, *street, confidence, depth, width = row
    street_key, side, level, survey_pass = street
    sighting = Sighting(
        class_code,
        x,
        y,
        accuracy if accuracy > LEAST_ACCURACY_M else LEAST_ACCURACY_M,
        seen_at,
        known_at,
        street_key,
        side,
        level,
        None,
        True,
        survey_pass,
    )
    return Detected(number, sighting, street_id, False, depth, width, confidence, class_code in condition_only)


_SETTLED = {"id": "bigint", "verdict": "text", "received_at": "timestamptz"}

OF_BATCH = """detection.batch_id = :batch AND detection.received_at = :received_at
        AND detection.id BETWEEN :first AND :last"""
"""In SQL: detections of one batch, which lie side by side in one partition. Bind `those` with it."""
RECEIVED_AT = "detection.received_at = told.received_at"
"""In SQL: detections of any batch, each with its own time of arrival, by which its partition is found."""


def settle(tx: WriteTx, batch: Batch, verdicts: Iterable[tuple[int, str]]) -> None:
    """Write what became of a batch's detections that no sighting tells of."""
    rows = [(*one, batch.received_at) for one in verdicts]
    if rows:
        _settle(tx, rows, OF_BATCH, those(batch, [row[0] for row in rows]))


def settle_waiting(tx: WriteTx, verdicts: Iterable[tuple[int, str, datetime]]) -> None:
    """Write what became of detections that had waited; the last of each is when it was received."""
    _settle(tx, list(verdicts), RECEIVED_AT, {})


def _settle(tx: WriteTx, rows: Sequence[tuple[int, str, datetime]], where: str, params: Mapping[str, Any]) -> None:
    if rows:
        told = tell(_SETTLED, rows)
        statement = f"UPDATE detection SET verdict = told.verdict FROM {told.relation} WHERE detection.id = told.id"
        tx.execute(text(f"{statement} AND {where}"), {**params, **told.params})


def let_go(tx: WriteTx, before: datetime) -> None:
    """Detections received before this time wait no longer: they are kept."""
    late = update(detection).where(detection.c.verdict == "waiting", detection.c.received_at < before)
    tx.execute(late.values(verdict="kept"))


def those(batch: Batch, ids: Sequence[int]) -> dict[str, Any]:
    """Detections of a batch from the least of these ids to the greatest."""
    return {**_of(batch), "first": min(ids), "last": max(ids)}


def _of(batch: Batch) -> dict[str, Any]:
    return {"batch": batch.id, "received_at": batch.received_at}


def go_on_after(tx: WriteTx, batch: Batch, last: int, outcome: Mapping[str, int]) -> None:
    """The batch is matched up to this detection: how many of each verdict so far."""
    _write(tx, batch, {"matched_upto": last, "outcome": dict(outcome)})


def finish(tx: WriteTx, batch: Batch, outcome: Mapping[str, int], now: datetime) -> None:
    """The batch is matched: how many of each verdict."""
    _write(tx, batch, {"matched_at": now, "outcome": dict(outcome)})


def _write(tx: WriteTx, batch: Batch, values: Mapping[str, Any]) -> None:
    tx.execute(update(detection_batch).where(detection_batch.c.id == batch.id).values(**values))
