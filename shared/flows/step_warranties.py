"""Takes warranties through lawful steps: checked, moved in one statement, and told as events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.domain.events import WarrantyStepped
from shared.domain.lifecycle import WARRANTY
from shared.domain.terms import WarrantyState
from shared.store import event_log, patches
from shared.store.engine import WriteTx
from shared.store.patches import Patch
from shared.store.tables import warranty
from shared.store.warranties import WarrantyRow


@dataclass(frozen=True, slots=True)
class WarrantyWalk:
    """A warranty's way through its states, from the one that it is in, with the facts of all its steps."""

    row: WarrantyRow
    way: tuple[WarrantyState, ...]
    why: str
    facts: Mapping[str, Any]
    values: Mapping[str, Any] = field(default_factory=dict)


def walk_warranties(tx: WriteTx, walks: Sequence[WarrantyWalk], now: datetime) -> None:
    """Take warranties along their ways.

    Raises:
        UnlawfulStep, GuardNotMet: a step is not in the lifecycle, or lacks something.
        Conflict: a warranty has moved on meanwhile.
    """
    told = [step for walk in walks for step in _checked(walk)]
    patches.apply(tx, warranty, [Patch(walk.row.id, walk.row.state, walk.way[-1], walk.values) for walk in walks], now)
    event_log.append(tx, told, now)


def _checked(walk: WarrantyWalk) -> list[WarrantyStepped]:
    steps, before = [], walk.row.state
    for after in walk.way:
        WARRANTY.check(before, after, walk.facts)
        steps.append(
            WarrantyStepped(
                warranty_id=walk.row.id,
                before=before,
                after=after,
                defect_id=walk.row.defect_id,
                contractor_id=walk.row.contractor_id,
                why=walk.why,
            )
        )
        before = after
    return steps
