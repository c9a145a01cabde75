"""What is forgotten in time, and whom we forget who asks: nothing too early, nothing too late, and evidence stays."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text, update

from shared.domain.retention import ran_out
from shared.errors import Invalid
from shared.flows import forget_personal, sweeps
from shared.flows.forget_personal import erase, sweep
from shared.store.engine import WriteTx
from shared.store.tables import (
    contact,
    detection,
    detection_batch,
    draft,
    event,
    follow,
    message,
    photo,
    recall,
    report,
    report_note,
    source,
)
from tests.factories import a_defect, a_report, a_verified_repair, adopt_default_policy, an_order, triaged

NOW = datetime.now(UTC).replace(microsecond=0)
EARLY = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _policy(tx: WriteTx) -> None:
    adopt_default_policy(tx)


def _edge(tx: WriteTx, which: str = "contact") -> datetime:
    rules = adopt_default_policy(tx)
    return ran_out(getattr(rules.policy.retention, which), NOW, rules.calendar)


def _reached(tx: WriteTx, report_id: int, **more: Any) -> int:
    values = {"report_id": report_id, "name": "Sam Lee", "email": "sam@example.org", "phone": "07700 900123", **more}
    tx.execute(insert(contact).values(values))
    return report_id


def _known(tx: WriteTx) -> set[int]:
    return set(tx.scalars(select(contact.c.report_id)))


# --- in the policy's time --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["resolved", "referred", "rejected", "no_defect_found", "withdrawn"])
def test_contact_details_go_when_the_matter_has_been_over_for_the_policys_time(tx: WriteTx, state: str) -> None:
    edge = _edge(tx)
    over = _reached(tx, a_report(tx, state=state, received_at=edge - EARLY))
    not_yet = _reached(tx, a_report(tx, state=state, received_at=edge))

    counts = sweep(tx, NOW)

    assert counts["contacts"] == 1
    assert _known(tx) == {not_yet}
    assert tx.scalar(select(report.c.state).where(report.c.id == over)) == state


@pytest.mark.parametrize("state", ["received", "triage", "needs_info", "linked", "challenged"])
def test_who_still_waits_for_an_answer_stays_reachable(tx: WriteTx, state: str) -> None:
    waiting = _reached(tx, a_report(tx, state=state, received_at=_edge(tx) - timedelta(days=400)))

    sweep(tx, NOW)

    assert _known(tx) == {waiting}


def test_a_report_under_an_open_claim_keeps_its_contact_until_the_claim_is_decided(tx: WriteTx) -> None:
    began = datetime.now(UTC) - timedelta(days=30)
    reporter = _reached(tx, _claimed(tx, began))
    tx.execute(update(report).values(state="resolved", updated_at=_edge(tx) - EARLY))

    before = sweep(tx, NOW)
    tx.execute(update(recall).values(state="not_attributable", decided_at=began))
    after = sweep(tx, NOW)

    assert before["contacts"] == 0
    assert after["contacts"] == 1
    assert reporter not in _known(tx)


def _claimed(tx: WriteTx, now: datetime) -> int:
    """A report that calls a repair under warranty in question."""
    defect_id = a_defect(tx, known_at=now - timedelta(days=3))
    an_order(tx, defect_id, now=now - timedelta(days=2))
    a_verified_repair(tx, defect_id, now)
    report_id = triaged(tx, now + timedelta(days=5))
    assert tx.scalar(select(recall.c.state)) == "proposed"
    return report_id


def _follows(tx: WriteTx, **more: Any) -> int:
    values = {
        "secret_hash": secrets.token_bytes(32),
        "kind": "street",
        "street_key": "high-street",
        "name": "High Street",
        "email": "kim@example.org",
        "made_at": NOW - timedelta(days=100),
        "confirmed_at": NOW - timedelta(days=100),
        **more,
    }
    made: int = tx.scalar(insert(follow).values(values).returning(follow.c.id))
    return made


def test_follows_that_ended_or_were_never_confirmed_lose_their_address_after_seven_days(tx: WriteTx) -> None:
    week = timedelta(days=7)
    _follows(tx, ended_at=NOW - week - EARLY)
    _follows(tx, confirmed_at=None, made_at=NOW - week - EARLY)
    kept = {
        _follows(tx, ended_at=NOW - week),
        _follows(tx, confirmed_at=None, made_at=NOW - week),
        _follows(tx),
    }

    counts = sweep(tx, NOW)

    assert counts["follows"] == 2
    assert set(tx.scalars(select(follow.c.id).where(follow.c.email.is_not(None)))) == kept
    assert set(tx.scalars(select(follow.c.name).where(follow.c.email.is_(None)))) == {""}
    assert sweep(tx, NOW)["follows"] == 0


def _drafted(tx: WriteTx, updated_at: datetime, answers: dict[str, Any]) -> bytes:
    secret_hash = secrets.token_bytes(32)
    values = {"secret_hash": secret_hash, "answers": answers, "made_at": updated_at, "updated_at": updated_at}
    tx.execute(insert(draft).values(values))
    tx.execute(
        insert(photo).values(
            reference=secrets.token_hex(16),
            draft_hash=secret_hash,
            role="report",
            sha256=secrets.token_bytes(32),
            phash=secrets.token_hex(8),
            media_type="image/jpeg",
            width_px=10,
            height_px=10,
            size_bytes=10,
            received_at=updated_at,
        )
    )
    return secret_hash


def test_drafts_that_nobody_touched_for_seven_days_go_with_their_photos(tx: WriteTx) -> None:
    _drafted(tx, NOW - timedelta(days=7) - EARLY, {})
    kept = _drafted(tx, NOW - timedelta(days=7), {})

    counts = sweep(tx, NOW)

    assert counts["drafts"] == 1
    assert [bytes(one) for one in tx.scalars(select(draft.c.secret_hash))] == [kept]
    assert [bytes(one) for one in tx.scalars(select(photo.c.draft_hash))] == [kept]


def _messaged(tx: WriteTx, report_id: int, made_at: datetime, **more: Any) -> int:
    values = {
        "key": secrets.token_hex(8),
        "report_id": report_id,
        "channel": "email",
        "template": "received",
        "values": {"street": "High Street"},
        "made_at": made_at,
        "due_at": made_at,
        **more,
    }
    made: int = tx.scalar(insert(message).values(values).returning(message.c.id))
    return made


def test_what_messages_said_is_emptied_in_time_but_for_those_still_to_be_sent(tx: WriteTx) -> None:
    edge, about = _edge(tx), a_report(tx)
    _messaged(tx, about, edge - EARLY, sent_at=edge)
    kept = {_messaged(tx, about, edge, sent_at=edge), _messaged(tx, about, edge - EARLY)}

    counts = sweep(tx, NOW)

    assert counts["messages"] == 1
    assert set(tx.scalars(select(message.c.id).where(message.c["values"] != text("'{}'::jsonb")))) == kept


def _surveyed(tx: WriteTx, received_at: datetime, *verdicts: str) -> list[int]:
    fleet = tx.scalar(insert(source).values(code=secrets.token_hex(4), name="Fleet").returning(source.c.id))
    batch = tx.scalar(
        insert(detection_batch)
        .values(
            reference=secrets.token_hex(4),
            source_id=fleet,
            received_at=received_at,
            accepted=len(verdicts),
            repeated=0,
            refused=0,
            matched_at=received_at,
        )
        .returning(detection_batch.c.id)
    )
    rows = [
        {
            "received_at": received_at,
            "batch_id": batch,
            "source_id": fleet,
            "external_id": f"{batch}-{number}",
            "captured_at": received_at,
            "class_code": "pothole",
            "confidence": 0.9,
            "lat": 53.7,
            "lon": -2.7,
            "accuracy_m": 3.0,
            "geom": text("ST_SetSRID(ST_MakePoint(353000, 430000), 27700)"),
            "verdict": verdict,
        }
        for number, verdict in enumerate(verdicts)
    ]
    return [tx.scalar(insert(detection).values(row).returning(detection.c.id)) for row in rows]


def test_raw_detections_that_no_defect_has_go_in_time_and_the_others_stay(tx: WriteTx) -> None:
    tx.execute(text("SELECT make_partitions(5)"))
    now = NOW + timedelta(days=92)
    rules = adopt_default_policy(tx)
    edge = ran_out(rules.policy.retention.raw_detections, now, rules.calendar)
    *gone, founded = _surveyed(tx, edge - EARLY, "kept", "stale", "founded")
    young = _surveyed(tx, edge, "kept")

    counts = sweep(tx, now)

    assert counts["detections"] == len(gone) == 2
    assert set(tx.scalars(select(detection.c.id))) == {founded, *young}
    assert sweep(tx, now)["detections"] == 0


def test_what_was_forgotten_is_recorded_by_counts_only(tx: WriteTx) -> None:
    _reached(tx, a_report(tx, state="resolved", received_at=_edge(tx) - EARLY))

    sweeps.forget_personal(tx, NOW)
    sweeps.forget_personal(tx, NOW)

    (told,) = tx.scalars(select(event.c.data).where(event.c.kind == "DataErased"))
    assert told["counts"]["contacts"] == 1
    assert set(told) == {"why", "counts"}


# --- because somebody asks -------------------------------------------------------------------------------------------


def test_a_person_who_asks_is_forgotten_and_the_report_stays(tx: WriteTx) -> None:
    mine = _reached(tx, a_report(tx, state="resolved", description="My hedge, Sam", address="12 High Street"))
    another = _reached(tx, a_report(tx, state="resolved", description="Theirs"), email="kim@example.org", phone=None)
    tx.execute(insert(report_note).values(report_id=mine, kind="answer", words="Sam here", actor="x", at=NOW))
    _follows(tx, email="SAM@example.org")
    _drafted(tx, NOW, {"contact": {"email": "Sam@Example.org"}})
    unsent = _messaged(tx, mine, NOW)

    counts = erase(tx, NOW, email=" Sam@example.org ")

    assert {name: count for name, count in counts.items() if count} == {
        "contacts": 1,
        "follows": 1,
        "drafts": 1,
        "words_emptied": 1,
    }
    assert _known(tx) == {another}
    words = {row.id: row.description for row in tx.execute(select(report.c.id, report.c.description))}
    assert words == {mine: "", another: "Theirs"}
    assert tx.scalar(select(report.c.address).where(report.c.id == mine)) is None
    assert tx.scalar(select(report_note.c.words)) == ""
    assert tx.scalar(select(message.c.dropped_at).where(message.c.id == unsent)) == NOW
    assert tx.scalar(select(func.count()).select_from(event).where(event.c.subject_id == mine)) >= 1


def test_words_that_are_evidence_of_a_claim_are_hidden_and_kept(tx: WriteTx) -> None:
    began = datetime.now(UTC) - timedelta(days=30)
    report_id = _reached(tx, _claimed(tx, began))
    tx.execute(update(report).where(report.c.id == report_id).values(description="The patch broke my wheel"))

    counts = erase(tx, NOW, email="sam@example.org")

    assert counts["words_kept_as_evidence"] == 1
    row = tx.execute(select(report).where(report.c.id == report_id)).one()
    assert (row.description, row.words_withheld) == ("The patch broke my wheel", True)
    assert _known(tx) == set()


def _words(tx: WriteTx, report_id: int) -> tuple[Any, ...]:
    said = select(report.c.description, report.c.address, report_note.c.words, report.c.erase_asked_at)
    return tuple(tx.execute(said.join(report_note).where(report.c.id == report_id)).one())


def _wrote(tx: WriteTx, report_id: int) -> None:
    written = {"description": "I am Sam Lee of number 12", "address": "12 High Street"}
    tx.execute(update(report).where(report.c.id == report_id).values(written))
    tx.execute(insert(report_note).values(report_id=report_id, kind="answer", words="Ask Sam", actor="x", at=NOW))


def test_what_was_kept_as_evidence_goes_once_the_report_has_ended_and_the_claim_is_decided(tx: WriteTx) -> None:
    report_id = _reached(tx, _claimed(tx, datetime.now(UTC) - timedelta(days=30)))
    _wrote(tx, report_id)
    erase(tx, NOW, email="sam@example.org")

    open_still = sweep(tx, NOW)
    tx.execute(update(report).values(state="resolved"))
    claimed_still = sweep(tx, NOW)
    kept = _words(tx, report_id)
    tx.execute(update(recall).values(state="not_attributable", decided_at=NOW))
    after, again = sweep(tx, NOW), sweep(tx, NOW)

    assert [one["words_emptied"] for one in (open_still, claimed_still, after, again)] == [0, 0, 1, 0]
    assert kept[:3] == ("I am Sam Lee of number 12", "12 High Street", "Ask Sam")
    assert _words(tx, report_id) == ("", None, "", None)


def test_what_an_open_report_kept_goes_when_it_ends_and_nobody_elses_does(tx: WriteTx) -> None:
    report_id, another = _reached(tx, a_report(tx)), a_report(tx, description="Theirs")
    _wrote(tx, report_id)
    erase(tx, NOW, email="sam@example.org")

    before = sweep(tx, NOW)
    tx.execute(update(report).values(state="no_defect_found"))
    after = sweep(tx, NOW)

    assert (before["words_emptied"], after["words_emptied"]) == (0, 1)
    assert _words(tx, report_id) == ("", None, "", None)
    assert tx.scalar(select(report.c.description).where(report.c.id == another)) == "Theirs"
    whys = select(event.c.data["why"].astext).where(event.c.kind == "DataErased").order_by(event.c.id)
    assert list(tx.scalars(whys)) == ["Somebody asked to be forgotten."] * 2


def test_an_open_report_keeps_what_says_where_the_hole_is(tx: WriteTx) -> None:
    report_id = _reached(tx, a_report(tx, description="Outside 12, call 07700 900123"))

    counts = erase(tx, NOW, phone="+44 7700 900 123")

    assert counts["words_screened"] == 1
    row = tx.execute(select(report).where(report.c.id == report_id)).one()
    assert (row.description, row.words_withheld) == ("Outside 12, call [hidden]", True)


def test_photos_of_who_asks_are_not_shown_to_the_public_any_more(tx: WriteTx) -> None:
    report_id = _reached(tx, a_report(tx, state="resolved"))
    _drafted(tx, NOW, {})
    tx.execute(update(photo).values(report_id=report_id, draft_hash=None, released_at=NOW, released_by="person:7"))

    counts = erase(tx, NOW, email="sam@example.org")

    assert counts["photos_withheld"] == 1
    assert tx.scalar(select(photo.c.released_at)) is None


@pytest.mark.parametrize("who", [{}, {"email": "a@b.example", "phone": "07700 900123"}, {"phone": "12345"}])
def test_nobody_is_forgotten_by_half_a_number(tx: WriteTx, who: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        erase(tx, NOW, **who)


def test_an_address_that_nobody_has_forgets_nobody(tx: WriteTx) -> None:
    reporter = _reached(tx, a_report(tx))

    counts = erase(tx, NOW, email="nobody@example.org")

    assert not any(counts.values())
    assert _known(tx) == {reporter}


def test_a_sweep_without_a_policy_forgets_nothing(tx: WriteTx) -> None:
    reporter = _reached(tx, a_report(tx, state="resolved", received_at=NOW - timedelta(days=9000)))
    tx.execute(text("UPDATE policy_version SET effective_from = '2099-01-01'"))

    assert forget_personal.sweep(tx, NOW) == {}
    assert _known(tx) == {reporter}
