"""Acts on many defects as who asked for them sees them: the last ones, and what became of each."""

from typing import Any

from sqlalchemy import select

from shared.store.engine import ReadTx
from shared.store.tables import bulk_act

_NAMES = ("id", "kind", "defects", "body", "made_at", "due_at", "undone_at", "done_at", "results")
_ROWS = select(*(bulk_act.c[name] for name in _NAMES))


def of_actor(tx: ReadTx, actor: str, most: int) -> list[dict[str, Any]]:
    """The last that this actor asked for, the newest first."""
    rows = _ROWS.where(bulk_act.c.actor == actor).order_by(bulk_act.c.id.desc()).limit(most)
    return [dict(row._mapping) for row in tx.execute(rows)]


def one(tx: ReadTx, actor: str, act_id: int) -> dict[str, Any] | None:
    """One of this actor's; None where there is none."""
    row = tx.execute(_ROWS.where(bulk_act.c.id == act_id, bulk_act.c.actor == actor)).one_or_none()
    return None if row is None else dict(row._mapping)
