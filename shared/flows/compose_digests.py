"""Digests: one message for a follow of what happened since it was last told; nothing happened, no message."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from shared.domain.follows import Rhythm, last_digest
from shared.domain.telling import headline
from shared.store import messages, news
from shared.store.engine import WriteTx
from shared.store.messages import NewMessage
from shared.store.news import DigestDue, Happened
from shared.store.policies import InForce

AT_ONCE = 200
MOST_EVENTS = 200
MOST_DEFECTS = 20
"""A digest tells so many defects, and says how many more there are."""


def compose(tx: WriteTx, rules: InForce, now: datetime) -> int:
    """Write the digests that are due. Safe to repeat and to miss. Locks the follows. Returns how many were written."""
    return sum(_of(tx, rhythm, rules, now) for rhythm in (Rhythm.DAILY, Rhythm.WEEKLY))


def _of(tx: WriteTx, rhythm: Rhythm, rules: InForce, now: datetime) -> int:
    upto = last_digest(rhythm, now, rules.calendar.tz)
    written = 0
    while due := news.due(tx, rhythm, upto, AT_ONCE):
        written += _write(tx, due, upto, rules, now)
    return written


def _write(tx: WriteTx, due: Sequence[DigestDue], upto: datetime, rules: InForce, now: datetime) -> int:
    ids = [one.id for one in due]
    happened = news.of_follows(tx, ids, upto, MOST_EVENTS)
    by_follow = {follow: list(some) for follow, some in groupby(happened, key=lambda one: one.follow_id)}
    titles = {code: kind.title for code, kind in rules.policy.classes.items()}
    new = [_message(one, by_follow[one.id], titles, upto, now) for one in due if one.id in by_follow]
    news.told(tx, ids, upto)
    return messages.add(tx, [one for one in new if one is not None], now)


def _message(
    one: DigestDue, happened: Sequence[Happened], titles: Mapping[str, str], upto: datetime, now: datetime
) -> NewMessage | None:
    items = _items(happened, titles)
    if not items:
        return None
    values = {
        "items": items[-MOST_DEFECTS:],
        "more": max(0, len(items) - MOST_DEFECTS),
        "since": one.told_at.isoformat(),
        "until": upto.isoformat(),
    }
    key = f"digest:{one.id}:{upto.date().isoformat()}"
    return NewMessage(key=key, channel=one.channel, template="digest", due_at=now, follow_id=one.id, values=values)


def _items(happened: Iterable[Happened], titles: Mapping[str, str]) -> list[dict[str, Any]]:
    """A defect each, in the order of what happened last to it; each with its steps."""
    found: dict[str, dict[str, Any]] = {}
    for one in happened:
        words = headline(one.kind, one.after, one.clock)
        if words is None:
            continue
        item = found.pop(one.defect, None) or {
            "defect": one.defect,
            "what": titles.get(one.class_code, "Defect"),
            "street": one.street,
            "steps": [],
        }
        item["steps"].append({"at": one.at.isoformat(), "words": words})
        found[one.defect] = item
    return list(found.values())
