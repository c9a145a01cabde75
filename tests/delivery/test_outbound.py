"""Messages leave by a real SMTP server that is down, refuses or is slow, and by what speaks like GOV.UK Notify."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import URL, insert, select, update

from services.workers import outbound
from services.workers.providers import smtp
from services.workers.providers.mime import message_id
from shared.flows import send_messages
from shared.settings import settings
from shared.store import messages
from shared.store.engine import reading, transaction
from shared.store.messages import NewMessage
from shared.store.tables import contact, message
from tests.delivery.house import House, a_report, send
from tests.delivery.post import PostOffice, notify, post_office, problem
from tests.factories import a_report as a_report_row
from tests.factories import adopt_default_policy
from tests.stack import free_port
from tests.waiting import until

SAM = "sam@example.org"
KEY = "roadmend-26785a09-ab16-4eb0-8407-a37497a57506-3d844edf-8d35-48ac-975b-e847b4f122b0"
"""In the form of Notify's keys; of nobody."""


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def sends(own_db: URL, monkeypatch: pytest.MonkeyPatch, port: int) -> Iterator[Callable[..., None]]:
    """Choose how messages leave: `sends("smtp")`."""
    assert own_db

    def choose(provider: str, **more: str) -> None:
        chosen = {
            "SECRET_KEY": "k" * 32,
            "MAIL_PROVIDER": provider,
            "MAIL_FROM": "Example County Council <roads@council.example>",
            "SMTP_URL": f"smtp://127.0.0.1:{port}",
            "NOTIFY_URL": f"http://127.0.0.1:{port}",
            "NOTIFY_KEY": KEY,
            "NOTIFY_EMAIL_TEMPLATE": "f33517ff-2a88-4f6e-b855-c550268ce08a",
            "NOTIFY_SMS_TEMPLATE": "ceb50d92-100d-4b8b-b559-14fa3b091cda",
            **more,
        }
        for name, value in chosen.items():
            monkeypatch.setenv(f"ROADMEND_{name}", value)
        settings.cache_clear()
        with transaction("test") as tx:
            adopt_default_policy(tx)

    yield choose
    settings.cache_clear()


def waiting(*keys: str, email: str | None = SAM, phone: str | None = None, template: str = "made_safe") -> list[int]:
    """Messages that are due, each to the reporter of a report of its own."""
    now = datetime.now(UTC)
    with transaction("test") as tx:
        for key in keys:
            report_id = a_report_row(tx)
            tx.execute(insert(contact).values(report_id=report_id, email=email, phone=phone))
            new = NewMessage(
                key=key,
                channel="email" if email else "sms",
                template=template,
                due_at=now,
                report_id=report_id,
                values={"what": "Pothole", "defect": "D-2222-3333", "at": now.isoformat()},
            )
            messages.add(tx, [new], now)
        return list(tx.scalars(select(message.c.id).where(message.c.key.in_(keys)).order_by(message.c.id)))


def row(message_id: int) -> Any:
    with reading() as tx:
        return tx.execute(select(message).where(message.c.id == message_id)).one()


def due_now() -> None:
    """Whatever waits has waited long enough."""
    with transaction("test") as tx:
        tx.execute(update(message).values(due_at=datetime.now(UTC), leased_until=None))


# --- SMTP ------------------------------------------------------------------------------------------------------------


def test_messages_leave_by_smtp_and_are_marked(sends: Callable[..., None], port: int) -> None:
    sends("smtp")
    ids = waiting("1:a", "2:b", "3:c")

    with post_office(port) as office:
        assert outbound.send_due() == 3
        assert outbound.send_due() == 0

    assert [str(one["Message-ID"]) for one in office.arrived] == [message_id(key) for key in ("1:a", "2:b", "3:c")]
    first = office.arrived[0]
    assert (str(first["To"]), str(first["From"])) == (SAM, "Example County Council <roads@council.example>")
    assert first["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert [part.get_content_type() for part in first.iter_parts()] == ["text/plain", "text/html"]
    assert all(row(one).sent_at and row(one).sent_as.startswith("<") for one in ids)


def test_a_server_that_is_down_is_tried_again_and_only_one_message_counts_the_try(sends: Callable[..., None]) -> None:
    sends("smtp")
    first, second = waiting("1:a", "2:b")

    assert outbound.send_due() == 0

    one, other = row(first), row(second)
    assert (one.tries, other.tries) == (1, 0)
    assert one.error.startswith("Away: ConnectionRefusedError")
    assert one.due_at > datetime.now(UTC)
    assert other.due_at > datetime.now(UTC)
    assert one.leased_until is other.leased_until is None


def test_what_waited_leaves_when_the_server_is_back(sends: Callable[..., None], port: int) -> None:
    sends("smtp")
    ids = waiting("1:a", "2:b")
    outbound.send_due()
    due_now()

    with post_office(port) as office:
        assert outbound.send_due() == 2

    assert len(office.arrived) == 2
    assert all(row(one).error is None for one in ids)


def test_a_message_is_parked_after_ten_tries_and_driven_again_by_a_person(
    sends: Callable[..., None], port: int
) -> None:
    sends("smtp")
    (only,) = waiting("1:a")

    for _ in range(12):
        outbound.send_due()
        due_now()

    assert (row(only).tries, row(only).parked_at is not None) == (10, True)
    with transaction("test") as tx:
        assert messages.retry(tx, datetime.now(UTC)) == 1
    with post_office(port) as office:
        assert outbound.send_due() == 1
    assert len(office.arrived) == 1


def test_a_refusal_for_now_waits_and_holds_up_no_other(sends: Callable[..., None], port: int) -> None:
    sends("smtp")
    first, second = waiting("1:a", "2:b")

    with post_office(port, PostOffice(answers=["451 Try again later"])) as office:
        assert outbound.send_due() == 1
        assert (row(first).tries, row(first).parked_at, row(first).error) == (1, None, "NotNow: 451 Try again later")
        due_now()
        assert outbound.send_due() == 1

    assert len(office.arrived) == 2
    assert row(second).sent_at < row(first).sent_at


def test_a_refusal_for_good_is_parked_at_once_without_the_address(sends: Callable[..., None], port: int) -> None:
    sends("smtp")
    (gone,) = waiting("1:a", email="gone@example.org")
    (other,) = waiting("2:b")

    with post_office(port, PostOffice(refused={"gone@example.org": "550 <gone@example.org> is unknown"})):
        outbound.send_due()

    assert row(gone).parked_at is not None
    assert row(gone).error == "Never: 550 … is unknown"
    assert row(other).sent_at is not None


def test_a_server_that_is_slow_ends_the_run_and_the_rest_waits(
    sends: Callable[..., None], port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sends("smtp")
    monkeypatch.setattr(smtp, "PATIENCE_SECONDS", 0.3)
    first, second = waiting("1:a", "2:b")

    with post_office(port, PostOffice(hold=threading.Event())) as office:
        assert outbound.send_due() == 0
        assert len(office.arrived) == 1

    assert row(first).error.startswith("Away: ")
    assert (row(second).tries, row(second).sent_at) == (0, None)


def test_starttls_is_insisted_on_where_it_is_set(sends: Callable[..., None], port: int) -> None:
    sends("smtp", SMTP_URL=f"smtp://127.0.0.1:{port}?tls=start")
    (only,) = waiting("1:a")

    with post_office(port) as office:
        assert outbound.send_due() == 0

    assert office.arrived == []
    assert "STARTTLS" in row(only).error


def test_nothing_leaves_while_no_provider_is_set(sends: Callable[..., None]) -> None:
    sends("none")
    (only,) = waiting("1:a")

    assert outbound.send_due() == 0

    assert row(only).tries == 0


# --- who wants it no more --------------------------------------------------------------------------------------------


def test_who_stopped_or_is_forgotten_meanwhile_is_sent_nothing(sends: Callable[..., None], port: int) -> None:
    sends("smtp")
    stopped, forgotten, kept = waiting("1:a", "2:b", "3:c")
    with transaction("test") as tx:
        tx.execute(update(contact).where(contact.c.report_id == row(stopped).report_id).values(unfollowed_at=tx_now()))
        tx.execute(contact.delete().where(contact.c.report_id == row(forgotten).report_id))

    with post_office(port) as office:
        outbound.send_due()

    assert len(office.arrived) == 1
    assert row(stopped).dropped_at is not None
    assert row(forgotten).dropped_at is not None
    assert row(kept).sent_at is not None


def tx_now() -> datetime:
    return datetime.now(UTC)


def test_news_that_is_a_week_old_is_not_told_as_news(sends: Callable[..., None], port: int) -> None:
    sends("smtp")
    (old,) = waiting("1:a")
    with transaction("test") as tx:
        tx.execute(update(message).values(made_at=datetime.now(UTC) - send_messages.STALE - timedelta(minutes=1)))

    with post_office(port) as office:
        outbound.send_due()

    assert office.arrived == []
    assert row(old).dropped_at is not None


def test_a_message_that_cannot_be_written_holds_up_no_other(sends: Callable[..., None], port: int) -> None:
    sends("smtp")
    (bad,) = waiting("1:a", template="no_such_template")
    (good,) = waiting("2:b")

    with post_office(port):
        outbound.send_due()

    assert "no_such_template" in row(bad).error
    assert row(good).sent_at is not None


# --- one at a time, and killed ---------------------------------------------------------------------------------------


def test_what_one_worker_has_taken_no_other_takes_until_the_lease_ends(sends: Callable[..., None]) -> None:
    sends("smtp")
    waiting("1:a", "2:b")
    now = datetime.now(UTC)

    with transaction("test") as tx:
        mine = send_messages.claim(tx, now, 1)
    with transaction("test") as tx:
        theirs = send_messages.claim(tx, now, 10)
    with transaction("test") as tx:
        later = send_messages.claim(tx, now + send_messages.LEASE, 10)

    assert [one.key for one in mine] == ["1:a"]
    assert theirs == []
    assert [(one.key, one.again) for one in later] == [("1:a", True), ("2:b", False)]


@pytest.mark.slow
def test_a_worker_killed_between_sending_and_marking_sends_again_with_the_same_id_and_loses_nothing(
    house: House, port: int
) -> None:
    """SMTP cannot be asked what it took: at least once is what it can give, and this is where "twice" comes from."""
    house.stack.variables |= {
        "ROADMEND_MAIL_PROVIDER": "smtp",
        "ROADMEND_SMTP_URL": f"smtp://127.0.0.1:{port}",
        "ROADMEND_MAIL_FROM": "roads@council.example",
    }
    house.stack.start_redis()
    house.stack.start_api()
    answer = threading.Event()
    with post_office(port, PostOffice(hold=answer)) as office:
        house.stack.start_worker("worker0")
        house.stack.start_beat()
        send(house.stack.url, a_report(contact={"email": SAM}))
        until(lambda: office.arrived, 60, "the server to have the message, and not to have answered")
        house.stack.kill("worker0")
        answer.set()
        # The lease of a worker that is gone ends by itself; a test does not wait for that.
        house.tell("UPDATE message SET leased_until = now() WHERE leased_until IS NOT NULL")
        house.stack.start_worker("worker1")
        until(lambda: house.ask("SELECT count(*) FROM message WHERE sent_at IS NOT NULL"), 60, "the message to leave")

    assert len({str(one["Message-ID"]) for one in office.arrived}) == 1
    assert len(office.arrived) == 2
    assert house.ask("SELECT tries FROM message") == 2
    house.comes_to_rest()
    assert house.broken() == []


@pytest.mark.slow
def test_a_worker_killed_while_messages_go_to_the_mailbox_loses_and_doubles_none(house: House) -> None:
    house.stack.variables |= {"ROADMEND_MAIL_PROVIDER": "mailbox"}
    house.stack.start_redis()
    house.stack.start_api()
    for number in range(30):
        sent = send(house.stack.url, a_report(metres_north=number * 80.0, contact={"email": f"p{number}@example.org"}))
        assert sent.status_code == 201
    house.tell("UPDATE message SET due_at = now()")

    with house.held("message"):
        house.stack.start_worker("worker0")
        house.stack.start_beat()
        until(lambda: house.waiting_for_a_lock() >= 1, 30, "a worker to stand before the messages")
        house.stack.kill("worker0")
    house.tell("UPDATE message SET leased_until = now() WHERE leased_until IS NOT NULL")
    house.stack.start_worker("worker1")
    received = "SELECT count(*) FROM message WHERE template = 'received' AND sent_at IS NOT NULL"
    until(lambda: house.ask(received) == 30, 90, "all to have left")

    kept = list((house.stack.folder / "mailbox" / "new").iterdir())
    assert len(kept) == house.ask("SELECT count(*) FROM message WHERE sent_at IS NOT NULL")
    house.comes_to_rest()
    assert house.broken() == []


# --- a simulation of Notify ------------------------------------------------------------------------------------------


def test_notify_takes_e_mails_and_texts_with_our_key_as_reference(sends: Callable[..., None], port: int) -> None:
    sends("notify", SMS_PROVIDER="notify")
    waiting("1:a")
    waiting("2:b", email=None, phone="07700 900123")

    with notify(port) as known:
        assert outbound.send_due() == 2

    mail, sms = known.taken
    assert (mail["kind"], mail["email_address"], mail["reference"]) == ("email", SAM, "1:a")
    assert mail["personalisation"]["subject"] == "Pothole: made safe, not mended yet"
    assert "It is not mended yet." in mail["personalisation"]["body"]
    assert (sms["kind"], sms["phone_number"], sms["reference"]) == ("sms", "+447700900123", "2:b")


def test_an_answer_of_notify_that_was_lost_doubles_nothing(sends: Callable[..., None], port: int) -> None:
    sends("notify")
    (only,) = waiting("1:a")

    with notify(port) as known:
        known.lost_answers = 1
        assert outbound.send_due() == 0
        due_now()
        assert outbound.send_due() == 1

    assert len(known.taken) == 1
    assert known.asked == ["1:a"]
    assert row(only).sent_as == known.taken[0]["id"]


@pytest.mark.parametrize(
    ("kind", "wait"),
    [("RateLimitError", timedelta(minutes=1)), ("TooManyRequestsError", timedelta(hours=1))],
)
def test_a_limit_of_notify_is_waited_for(sends: Callable[..., None], port: int, kind: str, wait: timedelta) -> None:
    sends("notify")
    first, second = waiting("1:a", "2:b")

    with notify(port) as known:
        known.answers = [problem(429, kind, "Exceeded")]
        outbound.send_due()

    for one in (row(first), row(second)):
        assert wait - timedelta(seconds=30) < one.due_at - datetime.now(UTC) <= wait
        assert one.parked_at is None
    assert known.taken == []


def test_what_notify_will_never_take_is_parked_and_what_is_ours_to_put_right_waits(
    sends: Callable[..., None], port: int
) -> None:
    sends("notify")
    first, second = waiting("1:a", "2:b")

    with notify(port) as known:
        known.answers = [
            problem(400, "ValidationError", "email_address is not a valid email address"),
            problem(403, "AuthError", "Invalid token: API key not found"),
        ]
        outbound.send_due()

    assert row(first).parked_at is not None
    assert "AuthError" in row(second).error
    assert row(second).parked_at is None
