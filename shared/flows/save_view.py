"""People keep filters of the queue under names of their own: save, rename, change, delete."""

from datetime import datetime

from shared.domain.terms import PersonId
from shared.errors import Conflict, NotFound
from shared.store import saved_views
from shared.store.engine import WriteTx

MOST = 50
"""Views that one person keeps."""


def save(tx: WriteTx, person_id: PersonId, name: str, query: str, now: datetime) -> int:
    """Keep these filters under a name. Returns the view's id.

    Raises:
        Conflict: the person has a view of this name, or has as many as one keeps.
    """
    if saved_views.count(tx, person_id) >= MOST:
        raise Conflict(f"You have {MOST} views. Delete one first.", {"name": "cannot be kept"})
    made = saved_views.add(tx, person_id, name, query, now)
    if made is None:
        raise _taken(name)
    return made


def change(tx: WriteTx, person_id: PersonId, view_id: int, name: str | None, query: str | None) -> None:
    """Give a view another name, or other filters. None leaves it as it was.

    Raises:
        NotFound: the person has no such view.
        Conflict: another one has the name.
    """
    if name is not None and saved_views.name_taken(tx, person_id, name, view_id):
        raise _taken(name)
    values = {key: value for key, value in (("name", name), ("query", query)) if value is not None}
    if values and not saved_views.change(tx, person_id, view_id, values):
        raise _none(view_id)


def remove(tx: WriteTx, person_id: PersonId, view_id: int) -> None:
    """Delete a view.

    Raises:
        NotFound: the person has no such view.
    """
    if not saved_views.remove(tx, person_id, view_id):
        raise _none(view_id)


def _taken(name: str) -> Conflict:
    return Conflict(f"You have a view called {name}. Choose another name.", {"name": "is taken"})


def _none(view_id: int) -> NotFound:
    return NotFound(f"You have no view {view_id}.")
