"""A past day as the record tells it: which lines of the feed it has, and what was open when it began."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, DateTime, Integer, Row, Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

from shared.domain.audience import Line
from shared.domain.next_clock import RUNNING
from shared.store import feed
from shared.store.engine import ReadTx
from shared.store.tables import OPEN_STATES

_OPEN = "defect.state IN (" + ", ".join(f"'{state}'" for state in OPEN_STATES) + ")"
_DEFECTS = text(
    (Path(__file__).parent.parent / "sql" / "day_defects.sql").read_text().replace("{open}", _OPEN)
).bindparams(
    *(bindparam(name, type_=ARRAY(Text)) for name in ("open", "running")),
    *(bindparam(name, type_=DateTime(timezone=True)) for name in ("moment", "past")),
    bindparam("after", type_=BigInteger),
    bindparam("most", type_=Integer),
)
_LINES = text(
    """
    SELECT min(number) AS first, max(number) AS last
    FROM (SELECT number FROM feed_line WHERE at >= :moment AND at < :past OFFSET 0) AS of_day
    """
)
"""OFFSET 0: the day's lines are found by their time, and not among all by their number."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """The first and the last line of a day; None: nothing happened."""

    first: int | None
    last: int | None


def stretch(tx: ReadTx, moment: datetime, past: datetime) -> Stretch:
    """The lines from `moment` on and before `past` (aware)."""
    found = tx.execute(_LINES, {"moment": moment, "past": past}).one()
    return Stretch(found.first, found.last)


def defects(tx: ReadTx, moment: datetime, past: datetime, *, after: int, most: int) -> list[Row[Any]]:
    """What was open at `moment` with its state, band and whether it was overdue then; and what machines founded before
    `past`, with when it `appeared`. By their ids, after this one.
    """
    tx.plan_for_values()
    params = {"moment": moment, "past": past, "after": after, "most": most}
    found = tx.execute(_DEFECTS, {**params, "open": list(OPEN_STATES), "running": sorted(RUNNING)})
    return list(found.all())


def lines(tx: ReadTx, *, after: int | None, before: int | None, most: int) -> list[Line]:
    """Lines of the feed, oldest first: those after a number; else the last ones, or the last before a number."""
    if after is not None:
        return feed.lines_after(tx, after, most)
    newest = feed.last_number(tx) if before is None else before - 1
    return feed.lines_after(tx, max(0, newest - most), min(most, max(0, newest)))
