"""When two defects turn out to be one, its works order covers the one that stays; a second order is withdrawn."""

from collections.abc import Sequence
from datetime import datetime

from shared.domain.terms import OrderState
from shared.flows.issue_works import as_told, follow_grades, ordered
from shared.flows.take_steps import OrderWalk, walk_defects, walk_orders
from shared.store import covers, works
from shared.store.engine import WriteTx

_WITHDRAWN = frozenset({OrderState.ISSUED, OrderState.ACCEPTED, OrderState.SCHEDULED, OrderState.DECLINED})
"""States from which an order that covers nothing any more is cancelled."""
_BEFORE_THE_END = _WITHDRAWN | {OrderState.ON_SITE, OrderState.REMEDIAL}
"""States in which a crew has still to mend what the order covers."""
_WHY = "Two defects were found to be one."


def follow_merges(tx: WriteTx, merged_ids: Sequence[int], now: datetime) -> None:
    """Hand the cover of these merged defects on to those that they are the same as. Safe to repeat. Locks them."""
    strays = covers.stray_covers(tx, merged_ids) if merged_ids else []
    if not strays:
        return
    orders = {order.id: order for order in works.lock_many(tx, [stray.order_id for stray in strays])}
    moved = [stray for stray in strays if orders[stray.order_id].state in _BEFORE_THE_END]
    stays = {one.id: one for one in works.lock_defects(tx, [stray.into_id for stray in moved])}
    first = {stray.into_id: orders[stray.order_id] for stray in reversed(moved) if not stray.into_covered}
    works.uncover(tx, [stray.defect_id for stray in moved], now)
    works.cover(tx, [(order.id, into_id) for into_id, order in first.items()])
    told = [walk for into_id, order in first.items() for walk in ordered(as_told(order, [stays[into_id]]), order.id)]
    walk_defects(tx, told, now)
    follow_grades(tx, sorted(orders), _WHY, now)
    _withdraw_empty(tx, sorted(orders), now)


def _withdraw_empty(tx: WriteTx, order_ids: Sequence[int], now: datetime) -> None:
    empty = [one for one in works.lock_many(tx, order_ids) if not one.defect_ids and one.state in _WITHDRAWN]
    ended = {"ended_at": now}
    walks = [OrderWalk(one, (OrderState.CANCELLED,), {"reason": _WHY}, _WHY, ended) for one in empty]
    walk_orders(tx, walks, now)
