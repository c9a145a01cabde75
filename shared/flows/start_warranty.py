"""Starts the warranty of each verified permanent repair, dated from its physical completion (DOMAIN 10.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import hypot

from shared.domain import warranty as rules
from shared.domain.events import DefectStepped, WarrantyStarted
from shared.domain.lifecycle import WARRANTY
from shared.domain.policy import Policy
from shared.domain.terms import Band, ContractorId, DefectId, DefectState, OrderId, VisitId, WarrantyId, WarrantyState
from shared.domain.warranty import Term
from shared.flows.step_warranties import WarrantyWalk, walk_warranties
from shared.flows.take_steps import DefectWalk, walk_defects
from shared.store import event_log, policies, warranties
from shared.store.engine import WriteTx
from shared.store.policies import InForce
from shared.store.warranties import NewWarranty, Repaired, WarrantyRow

_FAILED = (WarrantyState.ATTRIBUTABLE, WarrantyState.DISPUTED)
"""The repair before this one failed, and this one is its remedy."""


@dataclass(frozen=True, slots=True)
class VerifiedRepair:
    """A permanent repair that was verified; its defect is in `verified`. `repaired_at`: physical completion.

    `repair_type` None: what is usual for the class. Length and width of the patch in metres, along and across the road.
    """

    defect_id: DefectId
    works_order_id: OrderId
    visit_id: VisitId
    contractor_id: ContractorId
    repair_type: str | None
    repaired_at: datetime
    length_m: float | None
    width_m: float | None


def start(tx: WriteTx, verified: Sequence[VerifiedRepair], now: datetime) -> None:
    """Give each repair its one warranty and take its defect into it; a repair without a term closes its defect.

    A remedy goes on with what remains of the failed repair's term, at least the policy's months; one that has grown
    beyond its footprint is warranted anew. Safe to repeat. Locks the warranties that were there.
    """
    if not verified:
        return
    in_force = policies.in_force(tx, now)
    about = warranties.repaired(tx, [(one.defect_id, one.works_order_id, one.visit_id) for one in verified])
    before = warranties.lock_unfinished(tx, [one.defect_id for one in verified])
    promises = [
        _promise(one, about[one.defect_id, one.works_order_id], before.get(one.defect_id, []), in_force)
        for one in verified
    ]
    stored = warranties.start(tx, [promise for promise in promises if promise is not None], now)
    started = [
        (promise, stored[promise.defect_id, promise.works_order_id])
        for promise in promises
        if promise is not None and (promise.defect_id, promise.works_order_id) in stored
    ]
    event_log.append(tx, [_told(*one) for one in started], now)
    _retire(tx, [old for promise, _ in started for old in before.get(promise.defect_id, [])], now)
    unpromised = [one for one, promise in zip(verified, promises, strict=True) if promise is None]
    walk_defects(tx, [*(_warranted(*one) for one in started), *map(_unwarranted, unpromised)], now)


def _promise(
    one: VerifiedRepair, about: Repaired, before: Sequence[WarrantyRow], in_force: InForce
) -> NewWarranty | None:
    """What the repair is warranted for; None when its type has no term."""
    policy = in_force.policy
    kind = one.repair_type or policy.classes[about.class_code].repair_type
    failed = next((old for old in reversed(before) if old.state in _FAILED), None)
    term = _term(one, about, kind, failed, in_force)
    if term is None:
        return None
    patch = rules.patch(one.length_m, one.width_m, about.class_code, policy)
    return NewWarranty(
        defect_id=one.defect_id,
        works_order_id=one.works_order_id,
        visit_id=one.visit_id,
        contractor_id=one.contractor_id,
        repair_type=kind,
        repaired_at=one.repaired_at,
        starts_on=term.starts_on,
        ends_on=term.ends_on,
        x=about.x,
        y=about.y,
        # A circle: which way the patch lies is not known better than its position.
        radius_m=hypot(patch.length_m, patch.width_m) / 2,
        follows=None if failed is None else failed.id,
    )


def _term(
    one: VerifiedRepair, about: Repaired, kind: str, failed: WarrantyRow | None, in_force: InForce
) -> Term | None:
    months = rules.months_for(kind, Band(about.band or Band.P20), in_force.policy)
    completed_on = one.repaired_at.astimezone(in_force.calendar.tz).date()
    if failed is None:
        return rules.term(completed_on, months) if months else None
    grown = _grown(one, about, failed, in_force.policy)
    first = Term(failed.starts_on, failed.ends_on)
    return rules.after_recall(first, completed_on, has_grown=grown, months=months, policy=in_force.policy)


def _grown(one: VerifiedRepair, about: Repaired, failed: WarrantyRow, policy: Policy) -> bool:
    first = rules.patch(failed.length_m, failed.width_m, failed.class_code, policy)
    return rules.grown(first, rules.patch(one.length_m, one.width_m, about.class_code, policy), policy)


def _told(promise: NewWarranty, warranty_id: WarrantyId) -> WarrantyStarted:
    facts = {"verified": True, "starts_on": promise.starts_on}
    WARRANTY.check(WarrantyState.PENDING, WarrantyState.ACTIVE, facts)
    return WarrantyStarted(
        warranty_id=warranty_id,
        before=None,
        after=WarrantyState.ACTIVE,
        defect_id=promise.defect_id,
        contractor_id=promise.contractor_id,
        starts_on=promise.starts_on,
        ends_on=promise.ends_on,
    )


def _retire(tx: WriteTx, before: Sequence[WarrantyRow], now: datetime) -> None:
    """What stood before: a failed repair is remedied, a disputed one waits for its ruling, another is superseded."""
    walks = [_remedied(old) if old.state is WarrantyState.ATTRIBUTABLE else _superseded(old) for old in before]
    walk_warranties(tx, [walk for walk in walks if walk.row.state is not WarrantyState.DISPUTED], now)


def _remedied(old: WarrantyRow) -> WarrantyWalk:
    why = "The remedial repair is verified: its own warranty goes on from here."
    return WarrantyWalk(old, (WarrantyState.REMEDIED,), why, {"verified": True})


def _superseded(old: WarrantyRow) -> WarrantyWalk:
    why = "A newer repair of the same defect is verified."
    facts = {"void_reason": "superseded", "evidence": why}
    return WarrantyWalk(old, (WarrantyState.VOID,), why, facts, {"void_reason": "superseded"})


def _warranted(promise: NewWarranty, warranty_id: WarrantyId) -> DefectWalk:
    why = f"Under warranty until {promise.ends_on:%d %b %Y}, that day included."
    step = DefectStepped(
        defect_id=promise.defect_id, before=DefectState.VERIFIED, after=DefectState.IN_WARRANTY, why=why
    )
    return DefectWalk(promise.defect_id, (step,), {"warranty_id": warranty_id}, {"inspect_due_at": None})


def _unwarranted(one: VerifiedRepair) -> DefectWalk:
    why = "The policy gives this kind of repair no warranty."
    step = DefectStepped(defect_id=one.defect_id, before=DefectState.VERIFIED, after=DefectState.CLOSED, why=why)
    return DefectWalk(one.defect_id, (step,), {"no_warranty": why}, {"inspect_due_at": None})
