"""Recalls: what is seen in a live footprint is never absorbed by finished work, but asks whether the repair has failed.

A sighting proposes a recall; a person attributes the failure or not; the contractor may dispute, a supervisor rules.
What each decision does to defect, warranty and reports stands in `settle_recall.py` (DOMAIN 10.2, 10.3 case 6).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from shared.domain.events import RecallDecided, RecallProposed, ReportTriaged
from shared.domain.lifecycle import REPORT
from shared.domain.policy import Policy
from shared.domain.terms import RecallId, ReportState, WarrantyId, WarrantyState
from shared.domain.warranty import Failure, Term, attribute
from shared.errors import Conflict
from shared.flows import meanwhile
from shared.flows.settle_recall import Case, Decision, open_case, settle_case
from shared.flows.step_warranties import WarrantyWalk, walk_warranties
from shared.store import event_log, policies, recall_sightings, recalls, reports_decisions, states, warranties
from shared.store.engine import WriteTx
from shared.store.policies import InForce
from shared.store.recalls import Claim, Seen
from shared.store.tables import report
from shared.store.warranties import WarrantyRow

__all__ = ["Claim", "Decision", "decide", "dispute", "propose", "rule"]

_CLAIMABLE = (WarrantyState.ACTIVE, WarrantyState.EXPIRED)


def propose(tx: WriteTx, claims: Sequence[Claim], now: datetime) -> list[RecallId]:
    """Open a recall for each warranty in whose footprint something was seen, or let it wait with the open one.

    A report among them waits in triage. Locks the warranties. Returns the recalls, old and new.

    Raises:
        Conflict: a warranty has ended, or its recall was decided, since the claim was made: match the sighting anew.
    """
    if not claims:
        return []
    in_force = policies.in_force(tx, now)
    promised = warranties.lock(tx, sorted({claim.warranty_id for claim in claims}))
    seen = recalls.seen(tx, claims)
    waiting = recalls.undecided(tx, list(promised))
    first = {one.warranty_id: one for one in reversed(seen) if one.warranty_id not in waiting}
    waiting |= _open(tx, [(promised[one], first[one]) for one in promised if one in first], in_force, now)
    recalls.add_claims(tx, waiting, claims, now)
    _await(tx, [one for one in claims if one.report_id is not None], now)
    return sorted(waiting.values())


def _open(
    tx: WriteTx, claimed: Sequence[tuple[WarrantyRow, Seen]], in_force: InForce, now: datetime
) -> Mapping[WarrantyId, RecallId]:
    """Open a recall on each of these warranties, for what was seen first."""
    for row, _ in claimed:
        if row.state not in _CLAIMABLE:
            raise Conflict(f"The warranty of {row.defect} is {row.state}: match what was seen there anew.")
    if not claimed:
        return {}
    reasons = {row.id: _reason(row, seen, in_force) for row, seen in claimed}
    walk_warranties(tx, [_claim_open(row, seen, reasons[row.id], in_force) for row, seen in claimed], now)
    made = recalls.insert_all(tx, [(row, reasons[row.id]) for row, _ in claimed], now)
    told = [
        RecallProposed(
            recall_id=made[row.id],
            warranty_id=row.id,
            defect_id=row.defect_id,
            contractor_id=row.contractor_id,
            why=reasons[row.id],
        )
        for row, _ in claimed
    ]
    event_log.append(tx, told, now)
    return made


def _claim_open(row: WarrantyRow, seen: Seen, why: str, in_force: InForce) -> WarrantyWalk:
    seen_on = seen.seen_at.astimezone(in_force.calendar.tz).date()
    return WarrantyWalk(row, (WarrantyState.CLAIM_OPEN,), why, {"seen_on": seen_on, "ends_on": row.ends_on})


def _reason(row: WarrantyRow, seen: Seen, in_force: InForce) -> str:
    """What matching said, and what the rules make of it, for the person who decides."""
    policy: Policy = in_force.policy
    failure = Failure(
        seen_on=seen.seen_at.astimezone(in_force.calendar.tz).date(),
        distance_m=seen.distance_m,
        same_kind=seen.class_code in policy.kinds_like(row.class_code),
    )
    return f"{seen.why} {attribute(failure, Term(row.starts_on, row.ends_on), policy).why}"


def _await(tx: WriteTx, claims: Sequence[Claim], now: datetime) -> None:
    """Reports that nobody has read wait in triage for the decision."""
    reasons = {claim.report_id: claim.why for claim in claims}
    before, after = ReportState.RECEIVED, ReportState.TRIAGE
    unread = [
        row
        for row in reports_decisions.lock_ids(tx, [one for one in reasons if one is not None])
        if row.state is before
    ]
    if not unread:
        return
    REPORT.check(before, after)
    states.move(tx, report, [row.id for row in unread], before, after, now)
    told = [ReportTriaged(report_id=row.id, before=before, after=after, why=reasons[row.id]) for row in unread]
    event_log.append(tx, told, now)


def decide(tx: WriteTx, reference: str, decision: Decision, why: str, now: datetime, seen: int | None = None) -> None:
    """An operator says whether the failure is the repair's.

    Raises:
        NotFound: there is no such recall.
        ChangedMeanwhile: somebody decided it since it was `seen` (`flows/meanwhile.py`).
        Conflict: it is decided already, or disputed: then a supervisor rules.
    """
    case = _locked(tx, reference, now, seen)
    if case.recall.state != "proposed":
        raise Conflict(f"The recall {reference} is {case.recall.state}: it is not decided again.")
    recalls.change(tx, case.recall.id, state=decision, decided_at=now, decided_by=tx.actor, decision_why=why)
    event_log.append(tx, _decided(case, decision, why, ruling=False), now)
    settle_case(tx, case, decision, why, now)


def rule(tx: WriteTx, reference: str, decision: Decision, why: str, now: datetime, seen: int | None = None) -> None:
    """A supervisor rules on what the contractor disputes.

    Raises:
        NotFound: there is no such recall.
        ChangedMeanwhile: somebody ruled on it since it was `seen` (`flows/meanwhile.py`).
        Conflict: it is not disputed.
    """
    case = _locked(tx, reference, now, seen)
    if case.recall.state != "disputed":
        raise Conflict(f"The recall {reference} is {case.recall.state}: only a disputed one is ruled on.")
    recalls.change(tx, case.recall.id, state=decision, ruled_at=now, ruled_by=tx.actor, decision_why=why)
    event_log.append(tx, _decided(case, decision, why, ruling=True), now)
    settle_case(tx, case, decision, why, now)


def dispute(tx: WriteTx, reference: str, contractor_id: int | None, why: str, now: datetime) -> None:
    """The contractor says that the failure is not the repair's. The work goes on; who pays is ruled on.

    `contractor_id`: whose own recall it must be.

    Raises:
        NotFound: there is no such recall, or it is another's.
        Conflict: it is disputed or ruled on already, or found not to be the contractor's.
    """
    found = recalls.lock(tx, reference, contractor_id)
    if found.state not in ("proposed", "attributable") or found.ruled:
        raise Conflict(f"The recall {reference} is {found.state}{' by a ruling' if found.ruled else ''}.")
    if found.state == "attributable" and found.works_order_id is None:
        raise Conflict(f"The remedial order of {reference} is being issued: dispute it in a moment.")
    case = open_case(tx, found, now)
    facts = {"contractor_id": case.warranty.contractor_id, "reason": why}
    walk_warranties(tx, [WarrantyWalk(case.warranty, (WarrantyState.DISPUTED,), why, facts)], now)
    recalls.change(tx, found.id, state="disputed", disputed_at=now)
    event_log.append(tx, _decided(case, "disputed", why, ruling=False), now)


def _locked(tx: WriteTx, reference: str, now: datetime, seen: int | None) -> Case:
    """The recall as it was seen, its place kept from everybody else's matching, then with its rows."""
    recall_sightings.lock_place(tx, reference, policies.in_force(tx, now).policy)
    found = recalls.lock(tx, reference)
    meanwhile.check(tx, "recall", {found.id: seen}, now)
    recall_sightings.lock_reports(tx, found.id)
    return open_case(tx, found, now)


def _decided(case: Case, decision: str, why: str, *, ruling: bool) -> RecallDecided:
    return RecallDecided(
        recall_id=case.recall.id,
        warranty_id=case.warranty.id,
        defect_id=case.recall.defect_id,
        contractor_id=case.warranty.contractor_id,
        decision=decision,
        ruling=ruling,
        why=why,
    )
