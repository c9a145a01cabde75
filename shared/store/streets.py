"""The hierarchy of streets as people set it by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update

from shared.domain.terms import StreetId
from shared.store.engine import WriteTx
from shared.store.tables import street


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a street as the network has it. `by_hand`: a person set its hierarchy."""

    id: StreetId
    network_id: str
    hierarchy: str
    by_hand: bool


def lock(tx: WriteTx, key: str) -> list[Piece]:
    """Every piece of a street, in the order of their ids. Locks them to the end of the transaction."""
    rows = (
        select(
            street.c.id, street.c.network_id, street.c.hierarchy, street.c.hierarchy_by.is_not(None).label("by_hand")
        )
        .where(street.c.street_key == key)
        .order_by(street.c.id)
        .with_for_update()
    )
    return [Piece(**row._mapping) for row in tx.execute(rows)]


def set_hierarchy(tx: WriteTx, ids: Sequence[StreetId], hierarchy: str, now: datetime) -> None:
    """Give these pieces a hierarchy that no file takes away."""
    chosen = update(street).where(street.c.id == func.any(list(ids)))
    tx.execute(chosen.values(hierarchy=hierarchy, hierarchy_by=tx.actor, hierarchy_at=now))


def leave_to_file(tx: WriteTx, ids: Sequence[StreetId]) -> None:
    """Let the next file that is loaded say the hierarchy of these pieces."""
    chosen = update(street).where(street.c.id == func.any(list(ids)))
    tx.execute(chosen.values(hierarchy_by=None, hierarchy_at=None))
