"""Who of the hub looks at what now. A hint, in Redis and with a short term: without Redis nobody is shown.

One hash for each thing, with a field for each open page: whose it is, since when, and whether they write. No name
stands in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson
from redis import Redis

from services.api.hints import Hints, connections
from shared.settings import settings

TERM_SECONDS = 30.0
"""After so long without a word a page counts as closed; pages speak every 10 s."""


@dataclass(frozen=True, slots=True)
class Here:
    """A person at a thing. `writing`: in one of their pages there are words that are not saved yet."""

    person_id: int
    since: datetime
    writing: bool


@dataclass(frozen=True, slots=True)
class View:
    """A page that somebody has open; `id` is of its own making."""

    subject: str
    person_id: int
    id: str
    writing: bool = False

    @property
    def field(self) -> str:
        return f"{self.person_id}:{self.id}"


class _Board:
    def __init__(self, address: str) -> None:
        self._redis: Redis = Redis(connection_pool=connections(address))
        self._hints = Hints("presence_unknown")

    def look(self, view: View, now: datetime) -> list[Here]:
        """Say that this page is open; who is there, this page's own person too."""

        def work() -> Mapping[bytes, bytes]:
            key = _key(view.subject)
            known = _read(self._redis.hget(key, view.field))
            since = known["since"] if known and _is_open(known, now) else now.timestamp()
            said = {"since": since, "at": now.timestamp(), "writing": view.writing}
            with self._redis.pipeline(transaction=False) as line:
                line.hset(key, view.field, orjson.dumps(said))
                line.expire(key, int(2 * TERM_SECONDS))
                line.hgetall(key)
                answers: list[Any] = line.execute()
            found: Mapping[bytes, bytes] = answers[-1]
            return found

        return _people(self._hints.ask(work) or {}, now)

    def leave(self, view: View) -> None:
        """Say that this page is closed."""
        self._hints.ask(lambda: self._redis.hdel(_key(view.subject), view.field))

    def at(self, subjects: Sequence[str], now: datetime) -> dict[str, list[Here]]:
        """Who is at each of these things."""

        def work() -> list[Mapping[bytes, bytes]]:
            with self._redis.pipeline(transaction=False) as line:
                for subject in subjects:
                    line.hgetall(_key(subject))
                found: list[Mapping[bytes, bytes]] = line.execute()
            return found

        found = self._hints.ask(work) or [{} for _ in subjects]
        return {subject: _people(fields, now) for subject, fields in zip(subjects, found, strict=True)}


def _key(subject: str) -> str:
    return f"roadmend:here:{subject}"


def _read(kept: Any) -> dict[str, Any] | None:
    return None if kept is None else orjson.loads(kept)


def _is_open(said: Mapping[str, Any], now: datetime) -> bool:
    return bool(now.timestamp() - said["at"] <= TERM_SECONDS)


def _people(fields: Mapping[bytes, bytes], now: datetime) -> list[Here]:
    """Each person once, however many pages they have open, the first to come first."""
    views: dict[int, list[dict[str, Any]]] = {}
    for field, kept in fields.items():
        said = orjson.loads(kept)
        if _is_open(said, now):
            views.setdefault(int(field.partition(b":")[0]), []).append(said)
    people = [
        Here(
            person_id,
            datetime.fromtimestamp(min(one["since"] for one in said), UTC),
            any(one["writing"] for one in said),
        )
        for person_id, said in views.items()
    ]
    return sorted(people, key=lambda one: (one.since, one.person_id))


@lru_cache
def _board(address: str) -> _Board:
    return _Board(address)


def board() -> _Board:
    """Where it stands: the Redis of the settings."""
    return _board(settings().redis_url)
