"""Views of the queue: those that come with it, and those that a person has kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.api.deps import Asker
from shared.store.engine import ReadTx
from shared.store.read_models import saved_views


@dataclass(frozen=True, slots=True)
class Shipped:
    """A view that everybody has. `query` as the queue's address has it."""

    name: str
    query: str


SHIPPED = (
    Shipped("All open", ""),
    Shipped("Overdue", "overdue=true"),
    Shipped("Due today", "due=today"),
    Shipped("Danger", "danger=true"),
    Shipped("Waiting for contractor", "state=ordered&state=repair_rejected&state=recalled"),
    Shipped("Not graded", "state=candidate"),
)


def own(tx: ReadTx, asker: Asker) -> Sequence[dict[str, Any]]:
    """The asker's own; an API key has none."""
    return saved_views.of_person(tx, asker.person_id) if asker.person_id is not None else []
