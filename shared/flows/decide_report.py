"""People decide about reports: refer, reject, find nothing, ask. Reporters answer, withdraw, or call it not settled.

`seen` of a decision is the newest event of the report that its author knew; changed since, it is refused with
`ChangedMeanwhile` (`flows/meanwhile.py`).
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.domain.clocks import triage_due
from shared.domain.deadlines import due
from shared.domain.events import (
    ReportChallenged,
    ReportFoundNoDefect,
    ReportInfoAsked,
    ReportReferred,
    ReportRejected,
    ReportRestored,
    ReportTriaged,
    ReportWithdrawn,
    Step,
)
from shared.domain.lifecycle import REPORT, UnlawfulStep
from shared.domain.terms import LIVE_WARRANTY, ReportState
from shared.errors import Conflict
from shared.flows import meanwhile, recall_repair
from shared.store import event_log, policies, reports_decisions, states, warranties
from shared.store.engine import WriteTx
from shared.store.policies import InForce
from shared.store.recalls import Claim
from shared.store.reports_decisions import ReportRow
from shared.store.tables import report

_R = ReportState
ANSWERED = "The reporter has answered."
_UNREAD = (_R.RECEIVED, _R.CHALLENGED)
"""A person who decides about it has read it: it passes through triage."""


class Rejection(StrEnum):
    """Why a report is not taken up."""

    SPAM = "spam"
    ABUSE = "abuse"
    NOT_HIGHWAYS = "not_highways"
    TEST = "test"
    REPEATED = "repeated"


def refer(tx: WriteTx, reference: str, target: str, why: str, now: datetime, seen: int | None = None) -> ReportState:
    """Pass a report on to who looks after the place; both target and reason are told to the reporter.

    Raises:
        NotFound, UnlawfulStep, GuardNotMet: there is no such report, or it has gone another way.
    """
    row = _read(tx, reference, now, seen)
    step = ReportReferred(report_id=row.id, before=row.state, after=_R.REFERRED, target=target, why=why)
    return _take(tx, row, step, {"target": target, "reason": why}, now, outcome=f"{target}: {why}")


def reject(
    tx: WriteTx, reference: str, reason: Rejection, why: str, now: datetime, seen: int | None = None
) -> ReportState:
    """Do not take a report up.

    Raises:
        NotFound, UnlawfulStep, GuardNotMet: there is no such report, or it has gone another way.
    """
    row = meanwhile.lock_report(tx, reference, seen, now)
    if row.state is not _R.RECEIVED or reason not in (Rejection.SPAM, Rejection.ABUSE):
        row = _through_triage(tx, row, now)
    step = ReportRejected(report_id=row.id, before=row.state, after=_R.REJECTED, reason=reason, why=why)
    return _take(tx, row, step, {"reason": reason, "person": tx.actor}, now, outcome=why)


def restore(tx: WriteTx, reference: str, why: str, now: datetime, seen: int | None = None) -> ReportState:
    """Take a rejection back: the report waits for a person again, and is read by when a new one would be.

    Raises:
        NotFound, UnlawfulStep: there is no such report, or it is not rejected.
    """
    row = meanwhile.lock_report(tx, reference, seen, now)
    step = ReportRestored(report_id=row.id, before=row.state, after=_R.TRIAGE, why=why)
    check_restorable(row)
    read_by = _read_by(policies.in_force(tx, now), now)
    facts = {"person": tx.actor, "reason": why}
    return _take(tx, row, step, facts, now, outcome=None, triage_due_at=read_by)


def find_nothing(
    tx: WriteTx, reference: str, why: str, evidence: str, now: datetime, seen: int | None = None
) -> ReportState:
    """Somebody looked and found no defect that needs mending; `evidence` says what shows it.

    Raises:
        NotFound, UnlawfulStep, GuardNotMet: there is no such report, or it has gone another way.
    """
    row = _read(tx, reference, now, seen)
    said = f"{why} ({evidence})"
    step = ReportFoundNoDefect(report_id=row.id, before=row.state, after=_R.NO_DEFECT_FOUND, why=said)
    facts = {"reason": why, "evidence": evidence, "person": tx.actor}
    return _take(tx, row, step, facts, now, outcome=said)


def ask(tx: WriteTx, reference: str, asked: str, now: datetime, seen: int | None = None) -> ReportState:
    """Ask the reporter for something; once only. Without an answer in the policy's time it is triaged as it is.

    Raises:
        NotFound, UnlawfulStep, GuardNotMet: no such report, it has gone another way, or it was asked before.
    """
    row = _read(tx, reference, now, seen)
    facts = {"question": asked, "asked_before": reports_decisions.asked_before(tx, row.id)}
    step = ReportInfoAsked(report_id=row.id, before=row.state, after=_R.NEEDS_INFO, question=asked)
    state = _take(tx, row, step, facts, now, outcome=asked)
    reports_decisions.note(tx, row.id, "question", asked, now)
    return state


def answer(tx: WriteTx, reference: str, mine: int | None, words: str, now: datetime) -> ReportState:
    """The reporter answers what was asked; a person goes on from there. The words are kept, and told to nobody else.

    `mine` is the one report that the reporter's secret opens, here as in what follows.

    Raises:
        NotFound, Conflict: there is no such report, or nothing is asked of it.
    """
    row = reports_decisions.lock(tx, reference, mine)
    if row.state is not _R.NEEDS_INFO:
        raise Conflict(f"Nothing is asked about {row.reference} now.")
    reports_decisions.note(tx, row.id, "answer", words, now)
    step = ReportTriaged(report_id=row.id, before=row.state, after=_R.TRIAGE, why=ANSWERED)
    return _take(tx, row, step, {"answered": True}, now, triage_due_at=_read_by(policies.in_force(tx, now), now))


def withdraw(tx: WriteTx, reference: str, mine: int | None, now: datetime) -> ReportState:
    """The reporter takes the report back; a defect that it is linked to stays.

    Raises:
        NotFound, UnlawfulStep: there is no such report, or it has ended.
    """
    row = reports_decisions.lock(tx, reference, mine)
    step = ReportWithdrawn(report_id=row.id, before=row.state, after=_R.WITHDRAWN)
    return _take(tx, row, step, {"by_reporter": True}, now)


def challenge(tx: WriteTx, reference: str, mine: int | None, words: str, now: datetime) -> ReportState:
    """The reporter says that it is not settled: it is triaged again, and a repair under warranty is called in question.

    Raises:
        NotFound, UnlawfulStep, GuardNotMet: no such report, it has not ended, or the time to challenge is over.
    """
    row = reports_decisions.lock(tx, reference, mine)
    ended_at = reports_decisions.entered_at(tx, row.id, row.state)
    in_force = policies.in_force(tx, now)
    until = due(ended_at or now, in_force.policy.triage.challenge, in_force.calendar).at
    facts = {"challenged_at": now, "challenge_until": until, "by_reporter": True}
    why = "The reporter says that it is not settled."
    step = ReportChallenged(report_id=row.id, before=row.state, after=_R.CHALLENGED, why=why)
    _take(tx, row, step, facts, now, triage_due_at=_read_by(in_force, now))
    reports_decisions.note(tx, row.id, "challenge", words, now)
    state = _through_triage(tx, ReportRow(row.id, row.reference, _R.CHALLENGED, row.class_code), now).state
    _question_repairs(tx, row, why, in_force, now)
    return state


def state_of(tx: WriteTx, reference: str) -> ReportState:
    """The state of a report now.

    Raises:
        NotFound: there is no such report.
    """
    return reports_decisions.lock(tx, reference).state


def _question_repairs(tx: WriteTx, row: ReportRow, why: str, in_force: InForce, now: datetime) -> None:
    """Propose a recall of each repair under warranty that the report was told was its answer."""
    today = now.astimezone(in_force.calendar.tz).date()
    claims = [
        Claim(one.id, row.id, None, why, now)
        for one in warranties.of_report(tx, row.id)
        if one.state in LIVE_WARRANTY and today <= one.ends_on
    ]
    recall_repair.propose(tx, claims, now)


def read_as(state: ReportState) -> ReportState:
    """The state of a report before whoever decides about it: who decides about an unread one has read it."""
    return _R.TRIAGE if state in _UNREAD else state


def check_restorable(row: ReportRow) -> None:
    """Let a rejection be taken back.

    Raises:
        UnlawfulStep: the report is not rejected.
    """
    if row.state is not _R.REJECTED:
        raise UnlawfulStep(f"{row.reference} is {row.state}: only a rejected report is restored.")


def _read_by(in_force: InForce, now: datetime) -> datetime:
    """By when somebody reads what the reporter says now."""
    return triage_due(now, in_force.policy, in_force.calendar, danger=False).at


def _read(tx: WriteTx, reference: str, now: datetime, seen: int | None) -> ReportRow:
    """The report, locked and as it was seen; whoever decides about an unread one has triaged it."""
    return _through_triage(tx, meanwhile.lock_report(tx, reference, seen, now), now)


def _through_triage(tx: WriteTx, row: ReportRow, now: datetime) -> ReportRow:
    if read_as(row.state) is row.state:
        return row
    step = ReportTriaged(report_id=row.id, before=row.state, after=_R.TRIAGE, why="A person looks at it.")
    _take(tx, row, step, {}, now)
    return ReportRow(row.id, row.reference, _R.TRIAGE, row.class_code)


def _take(
    tx: WriteTx, row: ReportRow, step: Step, facts: Mapping[str, Any], now: datetime, **values: Any
) -> ReportState:
    """One lawful step of a report. A question to operators about it is settled by any that ends its triage."""
    after = ReportState(step.after)
    REPORT.check(row.state, after, facts)
    states.move(tx, report, [row.id], row.state, after, now, **values)
    event_log.append(tx, step, now)
    if after not in (_R.TRIAGE, _R.CHALLENGED, _R.NEEDS_INFO):
        reports_decisions.settle_questions(tx, [row.id], after, now)
    return after
