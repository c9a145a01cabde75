"""A person assesses defects: confirms, grades, watches, drops, or says who else mends them and when.

What a finding means stands in `weigh_finding.py`; here it is stored, told, and works orders and reports follow.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.domain.lifecycle import ORDER
from shared.domain.terms import ENDED_DEFECT, DefectState, OrderState
from shared.errors import NotFound, Refusal
from shared.flows import act_on_order, meanwhile, settle_reports, verify_repair
from shared.flows.draw_grades import Graded
from shared.flows.grade_defects import graded_values
from shared.flows.issue_works import follow_grades
from shared.flows.take_steps import OrderWalk, walk_orders
from shared.flows.weigh_finding import Finding, Person, Settled, weigh
from shared.store import defects, event_log, patches, policies, references, works
from shared.store.engine import WriteTx
from shared.store.patches import Patch
from shared.store.tables import defect

_D = DefectState


@dataclass(frozen=True, slots=True)
class Assessed:
    """A defect as it stands after a person's finding."""

    reference: str
    state: DefectState
    graded: Graded


@dataclass(frozen=True, slots=True)
class Refused:
    """A defect of many that the finding could not be applied to."""

    reference: str
    refusal: Refusal


def assess(
    tx: WriteTx, reference: str, finding: Finding, now: datetime, *, supervises: bool, seen: int | None = None
) -> Assessed:
    """Apply a person's finding to one defect. `supervises`: whether that person may agree to something less urgent.

    Raises:
        NotFound, UnlawfulStep, GuardNotMet, NeedsSecond, Invalid: the finding cannot be applied; nothing was done.
        ChangedMeanwhile: somebody changed it since it was seen; nothing was done.
    """
    seen_of = None if seen is None else {reference: seen}
    (said,) = assess_many(tx, [reference], finding, now, supervises=supervises, seen=seen_of)
    if isinstance(said, Refused):
        raise said.refusal
    return said


def assess_many(
    tx: WriteTx,
    named: Sequence[str],
    finding: Finding,
    now: datetime,
    *,
    supervises: bool,
    seen: Mapping[str, int] | None = None,
) -> list[Assessed | Refused]:
    """Apply one finding to many defects, each for itself; what is said of each, in their order. Locks them.

    `seen`: by the defect's reference, the newest event that the person knew of it (`flows/meanwhile.py`).
    """
    rows = defects.lock_named(tx, named)
    known = {references.read(one): event_id for one, event_id in (seen or {}).items()}
    changed = meanwhile.refusals(tx, "defect", {rows[one].id: known[one] for one in known if one in rows}, now)
    rules = policies.in_force(tx, now)
    person = Person(tx.actor, supervises)
    answers: list[Assessed | Refused] = []
    settled: dict[int, Settled] = {}
    for reference in map(references.read, named):
        try:
            if reference not in rows:
                raise NotFound(f"There is no defect {reference}.")
            row = rows[reference]
            if row.id in changed:
                raise changed[row.id]
            if row.id not in settled:
                settled[row.id] = weigh(row, finding, person, rules, now)
            answers.append(Assessed(reference, settled[row.id].anew.state, settled[row.id].graded))
        except Refusal as refusal:
            answers.append(Refused(reference, refusal))
    _keep(tx, list(settled.values()), now)
    return answers


def _keep(tx: WriteTx, settled: Sequence[Settled], now: datetime) -> None:
    """Store what was found, tell of it, and let works orders and reports follow."""
    patches.apply(tx, defect, [_patch(one, now) for one in settled], now)
    event_log.append(tx, [event for one in settled for event in one.events], now)
    _leave_to_others(tx, [one.row.id for one in settled if _hands_over(one)], now)
    _call_off(tx, [one.row.id for one in settled if _is_no_more_to_be_made_safe(one)], now)
    moved = [one.row.id for one in settled if one.anew.state is not one.row.state or one.row.state is _D.MONITOR]
    settle_reports.settle(tx, moved, now)


def _patch(one: Settled, now: datetime) -> Patch:
    names = ("facts", "depth_mm", "width_mm", "likelihood", "impact", "assessed_by", "assessed_at")
    values = {name: getattr(one.anew, name) for name in names} | graded_values(one.graded)
    if one.anew.state is not one.row.state:
        values["ended_at"] = now if one.anew.state in ENDED_DEFECT else None
    return Patch(one.row.id, one.row.state, one.anew.state, values)


def _hands_over(one: Settled) -> bool:
    """Whether the council, having made it safe, leaves the rest to the owner or to a scheme."""
    return one.row.state is _D.MADE_SAFE and one.anew.state in (_D.THIRD_PARTY, _D.DEFERRED_TO_SCHEME)


def _leave_to_others(tx: WriteTx, defect_ids: Sequence[int], now: datetime) -> None:
    """What covers them ends with what was done: an order for one of them alone was to make it safe, and did."""
    orders = works.lock_many(tx, works.open_orders_of(tx, defect_ids)) if defect_ids else []
    alone = [order for order in orders if len(order.defect_ids) == 1]
    walk_orders(tx, [OrderWalk(order, (), values={"kind": "make_safe"}) for order in alone], now)
    shared = {covered for order in orders if order not in alone for covered in order.defect_ids}
    works.uncover(tx, sorted(shared & set(defect_ids)), now)
    verify_repair.judge_orders(tx, [order.id for order in alone], now)


def _is_no_more_to_be_made_safe(one: Settled) -> bool:
    """Whether it has ended, or the council mends what another was to mend: that takes an order to repair it."""
    return one.anew.state is not one.row.state and (one.row.state is _D.THIRD_PARTY or one.anew.state in ENDED_DEFECT)


def _call_off(tx: WriteTx, defect_ids: Sequence[int], now: datetime) -> None:
    """No crew is sent to them any more. Where one has come, its order goes on: what it did is told, judged and paid."""
    orders = works.lock_many(tx, works.open_orders_of(tx, defect_ids)) if defect_ids else []
    to_come = [order for order in orders if ORDER.may(order.state, OrderState.CANCELLED)]
    emptied = [order for order in to_come if set(order.defect_ids) <= set(defect_ids)]
    for order in emptied:
        act_on_order.cancel(tx, order.reference, "Nothing is left of it to be made safe.", now)
    shared = [order for order in to_come if order not in emptied]
    works.uncover(tx, sorted({one for order in shared for one in order.defect_ids} & set(defect_ids)), now)
    follow_grades(tx, [order.id for order in shared], "A defect of the order need not be made safe any more.", now)
