"""Issues works orders: one function for first repairs, permanent ones, remedial ones, and those that change hands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.domain.events import DefectOrdered, OrderIssued, OrderRegraded
from shared.domain.lifecycle import ORDER
from shared.domain.terms import Band, ContractorId, DefectState, OrderId, OrderState
from shared.flows.take_steps import DefectWalk, walk_defects
from shared.store import covers, event_log, references, works
from shared.store.engine import WriteTx
from shared.store.patches import Patch, apply
from shared.store.tables import works_order
from shared.store.works import Coverable, NewOrder, Order


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """What a contractor is told to do: `defects` are locked rows; `kind`: repair, permanent, remedial or make_safe."""

    contractor_id: ContractorId
    lot: str
    defects: tuple[Coverable, ...]
    why: str
    kind: str = "repair"
    charge_to: str = "council"
    follows: OrderId | None = None
    declined_by: tuple[int, ...] = ()
    issued_at: datetime | None = None
    # An order that takes over from another: the defects are what they were under that one.
    keep_states: bool = False


def issue(tx: WriteTx, told: Sequence[Instruction], now: datetime) -> list[OrderId]:
    """Issue the orders, in their order, however many: defects that are not ordered yet become so.

    What covered a defect until now covers it no longer. Returns the ids of the orders, in their order.

    Raises:
        UnlawfulStep, GuardNotMet: a defect may not be ordered from the state it is in.
    """
    if not told:
        return []
    orders = [
        _order(one, reference) for one, reference in zip(told, references.fresh_many("W", len(told)), strict=True)
    ]
    works.uncover(tx, [covered.id for one in told for covered in one.defects], now)
    by_reference = works.insert_orders(tx, orders, now)
    ids = [by_reference[order.reference] for order in orders]
    event_log.append(tx, [_issued(one, order_id) for one, order_id in zip(told, ids, strict=True)], now)
    walk_defects(tx, [walk for one, order_id in zip(told, ids, strict=True) for walk in ordered(one, order_id)], now)
    return ids


def join(tx: WriteTx, joined: Sequence[tuple[Order, Sequence[Coverable]]], now: datetime) -> None:
    """Let orders that are issued and not yet accepted cover more defects of their street. Each order is named once."""
    if not joined:
        return
    works.uncover(tx, [one.id for _, defects in joined for one in defects], now)
    works.cover(tx, [(order.id, one.id) for order, defects in joined for one in defects])
    walk_defects(tx, [walk for order, defects in joined for walk in ordered(as_told(order, defects), order.id)], now)
    follow_grades(tx, [order.id for order, _ in joined], "A defect of the same street joined the order.", now)


def as_told(order: Order, defects: Sequence[Coverable]) -> Instruction:
    """What an order that was issued tells its contractor of these defects."""
    return Instruction(
        contractor_id=order.contractor_id, lot=order.lot, defects=tuple(defects), why="", charge_to=order.charge_to
    )


def ordered(told: Instruction, order_id: OrderId) -> list[DefectWalk]:
    """The steps of those defects that are not ordered yet. One that another owns stays with its owner."""
    if told.keep_states:
        return []
    facts = {"order_id": order_id, "charge_to": told.charge_to}
    return [
        DefectWalk(
            one.id,
            (DefectOrdered(defect_id=one.id, before=one.state, after=DefectState.ORDERED, works_order_id=order_id),),
            facts,
        )
        for one in told.defects
        if one.state in _TO_BE_ORDERED
    ]


_TO_BE_ORDERED = {
    DefectState.CONFIRMED,
    DefectState.MADE_SAFE,
    DefectState.REPAIRED_TEMPORARY,
    DefectState.REPAIR_REJECTED,
    DefectState.RECALLED,
}


def _order(told: Instruction, reference: str) -> NewOrder:
    first = told.defects[0]
    return NewOrder(
        reference=reference,
        contractor_id=told.contractor_id,
        lot=told.lot,
        kind=told.kind,
        charge_to=told.charge_to,
        band=most_urgent(told.defects),
        street_key=first.street_key,
        area_code=first.area_code,
        make_safe_due_at=earliest([one.make_safe_due_at for one in told.defects if one.made_safe_at is None]),
        permanent_due_at=earliest([one.permanent_due_at for one in told.defects]),
        defect_ids=tuple(one.id for one in told.defects),
        follows=told.follows,
        declined_by=told.declined_by,
        issued_at=told.issued_at,
    )


def _issued(told: Instruction, order_id: OrderId) -> OrderIssued:
    covered = tuple(one.id for one in told.defects)
    ORDER.check(OrderState.DRAFT, OrderState.ISSUED, {"contractor_id": told.contractor_id, "defect_ids": covered})
    return OrderIssued(
        works_order_id=order_id,
        before=None,
        after=OrderState.ISSUED,
        contractor_id=told.contractor_id,
        defect_ids=covered,
        charge_to=told.charge_to,
        why=told.why,
    )


def follow_grades(tx: WriteTx, order_ids: Sequence[int], why: str, now: datetime) -> None:
    """Let orders follow the bands and due times of what they cover; told only where something changed."""
    if not order_ids:
        return
    moves, told = [], []
    covered = covers.covered_by(tx, order_ids)
    for order in works.lock_many(tx, order_ids):
        defects = covered.get(order.id, [])
        band = most_urgent(defects) if defects else order.band
        safe = earliest([one.make_safe_due_at for one in defects])
        mended = earliest([one.permanent_due_at for one in defects])
        if not defects or (band, safe, mended) == (order.band, order.make_safe_due_at, order.permanent_due_at):
            continue
        values = {"band": band, "make_safe_due_at": safe, "permanent_due_at": mended}
        moves.append(Patch(order.id, order.state, order.state, values))
        told.append(
            OrderRegraded(
                works_order_id=order.id,
                contractor_id=order.contractor_id,
                band=band,
                was=order.band,
                make_safe_due=_iso(safe),
                permanent_due=_iso(mended),
                why=why,
            )
        )
    apply(tx, works_order, moves, now)
    event_log.append(tx, told, now)


def most_urgent(defects: Sequence[Coverable]) -> Band:
    """The most urgent band among them."""
    return min((Band(one.band) for one in defects), key=lambda band: band.urgency)


def earliest(times: Sequence[datetime | None]) -> datetime | None:
    """The earliest of those that are given."""
    return min((time for time in times if time is not None), default=None)


def _iso(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()
