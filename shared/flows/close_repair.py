"""What follows from a verdict on a repair: verified work is warranted and payable, failed work is done again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.domain.events import DefectOrdered, RepairRejected, RepairVerified
from shared.domain.terms import ContractorId, DefectId, DefectState, OrderId, OrderState, VisitId
from shared.flows import settle_reports, start_warranty
from shared.flows.assign_works import assign
from shared.flows.start_warranty import VerifiedRepair
from shared.flows.take_steps import DefectWalk, OrderWalk, walk_defects, walk_orders
from shared.store import covers, public_photos, visits, works
from shared.store.engine import WriteTx
from shared.store.works import Coverable, Order


@dataclass(frozen=True, slots=True)
class Verdict:
    """Somebody's word on an order's repair. `verifier` and `completer` are actors, or "policy:<name>" for the rules."""

    order: Order
    verifier: str
    completer: str
    why: str
    site_check: bool = False

    @property
    def facts(self) -> dict[str, object]:
        return {
            "evidence_ok": self.order.state is OrderState.EVIDENCE_OK,
            "site_check": self.site_check,
            "verifier": self.verifier,
            "completer": self.completer,
            "reason": self.why,
        }


def verify(tx: WriteTx, verdicts: Sequence[Verdict], now: datetime) -> None:
    """Orders are verified and, where the council pays, payable; what was mended for good is under warranty from now.

    Raises:
        UnlawfulStep, GuardNotMet: an order may not be verified as it stands.
    """
    if not verdicts:
        return
    walk_orders(tx, [_verified(one, now) for one in verdicts], now)
    covered = covers.covered_by(tx, [one.order.id for one in verdicts])
    claimed = [
        (one, mended)
        for one in verdicts
        for mended in covered.get(one.order.id, ())
        if mended.state == DefectState.REPAIR_CLAIMED
    ]
    walk_defects(tx, [_mended(one, mended) for one, mended in claimed], now)
    _warrant(tx, claimed, now)
    # A temporary repair's order holds its defect until the permanent order takes over.
    held = DefectState.REPAIRED_TEMPORARY
    left = [one.id for defects in covered.values() for one in defects if one.state != held]
    works.uncover(tx, left, now)
    # What came to the order without being mended under it (a merge undone) is not lost with it.
    assign(tx, left, now)


def _verified(one: Verdict, now: datetime) -> OrderWalk:
    way: tuple[OrderState, ...] = (OrderState.VERIFIED,)
    if one.order.charge_to == "council":
        way = (*way, OrderState.PAYABLE)
    values = {"verified_at": now, "verifier": one.verifier, "ended_at": now, "missing": []}
    return OrderWalk(one.order, way, one.facts, one.why, values)


def _mended(one: Verdict, mended: Coverable) -> DefectWalk:
    step = RepairVerified(
        defect_id=mended.id,
        before=mended.state,
        after=DefectState.VERIFIED,
        works_order_id=one.order.id,
        visit_id=one.order.visit_id or 0,
        verifier=one.verifier,
        why=one.why,
    )
    return DefectWalk(mended.id, (step,), one.facts)


def _warrant(tx: WriteTx, claimed: Sequence[tuple[Verdict, Coverable]], now: datetime) -> None:
    repairs = visits.repairs_of(tx, [one.order.visit_id for one, _ in claimed if one.order.visit_id])
    start_warranty.start(
        tx,
        [
            VerifiedRepair(
                defect_id=DefectId(mended.id),
                works_order_id=OrderId(one.order.id),
                visit_id=VisitId(one.order.visit_id),
                contractor_id=ContractorId(one.order.contractor_id),
                repair_type=repairs[one.order.visit_id].repair_type,
                repaired_at=one.order.completed_at or now,
                length_m=repairs[one.order.visit_id].length_m,
                width_m=repairs[one.order.visit_id].width_m,
            )
            for one, mended in claimed
            if one.order.visit_id
        ],
        now,
    )
    public_photos.release_of_visits(tx, [one.order.visit_id for one, _ in claimed if one.order.visit_id], now)
    settle_reports.settle(tx, [mended.id for _, mended in claimed], now)


def fail(tx: WriteTx, verdict: Verdict, now: datetime) -> None:
    """The repair is rejected, and the same contractor does it again on the same order, at its own cost.

    A temporary repair hands its defects to the permanent order: it has failed, and is not done again.

    Raises:
        UnlawfulStep, GuardNotMet: the order has nothing to be failed.
    """
    order = verdict.order
    covered = covers.covered_by(tx, [order.id]).get(order.id, [])
    claimed = [one for one in covered if one.state == DefectState.REPAIR_CLAIMED]
    way: tuple[OrderState, ...] = (OrderState.FAILED, OrderState.REMEDIAL)
    values: dict[str, object] = dict.fromkeys(("completed_at", "sampled", "verify_due_at", "scheduled_for"))
    if not claimed and order.kind != "make_safe":
        way, values = (OrderState.FAILED,), {"ended_at": now, "verifier": verdict.verifier}
    walk_orders(tx, [OrderWalk(order, way, verdict.facts, verdict.why, {**values, "missing": []})], now)
    walk_defects(tx, [_rejected(one, verdict) for one in claimed], now)
    covers.take_back_safety(tx, [one.id for one in covered if order.kind == "make_safe"], now)


def _rejected(one: Coverable, verdict: Verdict) -> DefectWalk:
    rejected = DefectState.REPAIR_REJECTED
    steps = (
        RepairRejected(
            defect_id=one.id, before=one.state, after=rejected, works_order_id=verdict.order.id, why=verdict.why
        ),
        DefectOrdered(defect_id=one.id, before=rejected, after=DefectState.ORDERED, works_order_id=verdict.order.id),
    )
    facts = {**verdict.facts, "order_id": verdict.order.id}
    return DefectWalk(one.id, steps, facts, {"repaired_at": None})
