"""Sets the maintenance hierarchy of a street by hand; a network file that is loaded later does not change it back.

What was graded stays as it was graded: a defect keeps the hierarchy that it was recorded with, and so its clocks.
"""

from collections.abc import Sequence
from datetime import datetime

from shared.domain.events import StreetHierarchySet
from shared.domain.policy import HIERARCHIES
from shared.errors import Invalid, NotFound
from shared.store import event_log, streets
from shared.store.engine import WriteTx
from shared.store.streets import Piece


def set_hierarchy(
    tx: WriteTx, key: str, hierarchy: str | None, why: str, now: datetime, *, pieces: Sequence[str] = ()
) -> int:
    """Set it for a street, or only for the pieces of these network ids; None leaves it to the next file again.

    Returns how many pieces were changed.

    Raises:
        NotFound: no such street, or it has no such piece.
        Invalid: no such hierarchy, or no reason.
    """
    if hierarchy is not None and hierarchy not in HIERARCHIES:
        raise Invalid(f"A hierarchy is one of {', '.join(sorted(HIERARCHIES))}.", {"hierarchy": "is not known"})
    if not why.strip():
        raise Invalid("Say why: it stands in the record.", {"why": "must be given"})
    changed = [one for one in _chosen(streets.lock(tx, key), pieces) if _differs(one, hierarchy)]
    ids = [one.id for one in changed]
    if hierarchy is None:
        streets.leave_to_file(tx, ids)
    else:
        streets.set_hierarchy(tx, ids, hierarchy, now)
    event_log.append(tx, [_told(one, hierarchy, why) for one in changed], now)
    return len(changed)


def _chosen(found: list[Piece], pieces: Sequence[str]) -> list[Piece]:
    if not found:
        raise NotFound("There is no such street: search for it again.")
    if unknown := set(pieces) - {one.network_id for one in found}:
        raise NotFound(f"The street has no such piece: {', '.join(sorted(unknown))}.")
    return [one for one in found if not pieces or one.network_id in pieces]


def _differs(piece: Piece, hierarchy: str | None) -> bool:
    if hierarchy is None:
        return piece.by_hand
    return not piece.by_hand or piece.hierarchy != hierarchy


def _told(piece: Piece, hierarchy: str | None, why: str) -> StreetHierarchySet:
    return StreetHierarchySet(
        street_id=piece.id,
        hierarchy=hierarchy or piece.hierarchy,
        was=piece.hierarchy,
        by_hand=hierarchy is not None,
        why=why,
    )
