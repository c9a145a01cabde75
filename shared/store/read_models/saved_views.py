"""The views of the queue that a person has kept."""

from typing import Any

from sqlalchemy import select

from shared.domain.terms import PersonId
from shared.store.engine import ReadTx
from shared.store.tables import saved_view


def of_person(tx: ReadTx, person_id: PersonId) -> list[dict[str, Any]]:
    """By name: id, name, query, made_at."""
    wanted = select(*(saved_view.c[name] for name in ("id", "name", "query", "made_at")))
    rows = wanted.where(saved_view.c.person_id == person_id).order_by(saved_view.c.name)
    return [dict(row._mapping) for row in tx.execute(rows)]
