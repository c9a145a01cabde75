"""Judges the evidence of visits, and verifies repairs: by rule, or by somebody other than who did the work."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shared.domain.deadlines import due
from shared.domain.evidence import (
    EvidenceFailed,
    EvidenceOk,
    OtherPhoto,
    Photo,
    Sampled,
    ToVerify,
    Visit,
    check_verifier,
    draw,
    judge,
    sampled,
)
from shared.domain.policy import EvidenceRules
from shared.domain.terms import Band, OrderState
from shared.errors import Conflict
from shared.flows import meanwhile
from shared.flows.close_repair import Verdict, fail, verify
from shared.flows.take_steps import OrderWalk, walk_orders
from shared.store import policies, visits, works
from shared.store.deliveries import Delivery
from shared.store.engine import WriteTx
from shared.store.policies import InForce
from shared.store.visits import ToJudge
from shared.store.works import Order

COMPLETED = frozenset({OrderState.COMPLETED_TEMPORARY, OrderState.COMPLETED_PERMANENT})
JUDGED = COMPLETED | {OrderState.EVIDENCE_FAILED, OrderState.MADE_SAFE}
"""States in which the evidence of an order's visit still matters."""
PASSED = frozenset({OrderState.VERIFIED, OrderState.PAYABLE, OrderState.PAID})


class AlreadyVerified(Conflict):
    """Somebody, or the rules, verified it before."""

    code = "already-verified"
    title = "Already verified"


def run(tx: WriteTx, due: Sequence[Delivery], now: datetime) -> None:
    """Hear of visits, and of photos that came after them."""
    judge_orders(tx, sorted({one.subject_id for one in due}), now)


def judge_orders(tx: WriteTx, order_ids: Sequence[int], now: datetime) -> None:
    """Judge the visits on which these orders stand, and go on from there: name what is missing, wait for a person,
    or verify. Safe to repeat. Locks the orders."""
    orders = {one.visit_id: one for one in works.lock_many(tx, order_ids) if one.visit_id and one.state in JUDGED}
    if not orders:
        return
    in_force = policies.in_force(tx, now)
    rules = in_force.policy.evidence
    facts = visits.to_judge(tx, [visit_id for visit_id in orders if visit_id], rules.same_photo_bits)
    verdicts = [(orders[one.id], one, _judged(one, rules)) for one in facts]
    visits.keep_judgements(tx, [(one.id, _written(verdict)) for _, one, verdict in verdicts], now)
    passed = [(order, one, verdict) for order, one, verdict in verdicts if isinstance(verdict, EvidenceOk)]
    lacking = [(order, verdict) for order, _, verdict in verdicts if isinstance(verdict, EvidenceFailed)]
    _name_what_is_missing(tx, lacking, now)
    _go_on(tx, [_Passed(order, one, verdict, in_force, now) for order, one, verdict in passed], now)


def _judged(facts: ToJudge, rules: EvidenceRules) -> EvidenceOk | EvidenceFailed:
    """Each hole is proved: a visit to several of them shows each before and after."""
    for_each = replace(rules, min_before=rules.min_before * facts.defects, min_after=rules.min_after * facts.defects)
    photos = tuple(
        Photo(one.reference, "before" if one.role == "before" else "after", one.phash, one.taken_at, one.distance_m)
        for one in facts.photos
    )
    visit = Visit(
        outcome=facts.outcome,
        issued_at=facts.issued_at,
        started_at=facts.started_at,
        ended_at=facts.ended_at,
        received_at=facts.received_at,
        sent_at=facts.sent_at,
        distance_m=facts.distance_m,
        accuracy_m=facts.accuracy_m or 0.0,
        last_seen_at=facts.last_seen_at,
        photos=photos,
    )
    others = [OtherPhoto(one.reference, one.phash, one.came_with) for one in facts.others]
    return judge(visit, others, for_each)


def _written(verdict: EvidenceOk | EvidenceFailed) -> dict[str, Any]:
    """The judgement as it is kept with the visit."""
    flags = [{"code": one.code, "sentence": one.sentence} for one in verdict.flags]
    match verdict:
        case EvidenceOk(why):
            return {"verdict": "ok", "why": [why], "missing": [], "flags": flags}
        case EvidenceFailed(missing):
            named = [{"code": one.code, "sentence": one.sentence} for one in missing]
            return {"verdict": "failed", "why": [], "missing": named, "flags": flags}


def _name_what_is_missing(tx: WriteTx, lacking: Sequence[tuple[Order, EvidenceFailed]], now: datetime) -> None:
    """Back to the contractor with a list. Made safe is not done: such an order goes on, and only shows the list."""
    walks = []
    for order, verdict in lacking:
        missing = [one.sentence for one in verdict.missing]
        if tuple(missing) == order.missing:
            continue
        way = (OrderState.EVIDENCE_FAILED,) if _is_completion(order) else ()
        walks.append(OrderWalk(order, way, {"missing": missing}, " ".join(missing), {"missing": missing}))
    walk_orders(tx, walks, now)


def _is_completion(order: Order) -> bool:
    """Whether the order's visit ended it: for an order to make safe, being made safe does."""
    return order.state is not OrderState.MADE_SAFE or order.kind == "make_safe"


@dataclass(frozen=True, slots=True)
class _Passed:
    """A visit whose evidence passes, and whether a person looks at the repair."""

    order: Order
    facts: ToJudge
    verdict: EvidenceOk
    in_force: InForce
    now: datetime

    @property
    def sampled(self) -> Sampled:
        policy, zone = self.in_force.policy, self.in_force.calendar.tz
        repair = ToVerify(
            band=Band(self.order.band),
            recall=self.order.kind == "remedial",
            contractor_since=self.facts.contractor_since,
            completed_on=(self.order.completed_at or self.facts.ended_at).astimezone(zone).date(),
            flagged=bool(self.verdict.flags),
        )
        return sampled(repair, policy, draw(self.order.reference, policy.sha256))

    @property
    def verify_due_at(self) -> datetime | None:
        policy = self.in_force.policy
        recall = self.order.kind == "remedial"
        clock = policy.warranty.recall_verify if recall else policy.bands[Band(self.order.band)].verify
        return None if clock is None else due(self.facts.received_at, clock, self.in_force.calendar).at

    def walk(self) -> OrderWalk:
        drawn = self.sampled
        values: Mapping[str, Any] = {
            "missing": [],
            "sampled": drawn.yes,
            "verify_due_at": self.verify_due_at if drawn.yes else None,
        }
        why = f"{self.verdict.why} {drawn.why}"
        return OrderWalk(self.order, (OrderState.EVIDENCE_OK,), {"evidence_ok": True}, why, values)


def _go_on(tx: WriteTx, passed: Sequence[_Passed], now: datetime) -> None:
    """Evidence is complete: sampled repairs wait for a person, the rules verify the others."""
    only_safe = [one for one in passed if not _is_completion(one.order) and one.order.missing]
    walk_orders(tx, [OrderWalk(one.order, (), values={"missing": []}) for one in only_safe], now)
    ended = [one for one in passed if _is_completion(one.order)]
    walk_orders(tx, [one.walk() for one in ended], now)
    by_rule = [one for one in ended if not one.sampled.yes]
    verify(
        tx,
        [
            Verdict(
                replace(one.order, state=OrderState.EVIDENCE_OK, sampled=False),
                verifier=f"policy:{one.in_force.policy.meta.name}",
                completer=one.facts.person,
                why=one.sampled.why,
            )
            for one in by_rule
        ],
        now,
    )


def decide(
    tx: WriteTx,
    reference: str,
    *,
    passed: bool,
    why: str,
    site_check: bool,
    company: int | None,
    now: datetime,
    seen: int | None = None,
) -> Order:
    """A person's verdict on a repair; who gives it stands in the transaction, `company` is their contractor if any.

    Raises:
        NotFound: there is no such order.
        ChangedMeanwhile: the order, or its evidence, changed since it was `seen` (`flows/meanwhile.py`).
        VerifierIsCompleter: they, or their company, did the work.
        AlreadyVerified: it is verified.
        UnlawfulStep, GuardNotMet: the order is not ready for a verdict, or lacks evidence and was not checked on site.
    """
    order = works.lock(tx, reference, None)
    meanwhile.check(tx, "works_order", {order.id: seen}, now)
    if order.state in PASSED:
        raise AlreadyVerified(f"{order.verifier} verified works order {reference} before.")
    completer = visits.person_of(tx, order.visit_id)
    check_verifier(tx.actor, completer, verifier_company=company, completer_company=order.contractor_id)
    verdict = Verdict(order, verifier=tx.actor, completer=completer, why=why, site_check=site_check)
    if passed:
        verify(tx, [verdict], now)
    else:
        fail(tx, verdict, now)
    return works.lock(tx, reference, None)
