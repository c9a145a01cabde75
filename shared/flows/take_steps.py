"""Takes works orders and defects through lawful steps: checked, moved in one statement, and told as events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.domain.events import OrderStepped, Step
from shared.domain.lifecycle import DEFECT, ORDER
from shared.domain.steps import Lifecycle
from shared.domain.terms import DefectState, OrderState
from shared.store import event_log, patches
from shared.store.engine import WriteTx
from shared.store.patches import Patch
from shared.store.tables import defect, works_order
from shared.store.works import Order


@dataclass(frozen=True, slots=True)
class DefectWalk:
    """A defect's steps, as the events that tell them, in their order; the first one's `before` is its state."""

    defect_id: int
    steps: tuple[Step, ...]
    facts: Mapping[str, Any]
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OrderWalk:
    """An order's way through its states, from the one it is in. `facts` are added to what the order itself tells."""

    order: Order
    way: tuple[OrderState, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)


def walk_orders(tx: WriteTx, walks: Sequence[OrderWalk], now: datetime, *, occurred_at: datetime | None = None) -> None:
    """Take orders along their ways. An empty way changes only `values` and is not told.

    Raises:
        UnlawfulStep, GuardNotMet: a step is not in the lifecycle, or lacks something.
        Conflict: an order has moved on meanwhile.
    """
    told = [step for walk in walks for step in _checked_order(walk)]
    moves = [
        Patch(walk.order.id, walk.order.state, walk.way[-1] if walk.way else walk.order.state, walk.values)
        for walk in walks
        if walk.way or walk.values
    ]
    patches.apply(tx, works_order, moves, now)
    event_log.append(tx, told, now, occurred_at=occurred_at)


def _checked_order(walk: OrderWalk) -> list[OrderStepped]:
    facts = {
        "contractor_id": walk.order.contractor_id,
        "defect_ids": walk.order.defect_ids,
        "charge_to": walk.order.charge_to,
        **walk.facts,
    }
    steps, before = [], walk.order.state
    for after in walk.way:
        ORDER.check(before, after, facts)
        steps.append(
            OrderStepped(
                works_order_id=walk.order.id,
                contractor_id=walk.order.contractor_id,
                before=before,
                after=after,
                why=walk.why,
            )
        )
        before = after
    return steps


def walk_defects(
    tx: WriteTx, walks: Sequence[DefectWalk], now: datetime, *, occurred_at: datetime | None = None
) -> None:
    """Take defects through their steps.

    Raises:
        UnlawfulStep, GuardNotMet: a step is not in the lifecycle, or lacks something.
        Conflict: a defect has moved on meanwhile.
    """
    moves = [_checked_defect(DEFECT, walk) for walk in walks if walk.steps]
    patches.apply(tx, defect, moves, now)
    event_log.append(tx, [step for walk in walks for step in walk.steps], now, occurred_at=occurred_at)


def _checked_defect(machine: Lifecycle[DefectState], walk: DefectWalk) -> Patch:
    first, last = walk.steps[0].before, walk.steps[-1].after
    for step in walk.steps:
        machine.check(DefectState(str(step.before)), DefectState(step.after), walk.facts)
    return Patch(walk.defect_id, str(first), last, walk.values)
