"""Drafts: what somebody has answered so far, found by the secret of the cookie, of which only the hash is stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from shared.domain.drafts import TERM, Answers
from shared.domain.terms import ReportId
from shared.store import references
from shared.store.engine import ReadTx, WriteTx
from shared.store.tables import draft


@dataclass(frozen=True, slots=True)
class DraftRow:
    """A draft that can still be gone on with, or that was sent: then it has a report or a passer-by's sighting.

    `updated_at` is when it was last answered, or when it was sent.
    """

    hash: bytes
    answers: Answers
    made_at: datetime
    updated_at: datetime
    report_id: ReportId | None
    sighting_id: int | None

    @property
    def is_sent(self) -> bool:
        return self.report_id is not None or self.sighting_id is not None


def make(tx: WriteTx, answers: Answers, now: datetime) -> str:
    """Begin a draft. Returns its secret, which is told to nobody but its writer's browser."""
    secret = references.secret()
    row = {"secret_hash": references.digest(secret), "answers": answers.as_json(), "made_at": now, "updated_at": now}
    tx.execute(insert(draft).values(row))
    return secret


def find(tx: ReadTx, secret: str, now: datetime) -> DraftRow | None:
    """The draft of a secret; None when there is none, or none that is young enough."""
    return _found(tx, select(draft), secret, now)


def lock(tx: WriteTx, secret: str, now: datetime) -> DraftRow | None:
    """The same, its row locked: the same page sent twice at once is taken one after the other."""
    return _found(tx, select(draft).with_for_update(), secret, now)


def _found(tx: ReadTx, rows: Any, secret: str, now: datetime) -> DraftRow | None:
    row = tx.execute(
        rows.where(draft.c.secret_hash == references.digest(secret), draft.c.updated_at >= now - TERM)
    ).one_or_none()
    if row is None:
        return None
    answers: Mapping[str, Any] = row.answers
    return DraftRow(row.secret_hash, Answers.read(answers), row.made_at, row.updated_at, row.report_id, row.sighting_id)


def keep(tx: WriteTx, secret_hash: bytes, answers: Answers, now: datetime) -> None:
    """Keep the answers so far. Locks the draft."""
    kept = update(draft).where(draft.c.secret_hash == secret_hash)
    tx.execute(kept.values(answers=answers.as_json(), updated_at=now))


def spend(tx: WriteTx, secret_hash: bytes, left: Answers, now: datetime, **became: int) -> None:
    """Say what became of it, `report_id` or `sighting_id`, and keep no more than is `left` to tell. Locks the draft."""
    spent = update(draft).where(draft.c.secret_hash == secret_hash)
    tx.execute(spent.values(answers=left.as_json(), updated_at=now, **became))
