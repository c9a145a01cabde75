"""What beat does every second, minute or hour: heal, remind, end and tidy. Each sweep is safe to repeat and to miss."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from shared.domain.clocks import triage_due
from shared.domain.deadlines import due
from shared.domain.events import DeadlineMissed, Event, ReportTriaged, TriageMissed
from shared.domain.lifecycle import REPORT
from shared.domain.terms import ReportState
from shared.errors import NotFound
from shared.flows import assign_works, compose_digests, detections_to_defects, end_warranty, receive_photo
from shared.flows import forget_personal as forgetting
from shared.flows import move_deadlines as moving
from shared.flows.freeze_quarters import freeze_quarters
from shared.store import deliveries, detections_due, event_log, idempotency, missed, partitions, policies, states
from shared.store.engine import WriteTx
from shared.store.missed import Missed
from shared.store.policies import InForce
from shared.store.tables import report

__all__ = [
    "assign_waiting",
    "expire_warranties",
    "forget_old_keys",
    "forget_orphan_photos",
    "forget_personal",
    "freeze_quarters",
    "let_waiting_go",
    "make_partitions",
    "mark_overdue",
    "move_deadlines",
    "nudge_due",
    "send_digests",
    "time_out_questions",
]

MONTHS_AHEAD = 3
KEYS_KEPT = timedelta(days=7)
SHORTEST_ASK = timedelta(days=1)
"""No policy gives a reporter less: younger questions are not even looked at."""


def nudge_due(tx: WriteTx, now: datetime) -> None:
    """Wake every consumer with something due: heals lost nudges, and brings back what waited after a failure."""
    tx.woken.update(deliveries.due_consumers(tx, now))


def mark_overdue(tx: WriteTx, now: datetime) -> None:
    """Tell of each clock that ran out, once; and let `overdue` say which defects are late now."""
    event_log.append(tx, [_told(one) for one in missed.notice(tx, now)], now)
    missed.mark(tx, now)


def _told(one: Missed) -> Event:
    due_at = one.due_at.astimezone(UTC)
    if one.clock == "triage":
        return TriageMissed(report_id=one.subject_id, due_at=due_at)
    return DeadlineMissed(defect_id=one.subject_id, clock=one.clock, due_at=due_at)


def expire_warranties(tx: WriteTx, now: datetime) -> None:
    """End the warranties whose last day is over, and close their defects."""
    end_warranty.expire_due(tx, now)


def move_deadlines(tx: WriteTx, now: datetime) -> None:
    """Compute due times anew that count a day which a new version of the policy knows to be a holiday, or none."""
    moving.move(tx, now)


def assign_waiting(tx: WriteTx, now: datetime) -> None:
    """Give works orders to defects that no lot covered when they were graded, now that one may."""
    assign_works.assign_waiting(tx, now)


def time_out_questions(tx: WriteTx, now: datetime) -> None:
    """Put reports back to triage whose reporters did not answer in the policy's time, to be read as if they were new
    (DOMAIN 10.2).
    """
    rules = _policy(tx, now)
    if rules is None:
        return
    timeout = rules.policy.triage.ask_timeout
    late = [
        report_id
        for report_id, asked_at in missed.unanswered(tx, now - SHORTEST_ASK)
        if due(asked_at, timeout, rules.calendar).at < now
    ]
    if late:
        read_by = triage_due(now, rules.policy, rules.calendar, danger=False).at
        _back_to_triage(tx, late, f"No answer came within {timeout.words}.", read_by, now)


def _back_to_triage(tx: WriteTx, reports: Sequence[int], why: str, read_by: datetime, now: datetime) -> None:
    before, after = ReportState.NEEDS_INFO, ReportState.TRIAGE
    REPORT.check(before, after, {"timed_out": True})
    states.move(tx, report, reports, before, after, now, triage_due_at=read_by)
    told = [ReportTriaged(report_id=one, before=before, after=after, why=why) for one in reports]
    event_log.append(tx, told, now)


def _policy(tx: WriteTx, now: datetime) -> InForce | None:
    try:
        return policies.in_force(tx, now)
    except NotFound:
        return None


def make_partitions(tx: WriteTx, now: datetime) -> None:  # noqa: ARG001 (every sweep has this form)
    """Make the months' partitions of events and detections ahead. Gives up at once where it would hold up others."""
    partitions.make_ahead(tx, MONTHS_AHEAD)


def let_waiting_go(tx: WriteTx, now: datetime) -> None:
    """Keep for the record only what waited so long for another pass that none is asked for any more."""
    detections_due.let_go(tx, now - detections_to_defects.WAITS)


def forget_old_keys(tx: WriteTx, now: datetime) -> None:
    """Forget idempotency keys that no client sends again."""
    idempotency.forget(tx, now - KEYS_KEPT)


def send_digests(tx: WriteTx, now: datetime) -> None:
    """Write the digests of the day or the week, once each; they leave like any message."""
    rules = _policy(tx, now)
    if rules is not None:
        compose_digests.compose(tx, rules, now)


def forget_personal(tx: WriteTx, now: datetime) -> None:
    """Forget contact details, follows, drafts and raw detections whose time is over."""
    forgetting.sweep(tx, now)


def forget_orphan_photos(tx: WriteTx, now: datetime) -> None:
    """Take away the files of photos whose transaction was refused or lost."""
    receive_photo.sweep_orphans(tx, now)
