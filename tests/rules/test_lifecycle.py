"""Every step from every state of the four lifecycles: accepted exactly when it stands here, with what it needs.

The tables below were written from DOMAIN 10.2 by hand, beside the program's own, so that neither changes unnoticed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import product
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from shared.domain.lifecycle import (
    DEFECT,
    ORDER,
    REPORT,
    WARRANTY,
    GuardNotMet,
    Lifecycle,
    UnlawfulStep,
    public_status,
)
from shared.domain.terms import (
    ENDED_DEFECT,
    OPEN_DEFECT,
    OPEN_REPORT,
    DefectState,
    OrderState,
    ReportState,
    WarrantyState,
)
from shared.store.tables import OPEN_STATES

OPEN = (
    "candidate confirmed monitor third_party made_safe ordered repaired_temporary repair_claimed repair_rejected "
    "recalled deferred_to_scheme"
)

EXPECTED = {
    "report": {
        "received": "triage rejected linked referred needs_info withdrawn",
        "triage": "needs_info linked referred no_defect_found rejected withdrawn",
        "needs_info": "triage withdrawn",
        "linked": "linked triage resolved withdrawn",
        "resolved": "linked challenged",
        "referred": "challenged",
        "no_defect_found": "challenged",
        "challenged": "triage withdrawn",
        "rejected": "triage",
        "withdrawn": "",
    },
    "defect": {
        "candidate": "confirmed monitor third_party no_defect duplicate",
        "confirmed": "no_defect third_party monitor made_safe ordered deferred_to_scheme duplicate",
        "monitor": "confirmed closed_no_action duplicate",
        "third_party": "made_safe ordered confirmed verified duplicate",
        "no_defect": "candidate",
        "duplicate": OPEN,
        "made_safe": "ordered repaired_temporary repair_claimed deferred_to_scheme third_party duplicate",
        "ordered": "made_safe confirmed repaired_temporary repair_claimed duplicate",
        "repaired_temporary": "ordered duplicate",
        "repair_claimed": "verified repair_rejected duplicate",
        "repair_rejected": "ordered duplicate",
        "verified": "in_warranty closed",
        "in_warranty": "closed recalled",
        "recalled": "ordered in_warranty duplicate",
        "deferred_to_scheme": "confirmed verified duplicate",
        "closed": "",
        "closed_no_action": "",
    },
    "works order": {
        "draft": "issued cancelled",
        "issued": "accepted declined cancelled",
        "declined": "issued cancelled",
        "accepted": "scheduled on_site cancelled",
        "scheduled": "scheduled on_site cancelled",
        "on_site": "made_safe completed_temporary completed_permanent aborted",
        "aborted": "issued",
        "made_safe": "scheduled on_site evidence_ok evidence_failed",
        "completed_temporary": "evidence_ok evidence_failed",
        "completed_permanent": "evidence_ok evidence_failed",
        "evidence_failed": "evidence_ok evidence_failed issued on_site verified failed",
        "evidence_ok": "verified failed",
        "failed": "remedial",
        "remedial": "accepted scheduled on_site",
        "verified": "payable",
        "payable": "paid",
        "paid": "",
        "cancelled": "",
    },
    "warranty": {
        "pending": "active void",
        "active": "claim_open expired void",
        "expired": "claim_open",
        "claim_open": "attributable not_attributable disputed",
        "attributable": "disputed remedied",
        "disputed": "attributable not_attributable",
        "not_attributable": "active expired void",
        "remedied": "active void",
        "void": "",
    },
}

FACTS: Mapping[str, Any] = {
    "answered": True,
    "all_ended": True,
    "attributable": True,
    "by_reporter": True,
    "challenge_until": date(2026, 7, 28),
    "challenged_at": date(2026, 7, 28),
    "charge_to": "council",
    "clear_rechecks": 2,
    "completer": "bob",
    "contractor_id": 3,
    "defect_id": 7,
    "defect_ids": (7,),
    "defect_open": True,
    "ends_on": date(2026, 7, 31),
    "evidence": "photo 12",
    "evidence_ok": True,
    "expired": True,
    "made_safe": True,
    "measured": True,
    "missing": ("no_after_photo",),
    "no_warranty": "mended by its owner",
    "notices": ("s.81 of 1 July",),
    "order_cancelled": True,
    "order_id": 9,
    "original_id": 6,
    "owner": "North West Water",
    "person": "ann",
    "question": "Which side of the road?",
    "reason": "spam",
    "ruled_by": "sue",
    "same_footprint": True,
    "scheduled_for": date(2026, 8, 3),
    "scheme_on": date(2027, 4, 1),
    "seconded_by": "sue",
    "seen_on": date(2026, 7, 31),
    "site_check": True,
    "starts_on": date(2025, 8, 1),
    "supervisor": "sue",
    "target": "National Highways",
    "today": date(2026, 7, 31),
    "verified": True,
    "verifier": "ann",
    "visit_id": 11,
    "void_reason": "excavated",
    "warranty_id": 5,
}
"""Facts that satisfy every guard but the few that ask for the contrary, which `facts_for` turns."""

MACHINES: tuple[tuple[Lifecycle[Any], type[StrEnum]], ...] = (
    (REPORT, ReportState),
    (DEFECT, DefectState),
    (ORDER, OrderState),
    (WARRANTY, WarrantyState),
)
PAIRS = [(machine, before, after) for machine, states in MACHINES for before, after in product(states, states)]


def facts_for(before: StrEnum, after: StrEnum) -> dict[str, Any]:
    """Facts with which the step is lawful, if it is a step at all."""
    facts = dict(FACTS)
    if before is DefectState.DUPLICATE:
        facts["state_before"] = after
    if (before, after) == (DefectState.RECALLED, DefectState.ORDERED):
        facts["charge_to"] = "contractor"
    if after is WarrantyState.EXPIRED:
        facts["today"] = date(2026, 8, 1)
    return facts


def expected(machine: Lifecycle[Any], before: StrEnum) -> set[str]:
    return set(EXPECTED[machine.name][before.value].split())


@pytest.mark.parametrize(("machine", "before", "after"), PAIRS)
def test_a_step_is_lawful_exactly_when_the_domain_has_it(
    machine: Lifecycle[Any], before: StrEnum, after: StrEnum
) -> None:
    facts = facts_for(before, after)

    if after in expected(machine, before):
        assert machine.may(before, after)
        machine.check(before, after, facts)
    else:
        assert not machine.may(before, after)
        with pytest.raises(UnlawfulStep, match=f"that is {before} cannot become {after}"):
            machine.check(before, after, facts)


@pytest.mark.parametrize(
    ("machine", "before", "after"),
    [(machine, *step) for machine, _ in MACHINES for step, guard in machine.steps.items() if guard.facts],
)
def test_a_guarded_step_without_its_facts_is_refused_and_says_what_it_takes(
    machine: Lifecycle[Any], before: StrEnum, after: StrEnum
) -> None:
    guard = machine.steps[before, after]

    with pytest.raises(GuardNotMet) as refused:
        machine.check(before, after)

    assert guard.sentence in refused.value.detail
    assert set(refused.value.errors) == set(guard.facts)
    assert machine.lawful_from(before)[after] == guard.sentence


@pytest.mark.parametrize(
    ("machine", "terminal"),
    [
        (REPORT, {"withdrawn"}),
        (DEFECT, {"closed", "closed_no_action"}),
        (ORDER, {"paid", "cancelled"}),
        (WARRANTY, {"void"}),
    ],
)
def test_nothing_leaves_a_terminal_state_and_every_state_can_be_reached(
    machine: Lifecycle[Any], terminal: set[str]
) -> None:
    reached, frontier = {machine.initial}, {machine.initial}
    while frontier:
        frontier = {after for state in frontier for after in machine.lawful_from(state)} - reached
        reached |= frontier

    assert machine.terminal == terminal
    assert reached == set(type(machine.initial))


def refused(machine: Lifecycle[Any], before: StrEnum, after: StrEnum, **changed: object) -> bool:
    try:
        machine.check(before, after, {**facts_for(before, after), **changed})
    except GuardNotMet:
        return True
    return False


def test_nobody_verifies_their_own_repair() -> None:
    assert refused(DEFECT, DefectState.REPAIR_CLAIMED, DefectState.VERIFIED, verifier="bob")
    assert refused(ORDER, OrderState.EVIDENCE_OK, OrderState.VERIFIED, verifier="bob")
    assert refused(ORDER, OrderState.EVIDENCE_FAILED, OrderState.VERIFIED, verifier="bob")


def test_failed_evidence_is_verified_by_a_site_check_only() -> None:
    assert refused(ORDER, OrderState.EVIDENCE_FAILED, OrderState.VERIFIED, site_check=False)


def test_an_unread_report_is_rejected_as_spam_or_abuse_only() -> None:
    assert refused(REPORT, ReportState.RECEIVED, ReportState.REJECTED, reason="below the level")
    assert not refused(REPORT, ReportState.TRIAGE, ReportState.REJECTED, reason="below the level")


def test_a_reporter_is_asked_once() -> None:
    assert refused(REPORT, ReportState.TRIAGE, ReportState.NEEDS_INFO, asked_before=True)


def test_a_challenge_comes_from_the_reporter_within_the_days() -> None:
    late = {"challenged_at": date(2026, 7, 29)}

    assert refused(REPORT, ReportState.RESOLVED, ReportState.CHALLENGED, **late)
    assert refused(REPORT, ReportState.RESOLVED, ReportState.CHALLENGED, by_reporter=False)


def test_a_report_with_one_hole_still_open_is_not_resolved() -> None:
    assert refused(REPORT, ReportState.LINKED, ReportState.RESOLVED, all_ended=False)


def test_a_machine_may_watch_by_a_rule_but_never_confirm() -> None:
    by_machine = {"person": None, "rule": "below the level"}

    assert not refused(DEFECT, DefectState.CANDIDATE, DefectState.MONITOR, **by_machine)
    assert refused(DEFECT, DefectState.CANDIDATE, DefectState.CONFIRMED, **by_machine)


def test_a_scheme_takes_a_defect_only_when_it_is_safe_or_signed_for() -> None:
    step = (DefectState.CONFIRMED, DefectState.DEFERRED_TO_SCHEME)

    assert refused(DEFECT, *step, made_safe=False)
    assert not refused(DEFECT, *step, made_safe=False, risk_signed_by="sue")
    assert refused(DEFECT, *step, scheme_on=None)


def test_a_recall_is_ordered_at_the_contractors_cost_and_never_paid_for() -> None:
    assert refused(DEFECT, DefectState.RECALLED, DefectState.ORDERED, charge_to="council")
    assert refused(ORDER, OrderState.VERIFIED, OrderState.PAYABLE, charge_to="contractor")


def test_a_warranty_holds_on_its_last_day_and_is_over_the_day_after() -> None:
    last_day, day_after = date(2026, 7, 31), date(2026, 8, 1)

    assert not refused(WARRANTY, WarrantyState.ACTIVE, WarrantyState.CLAIM_OPEN, seen_on=last_day)
    assert refused(WARRANTY, WarrantyState.ACTIVE, WarrantyState.CLAIM_OPEN, seen_on=day_after)
    assert refused(WARRANTY, WarrantyState.ACTIVE, WarrantyState.EXPIRED, today=last_day)
    assert not refused(WARRANTY, WarrantyState.ACTIVE, WarrantyState.EXPIRED, today=day_after)


def test_what_was_seen_on_the_last_day_and_told_later_still_opens_a_claim() -> None:
    assert not refused(WARRANTY, WarrantyState.EXPIRED, WarrantyState.CLAIM_OPEN, seen_on=date(2026, 7, 31))
    assert refused(WARRANTY, WarrantyState.EXPIRED, WarrantyState.CLAIM_OPEN, seen_on=date(2026, 8, 1))


def test_a_warranty_is_void_only_for_a_known_reason_with_evidence() -> None:
    assert refused(WARRANTY, WarrantyState.ACTIVE, WarrantyState.VOID, void_reason="rain")
    assert refused(WARRANTY, WarrantyState.ACTIVE, WarrantyState.VOID, evidence="")


def test_an_undone_merge_restores_the_state_from_before_and_no_other() -> None:
    assert refused(DEFECT, DefectState.DUPLICATE, DefectState.ORDERED, state_before=DefectState.CONFIRMED)


def test_facts_may_be_a_dataclass() -> None:
    @dataclass(frozen=True)
    class Facts:
        visit_id: int

    DEFECT.check(DefectState.ORDERED, DefectState.MADE_SAFE, Facts(visit_id=3))


def test_open_defects_are_the_same_in_the_domain_and_in_the_partial_indexes() -> None:
    assert OPEN_DEFECT == set(OPEN.split()) == set(OPEN_STATES)


# --- what the public is told -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [*ReportState, *DefectState])
def test_the_public_never_reads_a_bare_closed(state: ReportState | DefectState) -> None:
    told = public_status(state)

    assert told.code != "closed"
    assert "closed" not in (told.label + told.words).lower()
    assert told.words.endswith(".")


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (DefectState.CONFIRMED, "investigating"),
        (DefectState.MADE_SAFE, "in_progress"),
        (DefectState.ORDERED, "action_scheduled"),
        (DefectState.REPAIR_CLAIMED, "in_progress"),
        (DefectState.VERIFIED, "fixed"),
        (DefectState.IN_WARRANTY, "fixed"),
        (DefectState.MONITOR, "no_further_action"),
        (DefectState.NO_DEFECT, "no_further_action"),
        (DefectState.THIRD_PARTY, "not_councils_responsibility"),
        (DefectState.DEFERRED_TO_SCHEME, "planned"),
        (ReportState.RECEIVED, "open"),
        (ReportState.TRIAGE, "for_triage"),
    ],
)
def test_states_are_told_in_the_words_of_open311(state: ReportState | DefectState, code: str) -> None:
    assert public_status(state).code == code


def test_only_what_is_mended_is_told_as_fixed() -> None:
    fixed = {state for state in DefectState if public_status(state).code == "fixed"}

    assert fixed == {DefectState.VERIFIED, DefectState.IN_WARRANTY, DefectState.CLOSED}


def test_a_report_of_two_holes_shows_the_one_that_is_still_open() -> None:
    told = public_status(ReportState.LINKED, [DefectState.IN_WARRANTY, DefectState.ORDERED])

    assert told.code == "action_scheduled"
    assert told.is_open


def test_a_duplicate_shows_the_status_of_its_original() -> None:
    assert public_status(DefectState.DUPLICATE, [DefectState.MADE_SAFE]).words.startswith("It has been made safe")
    assert public_status(DefectState.DUPLICATE).code == "duplicate"


def test_a_report_resolved_without_a_repair_is_not_told_as_fixed() -> None:
    told = public_status(ReportState.RESOLVED, [DefectState.MONITOR])

    assert told.code == "no_further_action"


@pytest.mark.parametrize("state", sorted(ENDED_DEFECT))
def test_an_ended_defect_is_told_as_over(state: DefectState) -> None:
    assert not public_status(state).is_open


# --- long walks ------------------------------------------------------------------------------------------------------


class Walk(RuleBasedStateMachine):
    """Tries any step, with any facts left out, and keeps the history that the lifecycle let happen."""

    machine: Lifecycle[Any]

    def __init__(self) -> None:
        super().__init__()
        self.state = self.machine.initial
        self.past = [self.state]

    def facts(self, after: StrEnum) -> dict[str, Any]:
        """What is so: all that the step may need, and truly the state that a merge left."""
        facts = facts_for(self.state, after)
        if self.state is DefectState.DUPLICATE:
            facts["state_before"] = self.past[-2]
        return facts

    @rule(data=st.data())
    def try_any_step(self, data: st.DataObject) -> None:
        after = data.draw(st.sampled_from(list(type(self.state))))
        facts = self.facts(after)
        for name in data.draw(st.sets(st.sampled_from(sorted(facts)), max_size=2)):
            del facts[name]
        guard = self.machine.steps.get((self.state, after))
        try:
            self.machine.check(self.state, after, facts)
        except UnlawfulStep:
            assert after not in expected(self.machine, self.state)
        except GuardNotMet:
            assert guard is not None
            assert not set(guard.facts) <= set(facts) or facts.get("state_before", after) != after
        else:
            assert after in expected(self.machine, self.state)
            self.state = after
            self.past.append(after)

    @rule(data=st.data())
    def take_a_lawful_step(self, data: st.DataObject) -> None:
        ways = sorted(self.machine.lawful_from(self.state))
        if self.state is DefectState.DUPLICATE:
            ways = [self.past[-2]]
        if ways:
            after = type(self.state)(data.draw(st.sampled_from(ways)))
            self.machine.check(self.state, after, self.facts(after))
            self.state = after
            self.past.append(after)

    @invariant()
    def nothing_came_after_a_terminal_state(self) -> None:
        assert not self.machine.terminal & set(self.past[:-1])

    def never_without(self, state: StrEnum, *before: StrEnum) -> None:
        """Wherever `state` stands in the past, one of `before` stands right before it."""
        for earlier, later in zip(self.past, self.past[1:], strict=False):
            assert later is not state or earlier in before


class ReportWalk(Walk):
    machine = REPORT

    @invariant()
    def only_a_linked_report_is_resolved(self) -> None:
        self.never_without(ReportState.RESOLVED, ReportState.LINKED)

    @invariant()
    def only_an_open_report_is_withdrawn(self) -> None:
        self.never_without(ReportState.WITHDRAWN, *OPEN_REPORT)


class DefectWalk(Walk):
    machine = DEFECT

    @invariant()
    def only_a_verified_repair_is_warranted(self) -> None:
        self.never_without(DefectState.IN_WARRANTY, DefectState.VERIFIED, DefectState.RECALLED)
        if DefectState.IN_WARRANTY in self.past:
            assert DefectState.VERIFIED in self.past[: self.past.index(DefectState.IN_WARRANTY)]

    @invariant()
    def only_warranted_work_is_recalled(self) -> None:
        self.never_without(DefectState.RECALLED, DefectState.IN_WARRANTY, DefectState.DUPLICATE)

    @invariant()
    def made_safe_is_never_warranted_without_a_claimed_repair(self) -> None:
        self.never_without(
            DefectState.VERIFIED, DefectState.REPAIR_CLAIMED, DefectState.THIRD_PARTY, DefectState.DEFERRED_TO_SCHEME
        )


class OrderWalk(Walk):
    machine = ORDER

    @invariant()
    def only_verified_work_is_paid(self) -> None:
        self.never_without(OrderState.PAYABLE, OrderState.VERIFIED)
        self.never_without(OrderState.PAID, OrderState.PAYABLE)

    @invariant()
    def work_that_has_begun_is_not_cancelled(self) -> None:
        if self.state is OrderState.CANCELLED:
            assert self.past[-2] in {"draft", "issued", "accepted", "declined", "scheduled"}


class WarrantyWalk(Walk):
    machine = WARRANTY

    @invariant()
    def a_remedy_follows_attribution(self) -> None:
        self.never_without(WarrantyState.REMEDIED, WarrantyState.ATTRIBUTABLE)


for _walk in (ReportWalk, DefectWalk, OrderWalk, WarrantyWalk):
    _walk.TestCase.settings = settings(max_examples=25, stateful_step_count=40)

TestReportWalk = ReportWalk.TestCase
TestDefectWalk = DefectWalk.TestCase
TestOrderWalk = OrderWalk.TestCase
TestWarrantyWalk = WarrantyWalk.TestCase
