"""Moves rows from one state to the next, only from the state that the caller judged."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Table, func, update

from shared.errors import Conflict
from shared.store.engine import WriteTx


def move(tx: WriteTx, table: Table, ids: Sequence[int], before: str, after: str, now: datetime, **values: Any) -> None:
    """Set the state of every row from `before` to `after`, with other columns. Locks the rows.

    Raises:
        Conflict: one of them is not in `before` any more; nothing is changed once the caller's transaction ends.
    """
    moved = tx.execute(
        update(table)
        .where(table.c.id == func.any(list(ids)), table.c.state == before)
        .values(state=after, updated_at=now, **values)
    )
    if moved.rowcount != len(set(ids)):
        raise Conflict(f"The {table.name.replace('_', ' ')} is no longer {before}: look again and decide anew.")
