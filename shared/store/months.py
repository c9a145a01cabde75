"""What a month's page counts beside the published figures: what came and went by month, what is open, what came in."""

from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Text, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from shared.domain.events import KINDS, Step
from shared.domain.month import Month, Moves
from shared.domain.terms import OPEN_DEFECT
from shared.store.engine import ReadTx
from shared.store.figures import Span
from shared.store.tables import OPEN_STATES, defect

_STAY_OPEN = {"DefectOrdered", "DefectMadeSafe", "DefectRepairedTemporarily", "RepairClaimed", "RepairRejected"}
"""Steps from one open state to another, which are the most: they are not read."""
CROSSING = sorted(
    name
    for name, kind in KINDS.items()
    if issubclass(kind, Step) and kind.SUBJECT == "defect" and name not in _STAY_OPEN
)
_MOVES = text((Path(__file__).parent / "sql" / "month_moves.sql").read_text()).bindparams(
    bindparam("kinds", type_=ARRAY(Text)), bindparam("open", type_=ARRAY(Text))
)
_INTAKE = text(
    """
    SELECT count(*) AS reports, count(*) FILTER (WHERE danger) AS dangerous,
           (SELECT coalesce(sum(accepted), 0) FROM detection_batch
            WHERE received_at >= :first AND received_at < :past) AS detections
    FROM report WHERE received_at >= :first AND received_at < :past
    """
)


def moves(tx: ReadTx, since: datetime, zone: str) -> dict[Month, Moves]:
    """By month from the one that begins then: what came and went."""
    asked = {"kinds": [*CROSSING, "RecallProposed"], "open": sorted(OPEN_DEFECT), "since": since, "zone": zone}
    rows = (dict(row._mapping) for row in tx.execute(_MOVES, asked))
    return {Month.parse(row.pop("month")): Moves(**row) for row in rows}


def open_now(tx: ReadTx) -> int:
    """Defects that are open."""
    return int(tx.scalar(select(func.count()).select_from(defect).where(defect.c.state.in_(OPEN_STATES))))


def intake(tx: ReadTx, span: Span) -> dict[str, int]:
    """Reports, dangerous ones among them, and detections that a span saw."""
    row: dict[str, Any] = dict(tx.execute(_INTAKE, span.bounds()).one()._mapping)
    return {name: int(value) for name, value in row.items()}
