"""Saved views: filters of the queue that a person keeps under a name."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from shared.domain.terms import PersonId
from shared.store.engine import ReadTx, WriteTx
from shared.store.tables import saved_view


def count(tx: ReadTx, person_id: PersonId) -> int:
    """How many a person has."""
    return int(tx.scalar(select(func.count()).select_from(saved_view).where(saved_view.c.person_id == person_id)))


def add(tx: WriteTx, person_id: PersonId, name: str, query: str, now: datetime) -> int | None:
    """Keep a view. Returns its id, or None where the person has one of this name."""
    new = upsert(saved_view).values(person_id=person_id, name=name, query=query, made_at=now)
    made: int | None = tx.scalar(new.on_conflict_do_nothing().returning(saved_view.c.id))
    return made


def name_taken(tx: ReadTx, person_id: PersonId, name: str, but: int) -> bool:
    """Whether another view of this person has the name."""
    other = select(saved_view.c.id).where(saved_view.c.person_id == person_id, saved_view.c.name == name)
    return tx.scalar(other.where(saved_view.c.id != but)) is not None


def change(tx: WriteTx, person_id: PersonId, view_id: int, values: dict[str, Any]) -> bool:
    """Change a view of this person. False: there is none."""
    own = (saved_view.c.id == view_id) & (saved_view.c.person_id == person_id)
    changed = update(saved_view).where(own).values(**values).returning(saved_view.c.id)
    return tx.scalar(changed) is not None


def remove(tx: WriteTx, person_id: PersonId, view_id: int) -> bool:
    """Delete a view of this person. False: there is none."""
    own = (saved_view.c.id == view_id) & (saved_view.c.person_id == person_id)
    return tx.scalar(delete(saved_view).where(own).returning(saved_view.c.id)) is not None
