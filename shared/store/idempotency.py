"""Idempotency keys: what was answered to a request that a client may send again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import Text, bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from shared.store.engine import Ask, ReadTx, Steps, WriteTx
from shared.store.tables import idempotency_key


class Key(Struct, frozen=True):
    """What a client calls its request. `scope` is the route and the asker: two askers may use one key."""

    scope: str
    value: str
    body_sha256: bytes


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered under a key, and to which body."""

    body_sha256: bytes
    answer: Mapping[str, Any]


_ANSWERED = select(idempotency_key.c.key, idempotency_key.c.body_sha256, idempotency_key.c.answer).where(
    idempotency_key.c.scope == bindparam("scope", type_=Text),
    idempotency_key.c.key == func.any(bindparam("keys", type_=ARRAY(Text))),
)


def answered(tx: ReadTx, scope: str, keys: Sequence[str]) -> dict[str, Answered]:
    """What was answered under these keys of one scope; a key that is new is left out."""
    return tx.run(answering(scope, keys))


def answering(scope: str, keys: Sequence[str]) -> Steps[dict[str, Answered]]:
    """The same in steps."""
    rows = yield Ask(_ANSWERED, {"scope": scope, "keys": list(keys)})
    return {row.key: Answered(row.body_sha256, row.answer) for row in rows}


def forget(tx: WriteTx, before: datetime) -> None:
    """Delete the keys that came before this time. Locks their rows."""
    tx.execute(delete(idempotency_key).where(idempotency_key.c.at < before))
