"""Which acts a person may do to a defect or a report now, and why not the others: asked of the flows' own checks.

Each act is weighed with all that it may need given, so that what is refused here is refused whatever is given.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from shared.domain.lifecycle import DEFECT, REPORT
from shared.domain.terms import DefectState, ReportState
from shared.errors import Conflict, Refusal
from shared.flows import act_on_order, decide_report, link_report, merge_defects, order_by_hand, split_defect
from shared.flows.decide_report import Rejection
from shared.flows.weigh_finding import Decision, Finding, Person, weigh
from shared.store import defects, merges, policies, relinks, reports_decisions, works
from shared.store.defects import DefectRow
from shared.store.engine import ReadTx
from shared.store.merges import Party
from shared.store.reports_decisions import ReportRow

Check = Callable[[], object]
_R = ReportState
_WHY = "Weighed."


@dataclass(frozen=True, slots=True)
class Act:
    """Something that a person does. `why_not`: what forbids it now; None where it is lawful."""

    name: str
    why_not: str | None

    @property
    def lawful(self) -> bool:
        return self.why_not is None


def acts_on_defect(tx: ReadTx, reference: str, person: Person, now: datetime) -> list[Act]:
    """The acts on a defect, for this person, in the order in which they are thought of.

    confirm, monitor, no_defect, third_party, defer, mended, reopen (`assess_defect`); made_safe, which only a visit
    shows; order, cancel_order, reissue_order; merge (this into another), take_in (another into this), unmerge, split,
    unlink.

    Raises:
        NotFound: there is no such defect.
    """
    row = defects.look_at(tx, reference)
    party = merges.look_at(tx, [row.id])[row.id]
    checks = {**_findings(tx, row, person, now), **_works(tx, row), **_joins(tx, party)}
    return [Act(name, _refused(check)) for name, check in checks.items()]


def acts_on_report(tx: ReadTx, reference: str) -> list[Act]:
    """The acts on a report: link, new_defect, ask, refer, no_defect, reject, restore, unlink.

    Raises:
        NotFound: there is no such report.
    """
    row = reports_decisions.look_at(tx, reference)
    return [Act(name, _refused(check)) for name, check in _decisions(tx, row)]


def _refused(check: Check) -> str | None:
    try:
        check()
    except Refusal as no:
        return no.detail
    return None


def fullest(decision: Decision, now: datetime) -> Finding:
    """A finding with all that a decision may need: the gravest risk, an owner, a scheme and who accepts the risk."""
    return Finding(
        decision=decision,
        why=_WHY,
        likelihood=4,
        impact=4,
        owner="its owner",
        scheme_on=(now + timedelta(days=90)).date(),
        risk_signed_by="somebody",
    )


def _findings(tx: ReadTx, row: DefectRow, person: Person, now: datetime) -> Mapping[str, Check]:
    rules = policies.in_force(tx, now)
    found: dict[str, Check] = {
        one.value: partial(weigh, row, fullest(one, now), person, rules, now) for one in Decision
    }
    return {**found, "made_safe": partial(DEFECT.check, row.state, DefectState.MADE_SAFE)}


def _works(tx: ReadTx, row: DefectRow) -> Mapping[str, Check]:
    orders = works.look_at(tx, works.open_orders_of(tx, [row.id]))

    def of_order(check: Callable[[works.Order], None]) -> None:
        if not orders:
            raise Conflict(f"No works order covers {row.reference}.")
        check(orders[0])

    return {
        "order": partial(order_by_hand.check_wanted, tx, row.reference, row.id),
        "cancel_order": partial(of_order, act_on_order.check_cancel),
        "reissue_order": partial(of_order, act_on_order.check_reissue),
    }


def _joins(tx: ReadTx, party: Party) -> Mapping[str, Check]:
    """A duplicate stands for its original, as it does in the flows."""
    holder = party.merged_into or party.id

    def unlink() -> None:
        if not relinks.linked_reports(tx, holder):
            raise Conflict(f"No report that is still open is linked to {party.reference}.")

    return {
        "merge": partial(merge_defects.check_absorbed, party),
        "take_in": partial(merge_defects.check_taker, merges.look_at(tx, [holder])[holder]),
        "unmerge": lambda: merge_defects.check_unmerge(party, holder, merges.look_at_merge(tx, party.id)),
        "split": partial(split_defect.check_whole, tx, party),
        "unlink": unlink,
    }


def _decisions(tx: ReadTx, row: ReportRow) -> Iterator[tuple[str, Check]]:
    yield "link", partial(link_report.check_linkable, row)
    yield "new_defect", partial(link_report.check_foundable, row)
    read = decide_report.read_as(row.state)
    facts = {"person": "somebody", "reason": Rejection.NOT_HIGHWAYS, "evidence": _WHY, "target": "another"}
    asked = {"question": "What?", "asked_before": reports_decisions.asked_before(tx, row.id)}
    yield "ask", partial(REPORT.check, read, _R.NEEDS_INFO, asked)
    yield "refer", partial(REPORT.check, read, _R.REFERRED, facts)
    yield "no_defect", partial(REPORT.check, read, _R.NO_DEFECT_FOUND, facts)
    yield "reject", partial(REPORT.check, read, _R.REJECTED, facts)
    yield "restore", partial(decide_report.check_restorable, row)

    def unlink() -> None:
        if row.state is not _R.LINKED or not relinks.saw(tx, row.id):
            raise Conflict(f"{row.reference} is {row.state} and linked to no defect now.")

    yield "unlink", unlink
