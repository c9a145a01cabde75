"""Records a contractor's visit: kept once however often it comes, and moving its order only as far as it can."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

import orjson

from shared.domain.events import (
    DefectMadeSafe,
    DefectRepairedTemporarily,
    DefectStepped,
    RepairClaimed,
    Step,
    VisitRecorded,
)
from shared.domain.policy import Policy
from shared.domain.terms import DefectId, DefectState, OrderState, VisitId, VisitOutcome
from shared.domain.visits import KeptOnly, Moves, Times, VisitTold, effect, set_right, way_of_defect
from shared.errors import Conflict, Invalid
from shared.flows.assign_works import assign
from shared.flows.issue_works import Instruction, issue
from shared.flows.take_steps import DefectWalk, OrderWalk, walk_defects, walk_orders
from shared.store import event_log, policies, visits, works
from shared.store.engine import WriteTx
from shared.store.works import Coverable, Order


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a visit. `new`: told for the first time; `applied`: it moved its order; `why`: when it did not."""

    visit_id: VisitId
    order: str
    order_state: str
    new: bool
    applied: bool
    why: str = ""


def record(tx: WriteTx, told: VisitTold, contractor_id: int, now: datetime) -> Recorded:
    """Keep a visit to one of the contractor's orders, and let it move the order and its defects. Locks them.

    Raises:
        NotFound: the contractor has no such order.
        Invalid: the visit cannot be as it was told.
        Conflict: another visit of this client id was told before.
    """
    policy = policies.in_force(tx, now).policy
    told.check(policy)
    asked = works.lock(tx, told.order, contractor_id)
    visits.one_at_a_time(tx, contractor_id, told.client_id)
    body = _digest(told)
    if (before := visits.known(tx, contractor_id, told.client_id)) is not None:
        return _again(before, body)
    order, about = _where_it_belongs(tx, asked, told, now)
    decided = _effect(tx, order, told)
    visit_id = visits.keep(
        tx,
        told,
        body,
        order_id=order.id,
        contractor_id=contractor_id,
        defect_ids=[one.id for one in about],
        repair_type=_repair_type(told, about, policy),
        kept_only=decided.why if isinstance(decided, KeptOnly) else None,
        now=now,
    )
    visit = _Visit(visit_id, told, set_right(told, now, policy.evidence))
    if told.outcome is not VisitOutcome.ABORTED:
        visits.note_made_safe(tx, [one.id for one in about], visit.times.ended_at, now)
    _tell(tx, visit, order, now)
    match decided:
        case KeptOnly(why):
            return Recorded(visit_id, order.reference, order.state, True, False, why)
        case Moves():
            _leave_out(tx, order, about, told.outcome, now)
            state = _move_order(tx, visit, order, decided, now)
            _move_defects(tx, visit, about, now)
    return Recorded(visit_id, order.reference, state, True, True)


def _effect(tx: WriteTx, order: Order, told: VisitTold) -> Moves | KeptOnly:
    judged = visits.outcome_of(tx, order.visit_id) if order.state is OrderState.EVIDENCE_FAILED else None
    later = visits.applied_after(tx, order.id, told.ended_at)
    return effect(order.state, told.outcome, later=later, judged=judged)


@dataclass(frozen=True, slots=True)
class _Visit:
    id: VisitId
    told: VisitTold
    times: Times


def _digest(told: VisitTold) -> bytes:
    """Of what was told, without the time of sending: a phone that tries again sends that anew."""
    return hashlib.sha256(orjson.dumps(asdict(replace(told, sent_at=None)), option=orjson.OPT_UTC_Z)).digest()


def _again(before: visits.Kept, body: bytes) -> Recorded:
    if before.body_sha256 != body:
        raise Conflict("Another visit was told under this client_id; a new visit needs a new one.")
    return Recorded(before.id, before.order, before.order_state, False, before.applied, before.why)


def _where_it_belongs(tx: WriteTx, order: Order, told: VisitTold, now: datetime) -> tuple[Order, list[Coverable]]:
    """The order that the visit counts to, and the defects that it was about.

    An offline phone knows the first order only: what passed on to a later order of the same contractor counts there.
    """
    named = _named(tx, order, told)
    if told.outcome is VisitOutcome.PERMANENT and order.state in _TEMPORARILY_DONE:
        assign(tx, order.defect_ids, now)
        order = works.lock_many(tx, [order.id])[0]
    if not _still(order, named) and not _done_again(tx, order, told):
        order = works.open_follower(tx, order.id, order.contractor_id, named) or order
    covered = works.lock_covered(tx, order)
    return order, [one for one in covered if not named or one.id in named]


_TEMPORARILY_DONE = {
    OrderState.COMPLETED_TEMPORARY,
    OrderState.EVIDENCE_OK,
    OrderState.EVIDENCE_FAILED,
    OrderState.VERIFIED,
    OrderState.PAYABLE,
}
"""States in which a temporary repair may stand whose permanent order is not raised yet."""


def _named(tx: WriteTx, order: Order, told: VisitTold) -> set[DefectId]:
    known = visits.defects_of(tx, order.id, told.defects) if told.defects else {}
    if unknown := sorted(set(told.defects) - set(known)):
        raise Invalid(
            f"Works order {order.reference} is not about {', '.join(unknown)}.", {"defects": "are not of this order"}
        )
    return set(known.values())


def _still(order: Order, named: set[DefectId]) -> bool:
    """Whether the order covers something that the visit was about."""
    return bool(named & set(order.defect_ids)) if named else bool(order.defect_ids)


def _done_again(tx: WriteTx, order: Order, told: VisitTold) -> bool:
    """Whether the visit repeats the work whose evidence failed."""
    return order.state is OrderState.EVIDENCE_FAILED and visits.outcome_of(tx, order.visit_id) is told.outcome


def _repair_type(told: VisitTold, about: Sequence[Coverable], policy: Policy) -> str | None:
    """As told, else the usual one of what was mended."""
    if told.repair_type is not None or told.outcome is VisitOutcome.ABORTED or not about:
        return told.repair_type
    if told.outcome is not VisitOutcome.PERMANENT:
        return told.outcome.value
    rule = policy.classes.get(about[0].class_code)
    return None if rule is None else rule.repair_type


def _leave_out(tx: WriteTx, order: Order, about: Sequence[Coverable], outcome: VisitOutcome, now: datetime) -> None:
    """Defects that the visit was not about get an order of their own: each repair is proved for itself."""
    left = set(order.defect_ids) - {one.id for one in about}
    if not left or outcome is VisitOutcome.ABORTED or order.state is OrderState.EVIDENCE_FAILED:
        return
    told = Instruction(
        contractor_id=order.contractor_id,
        lot=order.lot,
        defects=tuple(works.lock_defects(tx, sorted(left))),
        kind=order.kind,
        charge_to=order.charge_to,
        follows=order.id,
        declined_by=order.declined_by,
        issued_at=order.issued_at,
        keep_states=True,
        why=f"A visit to {order.reference} was about its other defects.",
    )
    new = works.lock_many(tx, issue(tx, [told], now))
    way = (OrderState.ACCEPTED,) if order.accepted_at else ()
    values = {"accepted_at": order.accepted_at, "scheduled_for": order.scheduled_for}
    walk_orders(tx, [OrderWalk(one, way, why="As the order it was part of.", values=values) for one in new], now)


def _move_order(tx: WriteTx, visit: _Visit, order: Order, moves: Moves, now: datetime) -> OrderState:
    facts = {"visit_id": visit.id, "reason": visit.told.reason}
    came = OrderWalk(
        order,
        moves.arrival,
        facts,
        "The crew came.",
        {"accepted_at": order.accepted_at or visit.times.started_at},
    )
    walk_orders(tx, [came], now, occurred_at=visit.times.started_at)
    there = replace(order, state=moves.arrival[-1]) if moves.arrival else order
    left = OrderWalk(there, moves.leaving, facts, _why(visit.told), _values(visit))
    walk_orders(tx, [left], now, occurred_at=visit.times.ended_at)
    return moves.leaving[-1]


def _why(told: VisitTold) -> str:
    if told.reason is not None:
        return f"Aborted: {told.reason.value.replace('_', ' ')}."
    return f"The crew told of a visit: {told.outcome.value.replace('_', ' ')}."


def _values(visit: _Visit) -> dict[str, object]:
    if visit.told.outcome is VisitOutcome.ABORTED:
        return {"accepted_at": None, "scheduled_for": None}
    values: dict[str, object] = {"visit_id": visit.id, "missing": [], "sampled": None}
    if visit.told.outcome is not VisitOutcome.MADE_SAFE:
        values["completed_at"] = visit.times.ended_at
    return values


def _move_defects(tx: WriteTx, visit: _Visit, about: Sequence[Coverable], now: datetime) -> None:
    outcome, ended_at = visit.told.outcome, visit.times.ended_at
    mended = {"repaired_at": ended_at} if outcome is VisitOutcome.PERMANENT else {}
    walks = [
        DefectWalk(one.id, _steps(one, visit), {"visit_id": visit.id, "owner": True}, mended)
        for one in about
        if way_of_defect(outcome, DefectState(one.state))
    ]
    walk_defects(tx, walks, now, occurred_at=ended_at)


def _steps(one: Coverable, visit: _Visit) -> tuple[Step, ...]:
    steps, before = [], one.state
    for after in way_of_defect(visit.told.outcome, DefectState(one.state)):
        steps.append(_step(one.id, before, after, visit.id))
        before = after
    return tuple(steps)


def _step(defect_id: DefectId, before: str, after: DefectState, visit_id: VisitId) -> Step:
    match after:
        case DefectState.MADE_SAFE:
            return DefectMadeSafe(defect_id=defect_id, before=before, after=after, visit_id=visit_id)
        case DefectState.REPAIRED_TEMPORARY:
            return DefectRepairedTemporarily(defect_id=defect_id, before=before, after=after, visit_id=visit_id)
        case DefectState.REPAIR_CLAIMED:
            return RepairClaimed(defect_id=defect_id, before=before, after=after, visit_id=visit_id)
    return DefectStepped(
        defect_id=defect_id, before=before, after=after, why="The council made it safe; its owner mends it."
    )


def _tell(tx: WriteTx, visit: _Visit, order: Order, now: datetime) -> None:
    happened = VisitRecorded(
        works_order_id=order.id,
        contractor_id=order.contractor_id,
        visit_id=visit.id,
        outcome=visit.told.outcome,
        reason=visit.told.reason,
        late=visit.times.late_seconds,
    )
    event_log.append(tx, happened, now, occurred_at=visit.times.ended_at)
