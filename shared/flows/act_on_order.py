"""What people do with works orders: contractors accept, decline, schedule and start; operators cancel, reissue, pay."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.assignment import Assigned
from shared.domain.events import DefectStepped
from shared.domain.lifecycle import ORDER
from shared.domain.terms import ContractorId, DefectState, OrderState
from shared.errors import Conflict, Invalid, NotFound, Refusal
from shared.flows import meanwhile
from shared.flows.assign_works import Lots
from shared.flows.issue_works import Instruction, issue
from shared.flows.take_steps import DefectWalk, OrderWalk, walk_defects, walk_orders
from shared.store import covers, works
from shared.store.engine import WriteTx
from shared.store.works import Coverable, Order

__all__ = [
    "Answer",
    "CannotDecline",
    "Order",
    "accept",
    "accept_many",
    "cancel",
    "decline",
    "pay",
    "reissue",
    "schedule",
    "start",
]

_O = OrderState


class CannotDecline(Conflict):
    """The order mends the contractor's own failed work."""

    code = "cannot-decline"
    title = "This order cannot be declined"


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one of many references: the state it is in now, or why it was refused."""

    reference: str
    state: str | None
    refusal: Refusal | None = None


def accept(tx: WriteTx, reference: str, contractor_id: int, now: datetime) -> Order:
    """Accept an order. One that is accepted, or further, stays as it is: an offline phone tells late and twice.

    Raises:
        NotFound: the contractor has no such order.
        UnlawfulStep: it was declined or cancelled.
    """
    order = works.lock(tx, reference, contractor_id)
    if order.accepted_at is not None and order.state not in (_O.REMEDIAL, _O.CANCELLED):
        return order
    return _walked(tx, OrderWalk(order, (_O.ACCEPTED,), values={"accepted_at": order.accepted_at or now}), now)


def accept_many(tx: WriteTx, references: Sequence[str], contractor_id: int, now: datetime) -> list[Answer]:
    """Accept many orders, each for itself; locked in the order of their ids, so that two such calls never stand still.

    An order that cannot be accepted is refused with a reason and holds up no other.
    """
    orders = {one.reference: one for one in works.lock_own(tx, references, contractor_id)}
    answers, walks = [], []
    for reference in dict.fromkeys(references):
        order = orders.get(reference)
        if order is None:
            answers.append(Answer(reference, None, NotFound(f"There is no works order {reference}.")))
        elif order.state in (_O.ISSUED, _O.REMEDIAL):
            walks.append(OrderWalk(order, (_O.ACCEPTED,), values={"accepted_at": order.accepted_at or now}))
            answers.append(Answer(reference, _O.ACCEPTED))
        elif order.accepted_at is not None and order.state is not _O.CANCELLED:
            answers.append(Answer(reference, order.state))
        else:
            refused = Conflict(f"Works order {reference} is {order.state}.")
            answers.append(Answer(reference, order.state, refused))
    walk_orders(tx, walks, now)
    return answers


def decline(tx: WriteTx, reference: str, contractor_id: int, reason: str, now: datetime) -> Order:
    """Decline an order: it goes to the next contractor of the lots, or to the operators' list.

    Raises:
        NotFound, UnlawfulStep: the contractor has no such order, or it is accepted.
        CannotDecline: it mends the contractor's own failed work; a recall is disputed instead.
    """
    order = works.lock(tx, reference, contractor_id)
    if order.state is _O.DECLINED:
        return order
    if order.charge_to == "contractor":
        raise CannotDecline("This order mends your own failed repair. Dispute the recall if the failure is not yours.")
    declined = _walked(tx, OrderWalk(order, (_O.DECLINED,), {"reason": reason}, reason), now)
    _hand_on(tx, declined, now)
    return declined


def _hand_on(tx: WriteTx, order: Order, now: datetime) -> None:
    """Issue a declined order's defects anew to the next contractor; where there is none, they stay with it."""
    lots = Lots(tx, now)
    declined_by = (*order.declined_by, order.contractor_id)
    for defects in _of_one_kind(works.lock_covered(tx, order)):
        first = defects[0]
        chosen = lots.of_kind(first.class_code, first.band, first.area_code, declined_by)
        if isinstance(chosen, Assigned):
            to = lots.contractors[chosen.contractor]
            issue(tx, [_taking_over(order, to, chosen.lot, defects, chosen.why, declined_by)], now)
    covers.end_if_empty(tx, order.id, now)


def _of_one_kind(defects: Sequence[Coverable]) -> list[tuple[Coverable, ...]]:
    """Those that the same lot covers together."""
    kinds: dict[object, list[Coverable]] = {}
    for one in defects:
        kinds.setdefault((one.class_code, one.band, one.area_code), []).append(one)
    return [tuple(together) for together in kinds.values()]


def _taking_over(
    order: Order,
    contractor_id: ContractorId,
    lot: str,
    defects: Sequence[Coverable],
    why: str,
    declined_by: tuple[int, ...],
) -> Instruction:
    return Instruction(
        contractor_id=contractor_id,
        lot=lot,
        defects=tuple(defects),
        kind=order.kind,
        charge_to=order.charge_to,
        follows=order.id,
        declined_by=declined_by,
        keep_states=True,
        why=why,
    )


def schedule(
    tx: WriteTx, reference: str, contractor_id: int, scheduled_for: datetime, reason: str, now: datetime
) -> Order:
    """Promise a time, or another one; scheduling an order accepts it. A promise that slips says why.

    Raises:
        NotFound, UnlawfulStep: the contractor has no such order, or its work is done.
        Invalid: the time is past, or later than promised without a reason.
    """
    order = works.lock(tx, reference, contractor_id)
    if order.state is _O.SCHEDULED and order.scheduled_for == scheduled_for:
        return order
    if scheduled_for < now:
        raise Invalid("The time to come lies in the past.", {"scheduled_for": "lies in the past"})
    if order.scheduled_for is not None and scheduled_for > order.scheduled_for and not reason:
        raise Invalid(
            f"You promised {order.scheduled_for:%Y-%m-%d %H:%M} UTC: say why it is later.", {"reason": "is needed"}
        )
    way = (_O.ACCEPTED, _O.SCHEDULED) if order.state is _O.ISSUED else (_O.SCHEDULED,)
    values = {"scheduled_for": scheduled_for, "accepted_at": order.accepted_at or now}
    why = f"For {scheduled_for:%Y-%m-%d %H:%M} UTC. {reason}".strip()
    return _walked(tx, OrderWalk(order, way, {"scheduled_for": scheduled_for}, why, values), now)


def start(tx: WriteTx, reference: str, contractor_id: int, visit: str, started_at: datetime, now: datetime) -> Order:
    """The crew is there. `visit` is the phone's own id of the visit that it will tell of.

    Raises:
        NotFound, UnlawfulStep: the contractor has no such order, or its work is done.
    """
    order = works.lock(tx, reference, contractor_id)
    if order.state is _O.ON_SITE:
        return order
    way = (_O.ACCEPTED, _O.ON_SITE) if order.state is _O.ISSUED else (_O.ON_SITE,)
    values = {"accepted_at": order.accepted_at or min(started_at, now)}
    walk = OrderWalk(order, way, {"visit_id": visit}, "The crew is there.", values)
    return _walked(tx, walk, now, occurred_at=min(started_at, now))


def cancel(tx: WriteTx, reference: str, reason: str, now: datetime, *, seen: int | None = None) -> Order:
    """Withdraw an order before anybody came. Its defects wait for a person, or for a new grading.

    Raises:
        ChangedMeanwhile: somebody changed it since it was `seen` (`flows/meanwhile.py`).
        NotFound, UnlawfulStep: there is no such order, or a crew has been there.
        CannotDecline: it mends its contractor's own failed work.
    """
    order = works.lock(tx, reference, None)
    meanwhile.check(tx, "works_order", {order.id: seen}, now)
    check_cancel(order)
    defects = works.lock_covered(tx, order)
    cancelled = _walked(tx, OrderWalk(order, (_O.CANCELLED,), {"reason": reason}, reason, {"ended_at": now}), now)
    walk_defects(tx, [_waiting_again(one, reason) for one in defects if one.state == DefectState.ORDERED], now)
    works.uncover(tx, [one.id for one in defects], now)
    return cancelled


def _waiting_again(one: Coverable, reason: str) -> DefectWalk:
    step = DefectStepped(
        defect_id=one.id,
        before=one.state,
        after=DefectState.CONFIRMED,
        why=f"Its works order was cancelled: {reason}",
    )
    return DefectWalk(one.id, (step,), {"order_cancelled": True})


def reissue(
    tx: WriteTx, reference: str, contractor: str | None, reason: str, now: datetime, *, seen: int | None = None
) -> Order:
    """Give an order that no crew has attended to another contractor: the named one, or the next of the lots.

    Raises:
        ChangedMeanwhile: somebody changed it since it was `seen` (`flows/meanwhile.py`).
        NotFound, UnlawfulStep: there is no such order, or a crew has been there.
        Invalid: there is no such contractor, or nobody else's lot covers it.
        CannotDecline: only the contractor whose repair failed can be told to mend it at its own cost.
    """
    order = works.lock(tx, reference, None)
    meanwhile.check(tx, "works_order", {order.id: seen}, now)
    check_reissue(order)
    defects = works.lock_covered(tx, order)
    to, lot, why = _successor(tx, order, defects[0], contractor, now)
    if order.state is not _O.DECLINED:
        walk = OrderWalk(order, (_O.CANCELLED,), {"reason": reason}, f"Given to another: {reason}", {"ended_at": now})
        walk_orders(tx, [walk], now)
    ids = issue(tx, [_taking_over(order, to, lot, defects, f"{why} {reason}", order.declined_by)], now)
    covers.end_if_empty(tx, order.id, now)
    return works.lock_many(tx, ids)[0]


def check_reissue(order: Order) -> None:
    """Let an order be given to another contractor.

    Raises:
        CannotDecline: it mends its contractor's own failed work.
        Conflict, UnlawfulStep: it covers nothing any more, or a crew has been there.
    """
    if order.charge_to == "contractor":
        raise CannotDecline("This order mends a failed repair at its contractor's cost: nobody else can take it.")
    if not order.defect_ids:
        raise Conflict(f"Works order {order.reference} covers nothing any more.")
    if order.state is not _O.DECLINED:
        check_cancel(order)


def check_cancel(order: Order) -> None:
    """Let an order be withdrawn.

    Raises:
        CannotDecline: it mends its contractor's own failed work: who pays for that is decided with its recall.
        UnlawfulStep: a crew has been there.
    """
    if order.charge_to == "contractor":
        raise CannotDecline(
            "This order mends a failed repair at its contractor's cost. It can be cancelled once the contractor has "
            "disputed the recall and a supervisor has ruled that the failure is not the repair's."
        )
    ORDER.check(order.state, _O.CANCELLED, {"reason": "why"})


def _successor(
    tx: WriteTx, order: Order, first: Coverable, contractor: str | None, now: datetime
) -> tuple[ContractorId, str, str]:
    lots = Lots(tx, now)
    if contractor is not None:
        if contractor not in lots.contractors:
            raise Invalid(f"There is no contractor {contractor}.", {"contractor": "is not known"})
        return lots.contractors[contractor], "by hand", "Given by an operator."
    skipped = (*order.declined_by, order.contractor_id)
    chosen = lots.of_kind(first.class_code, first.band, first.area_code, skipped)
    if not isinstance(chosen, Assigned):
        raise Invalid(f"{chosen.why} Name a contractor.", {"contractor": "is needed"})
    return lots.contractors[chosen.contractor], chosen.lot, chosen.why


def pay(tx: WriteTx, reference: str, now: datetime) -> Order:
    """Note that a verified order is paid.

    Raises:
        NotFound, UnlawfulStep: there is no such order, or it is not payable.
    """
    order = works.lock(tx, reference, None)
    if order.state is _O.PAID:
        return order
    return _walked(tx, OrderWalk(order, (_O.PAID,), {"person": tx.actor}, "Paid."), now)


def _walked(tx: WriteTx, walk: OrderWalk, now: datetime, *, occurred_at: datetime | None = None) -> Order:
    """Take one order along its way. Returns it as it is then."""
    walk_orders(tx, [walk], now, occurred_at=occurred_at)
    return replace(walk.order, state=walk.way[-1], **walk.values)
