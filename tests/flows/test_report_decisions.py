"""People decide about reports; reporters answer, withdraw and challenge: lawful steps, told in public words."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from shared.domain.lifecycle import GuardNotMet, UnlawfulStep
from shared.errors import Conflict, NotFound
from shared.flows import decide_report
from shared.flows.assess_defect import assess
from shared.flows.decide_report import Rejection
from shared.flows.weigh_finding import Decision, Finding
from shared.store.engine import WriteTx
from shared.store.tables import defect, event, question, recall, report, report_note
from tests.factories import a_report, adopt_default_policy, triaged

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _policy(tx: WriteTx) -> None:
    adopt_default_policy(tx)


def row(tx: WriteTx, report_id: int) -> Any:
    return tx.execute(select(report).where(report.c.id == report_id)).one()


def waiting(tx: WriteTx) -> tuple[int, str]:
    """A report that waits for a person, with an open question about it."""
    report_id = a_report(tx, state="triage")
    tx.execute(insert(question).values(report_id=report_id, candidates=[], asked_at=NOW))
    return report_id, row(tx, report_id).reference


def steps(tx: WriteTx, report_id: int) -> list[str]:
    told = select(event.c.after).where(event.c.subject == "report", event.c.subject_id == report_id)
    return list(tx.scalars(told.where(event.c.after.is_not(None)).order_by(event.c.id)))


def open_questions(tx: WriteTx) -> int:
    return int(tx.scalar(select(func.count()).where(question.c.settled_at.is_(None))))


def test_a_referred_report_tells_to_whom_and_why(tx: WriteTx) -> None:
    report_id, reference = waiting(tx)

    decide_report.refer(tx, reference, "National Highways", "The M65 is theirs here.", NOW)

    assert (row(tx, report_id).state, row(tx, report_id).outcome) == (
        "referred",
        "National Highways: The M65 is theirs here.",
    )
    assert open_questions(tx) == 0


def test_spam_is_rejected_unread(tx: WriteTx) -> None:
    report_id = a_report(tx)

    decide_report.reject(tx, row(tx, report_id).reference, Rejection.SPAM, "An advertisement.", NOW)

    assert steps(tx, report_id) == ["received", "rejected"]


def test_any_other_reason_to_reject_means_that_somebody_read_it(tx: WriteTx) -> None:
    report_id = a_report(tx)

    decide_report.reject(tx, row(tx, report_id).reference, Rejection.NOT_HIGHWAYS, "A broken bin.", NOW)

    assert steps(tx, report_id) == ["received", "triage", "rejected"]


def test_no_defect_needs_a_reason_and_evidence(tx: WriteTx) -> None:
    report_id, reference = waiting(tx)

    with pytest.raises(GuardNotMet, match="evidence"):
        decide_report.find_nothing(tx, reference, "Nothing there.", "", NOW)
    decide_report.find_nothing(tx, reference, "Nothing there.", "Walked both sides, photo 12.", NOW)

    assert row(tx, report_id).state == "no_defect_found"
    assert "photo 12" in row(tx, report_id).outcome


def test_a_reporter_is_asked_once_and_the_answer_is_kept_out_of_the_record(tx: WriteTx) -> None:
    report_id, reference = waiting(tx)

    decide_report.ask(tx, reference, "Which lane?", NOW)
    asked = row(tx, report_id).state
    decide_report.answer(tx, reference, report_id, "The left one; ring me on 07700 900123.", NOW + DAY)

    assert (asked, row(tx, report_id).state) == ("needs_info", "triage")
    assert row(tx, report_id).triage_due_at > NOW + DAY
    notes = tx.execute(select(report_note.c.kind, report_note.c.words).order_by(report_note.c.id)).all()
    assert [tuple(one) for one in notes] == [
        ("question", "Which lane?"),
        ("answer", "The left one; ring me on 07700 900123."),
    ]
    assert not any("07700" in str(data) for data in tx.scalars(select(event.c.data)))
    with pytest.raises(GuardNotMet, match="asked once"):
        decide_report.ask(tx, reference, "And how deep?", NOW + DAY)


def test_nothing_is_answered_that_was_not_asked(tx: WriteTx) -> None:
    report_id, reference = waiting(tx)

    with pytest.raises(Conflict, match="Nothing is asked"):
        decide_report.answer(tx, reference, report_id, "Left.", NOW)


def test_a_reporter_withdraws_and_the_defect_stays(tx: WriteTx) -> None:
    report_id = triaged(tx, NOW - DAY)

    decide_report.withdraw(tx, row(tx, report_id).reference, report_id, NOW)

    assert row(tx, report_id).state == "withdrawn"
    assert tx.scalar(select(defect.c.state)) == "candidate"


@pytest.mark.parametrize("call", ["answer", "withdraw", "challenge"])
def test_a_reporters_secret_opens_no_other_report(tx: WriteTx, call: str) -> None:
    report_id, reference = waiting(tx)
    words = () if call == "withdraw" else ("Mine.",)

    with pytest.raises(NotFound):
        getattr(decide_report, call)(tx, reference, report_id + 1, *words, NOW)


def resolved(tx: WriteTx, at: datetime) -> tuple[int, str]:
    report_id = triaged(tx, at - DAY)
    named = str(tx.scalar(select(defect.c.reference)))
    assess(tx, named, Finding(decision=Decision.NO_DEFECT, why="A shadow."), at, supervises=True)
    return report_id, row(tx, report_id).reference


def test_a_challenge_brings_a_report_back_to_a_person(tx: WriteTx) -> None:
    report_id, reference = resolved(tx, NOW - DAY)

    decide_report.challenge(tx, reference, report_id, "It is still there!", NOW)

    assert steps(tx, report_id)[-3:] == ["resolved", "challenged", "triage"]
    assert row(tx, report_id).triage_due_at > NOW
    assert tx.scalar(select(report_note.c.words).where(report_note.c.kind == "challenge")) == "It is still there!"
    assert tx.scalar(select(func.count()).select_from(recall)) == 0


def test_a_challenge_comes_within_twenty_eight_days(tx: WriteTx) -> None:
    report_id, reference = resolved(tx, NOW - DAY)

    with pytest.raises(GuardNotMet, match="challenge"):
        decide_report.challenge(tx, reference, report_id, "Still there.", NOW + 29 * DAY)
    decide_report.challenge(tx, reference, report_id, "Still there.", NOW + 26 * DAY)

    assert row(tx, report_id).state == "triage"


def test_an_open_report_is_not_challenged(tx: WriteTx) -> None:
    report_id = triaged(tx, NOW)

    with pytest.raises(UnlawfulStep):
        decide_report.challenge(tx, row(tx, report_id).reference, report_id, "Hurry.", NOW)


def test_a_decided_report_is_not_decided_again(tx: WriteTx) -> None:
    _, reference = waiting(tx)
    decide_report.refer(tx, reference, "National Highways", "Theirs.", NOW)

    with pytest.raises(UnlawfulStep):
        decide_report.reject(tx, reference, Rejection.REPEATED, "Sent twice.", NOW)


def test_two_who_decide_at_once_do_not_both_decide(tx: WriteTx) -> None:
    report_id, reference = waiting(tx)
    tx.execute(update(report).where(report.c.id == report_id).values(state="rejected"))

    with pytest.raises(UnlawfulStep, match="rejected"):
        decide_report.refer(tx, reference, "National Highways", "Theirs.", NOW)
