"""Being told: each person once for each fact, steps that come together as one message, nothing to who wants none."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, select, update

from shared.domain.events import (
    Consumer,
    DeadlineMissed,
    DefectGraded,
    DefectMadeSafe,
    DefectOrdered,
    DefectStepped,
    Event,
    RepairVerified,
    ReportInfoAsked,
)
from shared.domain.follows import Rhythm
from shared.flows import decide_report, follow_place, merge_defects, report_to_defect, send_messages, tell_people
from shared.flows.receive_report import Contact, Draft, receive
from shared.settings import settings
from shared.store import event_log
from shared.store.engine import WriteTx
from shared.store.tables import GRID, area, area_piece, contact, defect, follow, message, report, sighting, street
from tests.factories import a_defect, a_report, adopt_default_policy, hear

NOW = datetime.now(UTC)
LATER = NOW + timedelta(hours=3)
MINUTE = timedelta(minutes=1)
SAM, ALI = "sam@example.org", "ali@example.org"


@pytest.fixture(autouse=True)
def told(tx: WriteTx, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The policy is in force, and both channels leave."""
    for name, value in {"SECRET_KEY": "k" * 32, "MAIL_PROVIDER": "mailbox", "SMS_PROVIDER": "mailbox"}.items():
        monkeypatch.setenv(f"ROADMEND_{name}", value)
    settings.cache_clear()
    adopt_default_policy(tx)
    yield
    settings.cache_clear()


def of(tx: WriteTx, defect_id: int, email: str | None = SAM, **more: Any) -> int:
    """A report that is linked to a defect, whose reporter can be reached."""
    report_id = a_report(tx, state="linked", **more)
    where = select(report.c.lat, report.c.lon, report.c.geom).where(report.c.id == report_id)
    lat, lon, geom = tx.execute(where).one()
    row = {"class_code": "pothole", "lat": lat, "lon": lon, "geom": geom, "accuracy_m": 5.0}
    row |= {"defect_id": defect_id, "report_id": report_id, "seen_at": NOW, "known_at": NOW, "linked_at": NOW - MINUTE}
    tx.execute(insert(sighting).values(**row, verdict="same", why="Near."))
    if email is not None:
        tx.execute(insert(contact).values(report_id=report_id, email=email))
    return report_id


def followed(tx: WriteTx, defect_id: int, email: str = SAM) -> str:
    """A confirmed follow; the message that asked is out of the way."""
    made = follow_place.follow_defect(tx, defect_id, email=email, now=NOW - MINUTE)
    follow_place.confirm(tx, made.secret, NOW - MINUTE)
    tx.execute(delete(message))
    return made.secret


def tells(tx: WriteTx, *events: Event, now: datetime = NOW) -> None:
    """These happen, and `tell` hears of them alone."""
    hear(tx, Consumer.TELL, lambda *_: None, now)
    event_log.append(tx, list(events), now)
    hear(tx, Consumer.TELL, tell_people.run, now)


def messages(tx: WriteTx) -> list[Any]:
    """What waits to be sent, in the order in which it was written."""
    return list(tx.execute(select(message).where(message.c.dropped_at.is_(None)).order_by(message.c.id)))


def made_safe(defect_id: int) -> Event:
    return DefectMadeSafe(defect_id=defect_id, before="ordered", after="made_safe", visit_id=1)


def ordered(defect_id: int) -> Event:
    return DefectOrdered(defect_id=defect_id, before="confirmed", after="ordered", works_order_id=1)


# --- each person once ------------------------------------------------------------------------------------------------


def test_who_reported_it_and_who_follows_it_are_told(tx: WriteTx) -> None:
    defect_id = a_defect(tx)
    report_id = of(tx, defect_id)
    secret = followed(tx, defect_id, ALI)

    tells(tx, made_safe(defect_id))

    one, other = messages(tx)
    assert (one.report_id, one.template, one.channel) == (report_id, "made_safe", "email")
    assert (other.report_id, other.follow_id) == (None, follow_place.found(tx, secret).id)
    assert one.values["what"] == "Pothole"
    assert SAM not in str(tuple(one))


def test_somebody_with_twelve_reports_who_follows_it_too_is_told_once(tx: WriteTx) -> None:
    defect_id = a_defect(tx)
    first = of(tx, defect_id)
    for _ in range(11):
        of(tx, defect_id, email="Sam@EXAMPLE.org ")
    followed(tx, defect_id)

    tells(tx, made_safe(defect_id))

    (one,) = messages(tx)
    assert one.report_id == first


def test_a_merge_of_twelve_reports_tells_each_person_once(tx: WriteTx) -> None:
    absorbed, taker = a_defect(tx), a_defect(tx, easting=353_003.0)
    for number in range(12):
        of(tx, absorbed, email=f"person{number % 4}@example.org")
    of(tx, taker, email="other@example.org")
    names = {row.id: row.reference for row in tx.execute(select(defect.c.id, defect.c.reference))}
    hear(tx, Consumer.TELL, lambda *_: None, LATER)

    merge_defects.merge(tx, names[absorbed], names[taker], "One hole.", NOW)
    hear(tx, Consumer.TELL, tell_people.run, LATER)

    told = messages(tx)
    assert [one.template for one in told] == ["merged"] * 4
    assert len({one.reader for one in told}) == 4
    assert {one.values["other"] for one in told} == {names[taker]}


def test_news_of_an_original_reaches_who_followed_its_duplicate(tx: WriteTx) -> None:
    absorbed, taker = a_defect(tx), a_defect(tx, easting=353_003.0)
    followed(tx, absorbed)
    tx.execute(update(defect).where(defect.c.id == absorbed).values(state="duplicate", merged_into=taker))

    tells(tx, made_safe(taker))

    assert [one.template for one in messages(tx)] == ["made_safe"]


def test_an_event_that_is_delivered_again_is_not_told_again(tx: WriteTx) -> None:
    defect_id = a_defect(tx)
    of(tx, defect_id)
    hear(tx, Consumer.TELL, lambda *_: None, NOW)
    event_log.append(tx, [ordered(defect_id), made_safe(defect_id)], NOW)
    due: list[Any] = []
    hear(tx, Consumer.TELL, lambda _, batch, __: due.extend(batch), NOW)

    for _ in range(3):
        tell_people.run(tx, due, NOW)
    tell_people.run(tx, due[:1], NOW)

    (one,) = messages(tx)
    assert one.template == "made_safe"


# --- who is not told -------------------------------------------------------------------------------------------------


def test_who_stopped_withdrew_or_left_no_address_is_not_told(tx: WriteTx) -> None:
    defect_id = a_defect(tx)
    stopped = of(tx, defect_id, email="stopped@example.org")
    tx.execute(update(contact).where(contact.c.report_id == stopped).values(unfollowed_at=NOW))
    withdrawn = of(tx, defect_id, email="withdrawn@example.org")
    tx.execute(update(report).where(report.c.id == withdrawn).values(state="withdrawn"))
    of(tx, defect_id, email=None)
    ended = followed(tx, defect_id, "ended@example.org")
    follow_place.end(tx, ended, NOW)
    follow_place.follow_defect(tx, defect_id, email="unconfirmed@example.org", now=NOW)
    tx.execute(delete(message))

    tells(tx, made_safe(defect_id))

    assert messages(tx) == []


def test_what_happened_before_somebody_came_is_not_told_to_them(tx: WriteTx) -> None:
    defect_id = a_defect(tx)
    report_id = of(tx, defect_id)
    tx.execute(update(sighting).where(sighting.c.report_id == report_id).values(linked_at=LATER))
    secret = followed(tx, defect_id, ALI)
    tx.execute(update(follow).values(confirmed_at=LATER))

    tells(tx, made_safe(defect_id))

    assert messages(tx) == []
    assert follow_place.found(tx, secret).confirmed_at == LATER


def test_who_left_a_landline_only_is_not_told_and_a_mobile_gets_a_text(tx: WriteTx) -> None:
    defect_id = a_defect(tx)
    for phone in ("01772 900123", "07700 900123"):
        tx.execute(insert(contact).values(report_id=of(tx, defect_id, email=None), phone=phone))

    tells(tx, made_safe(defect_id))

    (one,) = messages(tx)
    assert one.channel == "sms"


def test_no_text_is_written_where_none_can_leave(tx: WriteTx, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROADMEND_SMS_PROVIDER", "none")
    settings.cache_clear()
    defect_id = a_defect(tx)
    tx.execute(insert(contact).values(report_id=of(tx, defect_id, email=None), phone="07700 900123"))

    tells(tx, made_safe(defect_id))

    assert messages(tx) == []


def test_what_is_said_of_one_report_is_told_to_its_reporter_alone(tx: WriteTx) -> None:
    defect_id = a_defect(tx)
    report_id = of(tx, defect_id)
    of(tx, defect_id, ALI)

    tells(tx, ReportInfoAsked(report_id=report_id, before="triage", after="needs_info", question="Which side?"))

    (one,) = messages(tx)
    assert (one.report_id, one.template, one.values["question"]) == (report_id, "asked", "Which side?")
    assert one.due_at == NOW


# --- places ----------------------------------------------------------------------------------------------------------


def test_who_follows_the_place_is_told_by_whichever_way_it_is_followed(tx: WriteTx) -> None:
    line = "SRID=27700;MULTILINESTRING((352900 430000,353100 430000))"
    tx.execute(insert(street).values(network_id="n1", street_key="high-street", name="High Street", geom=line))
    box = "POLYGON((352000 429000,354000 429000,354000 431000,352000 431000,352000 429000))"
    shape = func.ST_Multi(func.ST_GeomFromText(box, GRID))
    row = {"code": "E05000001", "name": "Preston Central", "kind": "division", "geom": shape}
    area_id = tx.scalar(insert(area).values(row).returning(area.c.id))
    tx.execute(insert(area_piece).values(area_id=area_id, geom=func.ST_GeomFromText(box, GRID)))
    lat, lon = tx.execute(select(defect.c.lat, defect.c.lon).where(defect.c.id == a_defect(tx))).one()
    made = [
        follow_place.follow_street(tx, "high-street", email="street@example.org", now=NOW - MINUTE),
        follow_place.follow_area(tx, "E05000001", email="area@example.org", now=NOW - MINUTE),
        follow_place.follow_circle(tx, "Here", lat, lon, 500, email="circle@example.org", now=NOW - MINUTE),
        follow_place.follow_circle(tx, "Far", lat + 0.1, lon, 500, email="far@example.org", now=NOW - MINUTE),
        follow_place.follow_street(tx, "high-street", email="daily@example.org", rhythm=Rhythm.DAILY, now=NOW - MINUTE),
    ]
    for one in made:
        follow_place.confirm(tx, one.secret, NOW - MINUTE)
    tx.execute(delete(message))
    defect_id = a_defect(tx, state="candidate", band="P20")

    tells(tx, DefectGraded(defect_id=defect_id, band="P20", was=None, why=()))

    told = [tx.scalar(select(follow.c.email).where(follow.c.id == one.follow_id)) for one in messages(tx)]
    assert sorted(told) == ["area@example.org", "circle@example.org", "street@example.org"]
    assert {one.template for one in messages(tx)} == {"reported"}


# --- several steps, one message --------------------------------------------------------------------------------------


def test_steps_that_come_together_are_one_message_that_tells_them_all(tx: WriteTx) -> None:
    defect_id = a_defect(tx)
    of(tx, defect_id)

    tells(
        tx, DefectStepped(defect_id=defect_id, before="candidate", after="confirmed", why="Seen."), ordered(defect_id)
    )
    tells(tx, made_safe(defect_id), now=NOW + timedelta(seconds=30))

    (one,) = messages(tx)
    assert one.template == "made_safe"
    assert [line["words"] for line in one.values["earlier"]] == [
        "We looked at it. It needs mending.",
        "A crew has been told to mend it.",
    ]
    # It goes when the first of them would have: steps that keep coming hold up no message.
    assert one.due_at == NOW + MINUTE


def test_what_has_begun_to_leave_is_followed_by_another(tx: WriteTx) -> None:
    defect_id = a_defect(tx)
    of(tx, defect_id)
    tells(tx, ordered(defect_id))
    (taken,) = send_messages.claim(tx, LATER, 10)

    tells(tx, made_safe(defect_id), now=LATER)

    assert taken.template == "ordered"
    assert [one.template for one in messages(tx)] == ["ordered", "made_safe"]
    assert "earlier" not in messages(tx)[1].values


def test_a_slip_is_never_folded_away(tx: WriteTx) -> None:
    defect_id = a_defect(tx, state="ordered")
    of(tx, defect_id)

    tells(
        tx,
        DeadlineMissed(defect_id=defect_id, clock="permanent", due_at=NOW),
        made_safe(defect_id),
    )

    assert sorted(one.template for one in messages(tx)) == ["made_safe", "missed"]


def test_a_grade_that_makes_the_date_later_is_told_with_the_date_before(tx: WriteTx) -> None:
    defect_id = a_defect(tx, state="ordered")
    of(tx, defect_id)
    due = NOW + timedelta(days=5)
    event_log.append(
        tx, DefectGraded(defect_id=defect_id, band="P5", was=None, why=(), permanent_due=due.isoformat()), NOW
    )

    later = due + timedelta(days=5)
    tells(
        tx,
        DefectGraded(
            defect_id=defect_id, band="P10", was="P5", why=("It is smaller.",), permanent_due=later.isoformat()
        ),
    )

    (one,) = messages(tx)
    assert one.template == "moved"
    assert (datetime.fromisoformat(one.values["was"]), datetime.fromisoformat(one.values["due"])) == (due, later)


# --- received, joined ------------------------------------------------------------------------------------------------


def received(tx: WriteTx, **more: Any) -> str:
    told = Draft(class_code="pothole", lat=53.7632, lon=-2.7031, accuracy_m=5.0, **more)
    return receive(tx, told, NOW).reference


def test_a_reporter_who_can_be_reached_gets_the_reference_and_the_promise(tx: WriteTx) -> None:
    reference = received(tx, contact=Contact(email=SAM), danger=True)
    received(tx)
    received(tx, contact=Contact(name="Sam"))
    received(tx, contact=Contact(phone="01772 900123"))

    (taken,) = send_messages.claim(tx, NOW + MINUTE, 10)

    letter = taken.letter(NOW)
    assert (taken.to, taken.template) == (SAM, "received")
    assert reference in letter.text
    assert f"/reports/{reference}?token=" in letter.text
    assert "call 999" in letter.text


def test_that_others_had_told_of_it_goes_along_with_the_first_message(tx: WriteTx) -> None:
    received(tx)
    hear(tx, Consumer.TRIAGE, report_to_defect.run, LATER)
    received(tx, contact=Contact(email=SAM))
    hear(tx, Consumer.TRIAGE, report_to_defect.run, LATER)

    (taken,) = send_messages.claim(tx, LATER, 10)

    assert "Others had told us of it too." in taken.letter(LATER).text


def test_that_others_had_told_of_it_is_told_by_itself_when_it_is_found_later(tx: WriteTx) -> None:
    received(tx)
    hear(tx, Consumer.TRIAGE, report_to_defect.run, LATER)
    received(tx, contact=Contact(email=SAM))
    (first,) = send_messages.claim(tx, NOW + MINUTE, 10)
    send_messages.sent(tx, first, "sent", NOW + MINUTE)

    hear(tx, Consumer.TRIAGE, report_to_defect.run, LATER)

    (second,) = send_messages.claim(tx, LATER, 10)
    assert second.template == "joined"
    assert "Others had told us of" in second.letter(LATER).text


def test_a_report_that_is_passed_on_is_told_once(tx: WriteTx) -> None:
    reference = received(tx, contact=Contact(email=SAM))

    decide_report.refer(tx, reference, "National Highways", "It is a trunk road.", NOW)
    hear(tx, Consumer.TELL, tell_people.run, LATER)

    assert [one.template for one in messages(tx)] == ["received", "referred"]


def test_a_verified_repair_is_told_with_the_way_to_say_that_it_is_not(tx: WriteTx) -> None:
    defect_id = a_defect(tx)
    of(tx, defect_id)

    tells(
        tx,
        RepairVerified(
            defect_id=defect_id,
            before="repair_claimed",
            after="verified",
            works_order_id=1,
            visit_id=1,
            verifier="person:9",
            why="",
        ),
    )

    (taken,) = send_messages.claim(tx, LATER, 10)
    assert "Is it not fixed? You have 28 days to tell us" in taken.letter(LATER).text
