"""Detections that are due for matching, those that wait near them, and what is written of each when it is settled."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, text, update

from shared.domain.surveys import Detected
from shared.domain.terms import BatchId
from shared.domain.verdicts import Sighting
from shared.store import matching
from shared.store.engine import ReadTx, WriteTx
from shared.store.tables import detection_batch
from shared.store.told import tell

DAY = timedelta(days=1)
"""Partitions are by month of arrival: which ones a batch is in."""

LEAST_ACCURACY_M = 0.1
"""Nothing weighs infinitely much."""

_WAITING = (Path(__file__).parent / "sql" / "match_waiting.sql").read_text()

_RECEIVED = """
    SELECT id, class_code, ST_X(geom) AS x, ST_Y(geom) AS y, accuracy_m, captured_at, received_at, street_id,
           street_key, street_side, level, survey_pass_id, confidence, depth_mm, width_mm
    FROM detection
    WHERE batch_id = %(batch)s AND verdict = 'received' AND received_at BETWEEN %(earliest)s AND %(latest)s
    ORDER BY id
"""

_PLACES = """
    SELECT DISTINCT ST_X(geom) AS x, ST_Y(geom) AS y
    FROM detection
    WHERE batch_id = %(batch)s AND verdict = 'received' AND received_at BETWEEN %(earliest)s AND %(latest)s
"""


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch that is locked to be matched."""

    id: BatchId
    received_at: datetime


def lock_batches(tx: WriteTx, ids: Sequence[int]) -> list[Batch]:
    """Those of the batches that are not matched yet, in the order of their ids. Locks them."""
    rows = (
        select(detection_batch.c.id, detection_batch.c.received_at)
        .where(detection_batch.c.id == func.any(list(ids)), detection_batch.c.matched_at.is_(None))
        .order_by(detection_batch.c.id)
        .with_for_update()
    )
    return [Batch(BatchId(row.id), row.received_at) for row in tx.execute(rows)]


def received(tx: ReadTx, batch: Batch, condition_only: frozenset[str]) -> list[Detected]:
    """The batch's detections that nothing was made of yet, in the order in which they came."""
    rows = matching.fetch(
        tx, _RECEIVED, {"batch": batch.id, "earliest": batch.received_at - DAY, "latest": batch.received_at + DAY}
    )
    return [_due(row, condition_only) for row in rows]


def places(tx: ReadTx, batches: Sequence[Batch]) -> list[tuple[float, float]]:
    """Where the detections of these batches are that nothing was made of yet, in metres on the grid."""
    return [
        (x, y)
        for one in batches
        for x, y in matching.fetch(
            tx, _PLACES, {"batch": one.id, "earliest": one.received_at - DAY, "latest": one.received_at + DAY}
        )
    ]


def waiting_near(
    tx: ReadTx,
    seen: Sequence[Sighting],
    alike: Mapping[str, frozenset[str]],
    reach: float,
    since: datetime,
    until: datetime,
) -> list[Detected]:
    """Detections received in that time that wait for another pass within `reach` of one of the positions."""
    asking = matching.asked(seen, alike) | {"reach": reach, "since": since, "until": until}
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


_SETTLED = {"id": "bigint", "verdict": "text", "defect_id": "bigint"}

_SETTLE = """
    UPDATE detection SET verdict = told.verdict, defect_id = told.defect_id
    FROM {told} WHERE detection.id = told.id AND detection.received_at >= :since
"""


def settle(tx: WriteTx, rows: Iterable[tuple[int, str, int | None]], since: datetime) -> None:
    """Write each detection's verdict and defect. None of them was received before `since`."""
    told = tell(tx, _SETTLED, list(rows))
    tx.execute(text(_SETTLE.format(told=told.relation)), {"since": since} | told.params)


def finish(tx: WriteTx, batch: Batch, outcome: Mapping[str, int], now: datetime) -> None:
    """The batch is matched: how many of each verdict."""
    tx.execute(
        update(detection_batch).where(detection_batch.c.id == batch.id).values(matched_at=now, outcome=dict(outcome))
    )
