"""What the decision about a recall does: to the defect, the warranty, the order, and to what waits with it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.domain import dedupe
from shared.domain.events import (
    DefectRecalled,
    DefectRecorded,
    DefectStepped,
    OrderRecharged,
    ReportLinked,
    Step,
)
from shared.domain.lifecycle import REPORT
from shared.domain.terms import OPEN_DEFECT, DefectId, DefectState, OrderId, OrderState, ReportState, WarrantyState
from shared.errors import Conflict
from shared.flows import end_warranty, grade_defects, merge_defects, settle_reports
from shared.flows.draw_grades import by_rules
from shared.flows.issue_works import Instruction, issue
from shared.flows.step_warranties import WarrantyWalk, walk_warranties
from shared.flows.take_steps import DefectWalk, OrderWalk, walk_defects, walk_orders
from shared.store import defects, event_log, matching, policies, recall_sightings, recalls, states, warranties, works
from shared.store.defects import DefectRow
from shared.store.engine import WriteTx
from shared.store.policies import InForce
from shared.store.recalls import RecallRow
from shared.store.tables import report
from shared.store.warranties import WarrantyRow

_D = DefectState
_W = WarrantyState
_OLD_MEASURES = ("measured_depth_mm", "measured_width_mm", "danger", "collapse", "obstruction", "flooding")
"""What an earlier assessment saw, and the failure may not show."""


class Decision(StrEnum):
    """Whose failure it is."""

    ATTRIBUTABLE = "attributable"
    NOT_ATTRIBUTABLE = "not_attributable"


@dataclass(frozen=True, slots=True)
class Case:
    """A recall with the warranty that it claims on and the defect whose repair failed, all locked."""

    recall: RecallRow
    warranty: WarrantyRow
    defect: DefectRow
    rules: InForce


def open_case(tx: WriteTx, found: RecallRow, now: datetime) -> Case:
    """The rows that a decision about a locked recall is about, locked."""
    promised = warranties.lock(tx, [found.warranty_id])[found.warranty_id]
    (about,) = defects.lock(tx, [found.defect_id])
    return Case(found, promised, about, policies.in_force(tx, now))


def settle_case(tx: WriteTx, case: Case, decision: Decision, why: str, now: datetime) -> None:
    """Let a decision, or a ruling, have its effect. The recall has its new state already."""
    if case.recall.works_order_id is None:
        _settle_unmended(tx, case, decision, why, now)
    elif decision is Decision.ATTRIBUTABLE:
        _uphold(tx, case, why, now)
    else:
        _overturn(tx, case, why, now)


def _settle_unmended(tx: WriteTx, case: Case, decision: Decision, why: str, now: datetime) -> None:
    """Nothing was done about the failure yet."""
    if decision is Decision.NOT_ATTRIBUTABLE:
        _let_go(tx, case, why, now)
    elif case.defect.state is _D.CLOSED:
        _send_back_anew(tx, case, why, now)
    else:
        _send_back(tx, case, why, now)


def _facts(tx: WriteTx, case: Case, why: str, now: datetime) -> Mapping[str, Any]:
    """What the steps of the warranty ask for."""
    return {
        "person": tx.actor,
        "supervisor": tx.actor,
        "reason": why,
        "verified": True,
        "today": now.astimezone(case.rules.calendar.tz).date(),
        "ends_on": case.warranty.ends_on,
        "void_reason": "superseded",
        "evidence": why,
    }


def _walk(tx: WriteTx, case: Case, way: tuple[_W, ...], why: str, now: datetime, **values: Any) -> None:
    walk_warranties(tx, [WarrantyWalk(case.warranty, way, why, _facts(tx, case, why, now), values)], now)


# --- the failure is the repair's -------------------------------------------------------------------------------------


def _send_back(tx: WriteTx, case: Case, why: str, now: datetime) -> None:
    """The defect is open again, graded anew from the day on which its failure was known; `assign` issues the remedy."""
    _walk(tx, case, (_W.ATTRIBUTABLE,), why, now)
    told = recall_sightings.waiting(tx, case.recall.id)
    step = DefectRecalled(
        defect_id=case.defect.id, before=case.defect.state, after=_D.RECALLED, recall_id=case.recall.id, why=why
    )
    kept = {name: fact for name, fact in case.defect.facts.items() if name not in _OLD_MEASURES}
    values = {
        "facts": kept | ({"danger": True} if told and told.danger else {}),
        "clock_from": told.known_at if told else now,
        "assessed_by": tx.actor,
        "assessed_at": now,
        **dict.fromkeys(("depth_mm", "width_mm", "impact", "made_safe_at", "ended_at")),
        "overdue": False,
    }
    walk_defects(tx, [DefectWalk(case.defect.id, (step,), {"attributable": True}, values)], now)
    _link(tx, case, case.defect.id, now)
    _grade(tx, case, case.defect.id, now)
    _take_in_doubles(tx, case, now)
    settle_reports.settle(tx, [case.defect.id], now)


def _take_in_doubles(tx: WriteTx, case: Case, now: datetime) -> None:
    """What was recorded beside the repair before anybody claimed on it, and is by the rule what is open again now.

    A person may undo it. What is being repaired already stays: a crew is on its way to it.
    """
    old, policy = case.defect, case.rules.policy
    around = matching.surroundings(tx, [recall_sightings.as_seen(tx, old.id)], policy)
    rules, apart = policy.duplicates_of(old.class_code), around.apart
    since = case.warranty.repaired_at
    found = dedupe.doubles(old.id, around.board.places(), since, rules, apart)
    merge_defects.take_in(tx, found, old.id, "It is the failure of a repair that was sent back.", now)


def _send_back_anew(tx: WriteTx, case: Case, why: str, now: datetime) -> None:
    """Seen in time, told after the warranty's end: the old defect stays closed, and a new one goes back in its place.

    Raises:
        Conflict: nothing waits with the recall any more.
    """
    _walk(tx, case, (_W.ATTRIBUTABLE,), why, now)
    anew = _found(tx, case, now)
    if anew is None:
        raise Conflict(f"Nothing waits with {case.recall.reference} any more: there is nothing to send back.")
    confirmed = DefectStepped(defect_id=anew, before=_D.CANDIDATE, after=_D.CONFIRMED, why=why)
    values = {"assessed_by": tx.actor, "assessed_at": now}
    walk_defects(tx, [DefectWalk(anew, (confirmed,), {"person": tx.actor, "reason": why}, values)], now)
    _grade(tx, case, anew, now)
    (order_id,) = issue(
        tx,
        [
            Instruction(
                contractor_id=case.warranty.contractor_id,
                lot="warranty",
                defects=(defects.coverable(tx, anew),),
                kind="remedial",
                charge_to="contractor",
                follows=case.warranty.works_order_id,
                why="The repair failed within its warranty: the same contractor does it again at its own cost.",
            )
        ],
        now,
    )
    works.remember_remedies(tx, [(case.recall.id, order_id)])


def _uphold(tx: WriteTx, case: Case, why: str, now: datetime) -> None:
    """The remedy is under way, or done: the ruling changes nothing of it."""
    done = warranties.remedied_by(tx, case.warranty.id)
    _walk(tx, case, (_W.ATTRIBUTABLE, _W.REMEDIED) if done else (_W.ATTRIBUTABLE,), why, now)
    _link_to_open(tx, case, now)


def _grade(tx: WriteTx, case: Case, defect_id: DefectId, now: datetime) -> None:
    """The band of the failure, with the permanent clock no longer than the policy's for recalls."""
    (row,) = defects.lock(tx, [defect_id])
    graded = by_rules(replace(row, recalled=True), case.rules, now)
    grade_defects.keep(tx, [(row, graded)], now)


# --- it is not -------------------------------------------------------------------------------------------------------


def _let_go(tx: WriteTx, case: Case, why: str, now: datetime) -> None:
    """The warranty stands as before; what was seen is a defect of its own."""
    over = now.astimezone(case.rules.calendar.tz).date() > case.warranty.ends_on
    _walk(tx, case, (_W.NOT_ATTRIBUTABLE, _W.EXPIRED if over else _W.ACTIVE), why, now)
    if over:
        end_warranty.close(tx, [case.defect.id], "expired", "Its warranty has expired.", now)
    _found(tx, case, now)


def _overturn(tx: WriteTx, case: Case, why: str, now: datetime) -> None:
    """The remedy, under way or done, is not the contractor's to pay: the council pays, and the old promise is over."""
    _walk(tx, case, (_W.NOT_ATTRIBUTABLE, _W.VOID), why, now, void_reason="superseded")
    if case.recall.works_order_id is not None:
        _recharge(tx, case.recall.works_order_id, why, now)
    _link_to_open(tx, case, now)


def _recharge(tx: WriteTx, order_id: OrderId, why: str, now: datetime) -> None:
    """Let the council pay for an order; one that is verified is payable now."""
    (order,) = works.lock_many(tx, [order_id])
    told = OrderRecharged(works_order_id=order.id, contractor_id=order.contractor_id, charge_to="council", why=why)
    event_log.append(tx, told, now)
    way = (OrderState.PAYABLE,) if order.state is OrderState.VERIFIED else ()
    facts = {"charge_to": "council"}
    walk_orders(tx, [OrderWalk(order, way, facts, why, facts)], now)


def _found(tx: WriteTx, case: Case, now: datetime) -> DefectId | None:
    """Record what waits with the recall as a new defect that recurs from the old one; None when nothing waits."""
    if recall_sightings.waiting(tx, case.recall.id) is None:
        return None
    anew = recall_sightings.found(tx, case.recall.id, case.defect.id, case.rules.id, now)
    told = DefectRecorded(
        defect_id=anew,
        before=None,
        after=_D.CANDIDATE,
        class_code=case.defect.class_code,
        recurrence_of=case.defect.id,
    )
    event_log.append(tx, told, now)
    reach = case.rules.policy.duplicates_of(case.defect.class_code).same_cap_m
    recall_sightings.keep_apart(tx, anew, reach, now)
    recalls.change(tx, case.recall.id, new_defect_id=anew)
    _link(tx, case, anew, now)
    return anew


# --- what waited with it ---------------------------------------------------------------------------------------------


def _link_to_open(tx: WriteTx, case: Case, now: datetime) -> None:
    """What was seen during the dispute belongs to what is mended, if that is still open; else it waits for a person."""
    (mended,) = defects.lock(tx, [case.recall.new_defect_id or case.defect.id])
    if mended.state in OPEN_DEFECT:
        _link(tx, case, mended.id, now)


def _link(tx: WriteTx, case: Case, defect_id: DefectId, now: datetime) -> None:
    """Link all that waits with the recall to a defect."""
    linked = recall_sightings.link(tx, case.recall.id, defect_id, case.rules.id, now)
    if not linked:
        return
    before, after = ReportState.TRIAGE, ReportState.LINKED
    REPORT.check(before, after, {"defect_id": defect_id})
    states.move(tx, report, [one.report_id for one in linked], before, after, now)
    told: list[Step] = [
        ReportLinked(
            report_id=one.report_id, before=before, after=after, defect_id=defect_id, verdict="recall", why=one.why
        )
        for one in linked
    ]
    event_log.append(tx, told, now)
