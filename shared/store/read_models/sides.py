"""Who acted, for a contractor: which side, and not which person."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from shared.domain.audience import side
from shared.store.engine import ReadTx
from shared.store.tables import api_key, person


def tell(tx: ReadTx, rows: Sequence[dict[str, Any]], names: Sequence[str], contractor_id: int) -> None:
    """Put the side in place of each actor that stands in the rows under these names."""
    actors = {row[name] for row in rows for name in names} - {None}
    ours = _of_company(tx, sorted(actors), contractor_id)
    for row in rows:
        for name in names:
            row[name] = row[name] and side(row[name], own=row[name] in ours)


def _of_company(tx: ReadTx, actors: Sequence[str], contractor_id: int) -> set[str]:
    """Those of the actors who are the contractor's own people and keys."""
    people = select(func.concat("person:", person.c.id).label("actor")).where(person.c.contractor_id == contractor_id)
    keys = select(func.concat("key:", api_key.c.id).label("actor")).where(api_key.c.contractor_id == contractor_id)
    own = people.union_all(keys).subquery()
    return set(tx.scalars(select(own.c.actor).where(own.c.actor == func.any(list(actors)))))
