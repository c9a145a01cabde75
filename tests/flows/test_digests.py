"""Digests: one message for a follow of what happened since it was told, once a day or a week; nothing, no message."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from shared.domain.events import DefectMadeSafe, DefectOrdered, DefectSighted
from shared.domain.follows import Rhythm
from shared.flows import follow_place, send_messages, sweeps
from shared.settings import settings
from shared.store import event_log
from shared.store.engine import WriteTx
from shared.store.tables import defect, follow, message
from tests.factories import PLACE, a_defect, adopt_default_policy

SEVEN = datetime(2026, 11, 26, 7, tzinfo=UTC)
"""A Thursday, at seven in London."""
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def told(tx: WriteTx, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ROADMEND_SECRET_KEY", "k" * 32)
    monkeypatch.setenv("ROADMEND_MAIL_PROVIDER", "mailbox")
    settings.cache_clear()
    adopt_default_policy(tx)
    yield
    settings.cache_clear()


def follows(tx: WriteTx, rhythm: Rhythm, since: datetime, radius_m: float = 500.0) -> str:
    made = follow_place.follow_circle(
        tx, "Here", *PLACE, radius_m, email=f"{rhythm}@example.org", rhythm=rhythm, now=since
    )
    follow_place.confirm(tx, made.secret, since)
    tx.execute(delete(message))
    return made.secret


def happens(tx: WriteTx, at: datetime, **more: Any) -> int:
    """A defect is ordered and made safe, at that time."""
    defect_id = a_defect(tx, **more)
    steps = [
        DefectOrdered(defect_id=defect_id, before="confirmed", after="ordered", works_order_id=1),
        DefectMadeSafe(defect_id=defect_id, before="ordered", after="made_safe", visit_id=1),
        DefectSighted(defect_id=defect_id, reports=1),
    ]
    event_log.append(tx, steps, at)
    tx.execute(update(defect).where(defect.c.id == defect_id).values(updated_at=at))
    return defect_id


def digests(tx: WriteTx) -> list[Any]:
    return list(tx.execute(select(message).where(message.c.template == "digest").order_by(message.c.id)))


def test_a_day_is_told_once_in_one_message(tx: WriteTx) -> None:
    follows(tx, Rhythm.DAILY, SEVEN - DAY)
    for metres in (0, 100):
        happens(tx, SEVEN - HOUR, easting=353_000.0 + metres)
    happens(tx, SEVEN - HOUR, easting=355_000.0)

    for minutes in (0, 5, 600):
        sweeps.send_digests(tx, SEVEN + timedelta(minutes=minutes))

    (one,) = digests(tx)
    assert len(one.values["items"]) == 2
    assert [step["words"] for step in one.values["items"][0]["steps"]] == [
        "A crew has been told to mend it.",
        "It was made safe. It is not mended yet.",
    ]


def test_what_happens_after_seven_is_told_the_next_day(tx: WriteTx) -> None:
    follows(tx, Rhythm.DAILY, SEVEN - DAY)
    happens(tx, SEVEN + HOUR)

    sweeps.send_digests(tx, SEVEN + 2 * HOUR)
    assert digests(tx) == []
    sweeps.send_digests(tx, SEVEN + DAY - HOUR)
    assert digests(tx) == []
    sweeps.send_digests(tx, SEVEN + DAY)

    assert len(digests(tx)) == 1


def test_a_week_is_told_on_monday(tx: WriteTx) -> None:
    follows(tx, Rhythm.WEEKLY, SEVEN - DAY)
    happens(tx, SEVEN - HOUR)
    monday = SEVEN + 4 * DAY

    for at in (SEVEN, SEVEN + DAY, monday - HOUR):
        sweeps.send_digests(tx, at)
    assert digests(tx) == []
    sweeps.send_digests(tx, monday)

    assert [one.key.rpartition(":")[2] for one in digests(tx)] == ["2026-11-30"]


def test_a_sweep_that_was_missed_tells_all_since(tx: WriteTx) -> None:
    follows(tx, Rhythm.DAILY, SEVEN - 3 * DAY)
    for days in (2, 1):
        happens(tx, SEVEN - days * DAY - HOUR)

    sweeps.send_digests(tx, SEVEN)

    (one,) = digests(tx)
    assert len(one.values["items"]) == 2


def test_nothing_happened_no_message_and_the_time_goes_on(tx: WriteTx) -> None:
    follows(tx, Rhythm.DAILY, SEVEN - DAY)

    sweeps.send_digests(tx, SEVEN)

    assert digests(tx) == []
    assert tx.scalar(select(follow.c.told_at)) == SEVEN


def test_who_is_told_at_once_stopped_or_has_not_confirmed_gets_no_digest(tx: WriteTx) -> None:
    follows(tx, Rhythm.INSTANT, SEVEN - DAY)
    ended = follows(tx, Rhythm.WEEKLY, SEVEN - 8 * DAY)
    follow_place.end(tx, ended, SEVEN - DAY)
    made = follow_place.follow_circle(
        tx, "Here", *PLACE, 700.0, email="new@example.org", rhythm=Rhythm.DAILY, now=SEVEN - DAY
    )
    tx.execute(delete(message))
    happens(tx, SEVEN - HOUR)

    sweeps.send_digests(tx, SEVEN + 7 * DAY)

    assert made.secret
    assert digests(tx) == []


def test_a_digest_says_how_many_more_there_are(tx: WriteTx) -> None:
    follows(tx, Rhythm.DAILY, SEVEN - DAY, radius_m=5000.0)
    for number in range(23):
        happens(tx, SEVEN - HOUR, easting=353_000.0 + 10 * number)

    sweeps.send_digests(tx, SEVEN)

    (one,) = digests(tx)
    assert (len(one.values["items"]), one.values["more"]) == (20, 3)


def test_a_digest_leaves_as_a_message_that_can_be_read(tx: WriteTx) -> None:
    secret = follows(tx, Rhythm.DAILY, SEVEN - DAY)
    happens(tx, SEVEN - HOUR)
    sweeps.send_digests(tx, SEVEN)

    (taken,) = send_messages.claim(tx, SEVEN + HOUR, 10)

    letter = taken.letter(SEVEN)
    assert letter.subject == "Here and 500 m around it: what happened since yesterday"
    assert "* Thursday 26 November 2026, 6am: A crew has been told to mend it." in letter.text
    assert f"/follow/{secret}" in letter.text
    assert "<li>Thursday 26 November 2026, 6am: It was made safe." in letter.html
