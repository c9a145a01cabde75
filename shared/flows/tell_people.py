"""Where people are told: an event that is worth it becomes one message for each person who wants to hear of it.

A message is a row with a key made of the event and the person. Somebody with twelve reports of one hole, who follows
its street too, is told once. Several steps of one defect that nobody has been sent yet become one message.
"""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from shared.domain import reaching
from shared.domain.telling import Said, Telling, tell, together
from shared.errors import NotFound
from shared.settings import settings
from shared.store import messages, policies, telling
from shared.store.deliveries import Delivery
from shared.store.engine import ReadTx, WriteTx
from shared.store.messages import NewMessage
from shared.store.telling import Reader, Told


@dataclass(frozen=True, slots=True)
class _News:
    """What is told of one event, and when it was recorded."""

    told: Told
    telling: Telling
    recorded_at: datetime


def run(tx: WriteTx, due: Sequence[Delivery], now: datetime) -> None:
    """The `tell` consumer: writes the messages that a batch of events is worth. What was told is not told anew.

    Takes the teller's lock to the end of the transaction.
    """
    telling.one_at_a_time(tx)
    recorded: dict[int, datetime] = {one.event_id: one.event_at for one in due}
    facts = telling.facts(tx, due)
    said = [(told, tell(told.fact)) for told in facts]
    news = [_News(told, one, recorded[told.event_id]) for told, one in said if one is not None]
    if news:
        _write(tx, news, now)


def _write(tx: WriteTx, news: Sequence[_News], now: datetime) -> None:
    heard = telling.readers(tx, [(one.told, one.recorded_at, one.telling.to) for one in news])
    if not heard:
        return
    titles = _titles(tx, now)
    by_event = {one.told.event_id: one for one in news}
    new = [_message(by_event[one.event_id], one, channel, titles, now) for one, channel in _each_once(heard)]
    old = telling.known(tx, [one.key for one in new])
    messages.add(tx, _together(tx, [one for one in new if one.key not in old], now), now)


def _titles(tx: ReadTx, now: datetime) -> Mapping[str, str]:
    try:
        return {code: kind.title for code, kind in policies.in_force(tx, now).policy.classes.items()}
    except NotFound:
        return {}


def _each_once(heard: Iterable[Reader]) -> Iterable[tuple[Reader, str]]:
    """Each person once for an event, as what concerns them most: readers come by rank. Some cannot be reached."""
    seen: set[tuple[int, str]] = set()
    for one in heard:
        channel = channel_of(one.email, one.phone)
        if channel is not None and (person := (one.event_id, person_of(one.email, one.phone))) not in seen:
            seen.add(person)
            yield one, channel


def channel_of(email: str | None, phone: str | None) -> str | None:
    """How somebody is told: by e-mail where there is an address, else by text; None where neither can be."""
    if email:
        return "email"
    able = settings().sms_provider != "none" and phone is not None and reaching.texts(phone) is not None
    return "sms" if able else None


def person_of(email: str | None, phone: str | None) -> str:
    """A name for a person that says nothing of who it is: made of the address and the deployment's key."""
    address = email.strip().lower() if email else reaching.number(phone or "")
    return hmac.digest(settings().secret().encode(), f"reader:{address}".encode(), "sha256").hex()[:24]


def _message(news: _News, reader: Reader, channel: str, titles: Mapping[str, str], now: datetime) -> NewMessage:
    told, said = news.told, news.telling
    person = person_of(reader.email, reader.phone)
    values: dict[str, Any] = {
        "what": titles.get(told.class_code, "Defect"),
        "event": told.event_id,
        "at": told.fact.at.isoformat(),
        **told.names,
        **said.values,
    }
    wait = timedelta(seconds=settings().message_wait_seconds if said.standing else 0)
    return NewMessage(
        key=f"{told.event_id}:{person}",
        channel=channel,
        template=said.template,
        due_at=now + wait,
        report_id=reader.report_id,
        follow_id=reader.follow_id,
        reader=person,
        about=f"defect {told.defect_id}" if said.standing and told.defect_id is not None else None,
        values=values,
    )


def _together(tx: WriteTx, new: Sequence[NewMessage], now: datetime) -> list[NewMessage]:
    """Let one standing message stand for all that are not sent; it goes when the oldest of them would have.

    What it stands for is kept, as dropped: its key says that it was told.
    """
    kept = [one for one in new if one.about is None]
    newest: dict[tuple[str, str], NewMessage] = {}
    for one in new:
        if one.reader is None or one.about is None:
            continue
        before = newest.get((one.reader, one.about))
        if before is not None:
            kept.append(replace(before, dropped=True))
        newest[one.reader, one.about] = one if before is None else _with(one, Said(before.template, before.values))
    for old in telling.supersede(tx, list(newest), now) if newest else ():
        one = newest[old.reader, old.about]
        merged = _with(one, Said(old.template, old.values))
        newest[old.reader, old.about] = replace(merged, due_at=min(one.due_at, old.due_at))
    return [*kept, *newest.values()]


def _with(one: NewMessage, other: Said) -> NewMessage:
    said = together(Said(one.template, one.values), other)
    return replace(one, template=said.template, values=said.values)
