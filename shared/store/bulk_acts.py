"""Acts on many defects: asked for, held for a while, undone or done, with what became of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Text, cast, insert, select, text, update
from sqlalchemy.dialects.postgresql import JSONB

from shared.store.engine import WriteTx
from shared.store.tables import bulk_act


@dataclass(frozen=True, slots=True)
class BulkAct:
    """One act as it stands. `results` has an entry for each defect that was done or refused, in their order."""

    id: int
    kind: str
    actor: str
    supervises: bool
    defects: Sequence[str]
    body: Mapping[str, Any]
    due_at: datetime
    undone_at: datetime | None
    done_at: datetime | None
    results: Sequence[Mapping[str, Any]]


_NAMES = tuple(BulkAct.__slots__)


def add(
    tx: WriteTx,
    kind: str,
    defects: Sequence[str],
    body: Mapping[str, Any],
    *,
    supervises: bool,
    now: datetime,
    due_at: datetime,
) -> int:
    """Write down what the transaction's actor asks for. Returns its id."""
    values = {"kind": kind, "actor": tx.actor, "supervises": supervises, "defects": list(defects), "body": dict(body)}
    made: int = tx.scalar(insert(bulk_act).values(**values, made_at=now, due_at=due_at).returning(bulk_act.c.id))
    return made


def asked_lately(
    tx: WriteTx, kind: str, defects: Sequence[str], body: Mapping[str, Any], apart_from: str, since: datetime
) -> int | None:
    """The act that the transaction's actor asked for with just these words since then, if it was not undone.

    `apart_from` is a key of the body that does not count.
    """
    same = bulk_act.c.body.op("-")(cast(apart_from, Text)) == cast(dict(body), JSONB)
    asked = select(bulk_act.c.id).where(bulk_act.c.actor == tx.actor, bulk_act.c.kind == kind, same)
    asked = asked.where(bulk_act.c.defects == list(defects), bulk_act.c.made_at > since, bulk_act.c.undone_at.is_(None))
    found: int | None = tx.scalar(asked.order_by(bulk_act.c.id.desc()).limit(1))
    return found


def lock(tx: WriteTx, act_id: int) -> BulkAct | None:
    """The act, its row locked; None where there is none."""
    row = tx.execute(select(*(bulk_act.c[name] for name in _NAMES)).where(bulk_act.c.id == act_id).with_for_update())
    found = row.one_or_none()
    return None if found is None else BulkAct(**found._mapping)


def undo(tx: WriteTx, act_id: int, now: datetime) -> None:
    """It is not to be done."""
    tx.execute(update(bulk_act).where(bulk_act.c.id == act_id).values(undone_at=now))


_NOTE = text(
    "UPDATE bulk_act SET results = results || CAST(:results AS jsonb), done_at = CAST(:done_at AS timestamptz)"
    " WHERE id = :id"
)


def note(tx: WriteTx, act_id: int, results: Sequence[Mapping[str, Any]], done_at: datetime | None) -> None:
    """Add what became of these defects; `done_at` with the last of them."""
    tx.execute(_NOTE, {"id": act_id, "results": orjson.dumps(list(results)).decode(), "done_at": done_at})
