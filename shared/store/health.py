"""Which parts that the service stands on are fit, one by one, each with a sentence when it is not."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from alembic.script import ScriptDirectory
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.errors import NotFound, Refusal
from shared.settings import ROOT, settings
from shared.store import network, policies
from shared.store.engine import LOST, ReadTx, reading

ROOM_NEEDED = 256 * 1024 * 1024
"""Bytes that must be free where photos are kept."""


@dataclass(frozen=True, slots=True)
class Part:
    """`needed` False: without it the service does less, and still takes reports."""

    name: str
    fit: bool
    detail: str = ""
    needed: bool = True


def parts(now: datetime) -> list[Part]:
    """Every part, looked at now."""
    return [*_of_the_database(now), _photos(), _redis()]


def _of_the_database(now: datetime) -> Iterator[Part]:
    names = ("database", "migrations", "grid", "policy")
    try:
        with reading() as tx:
            yield Part("database", True)
            yield _asked("migrations", lambda: _migrated(tx))
            yield _asked("policy", lambda: policies.in_force(tx, now))
            yield _asked("grid", lambda: _grid(tx, now))
    except (*LOST, DBAPIError) as error:
        yield from (Part(name, False, f"The database does not answer ({type(error).__name__}).") for name in names)


def _asked(name: str, ask: Callable[[], Any]) -> Part:
    try:
        ask()
    except Refusal as no:
        return Part(name, False, no.detail)
    return Part(name, True)


def _migrated(tx: ReadTx) -> None:
    found = tx.scalar(text("SELECT max(version_num) FROM alembic_version"))
    if found != newest_migration():
        raise Refusal(f"The database stands at migration {found}, this release at {newest_migration()}: migrate first.")


@lru_cache
def newest_migration() -> str | None:
    """The last migration of this release."""
    return ScriptDirectory(str(ROOT / "infra" / "migrations")).get_current_head()


def _grid(tx: ReadTx, now: datetime) -> None:
    try:
        exact = policies.in_force(tx, now).policy.place.require_grid
    except NotFound:
        exact = True
    network.require_grid(tx, exact=exact)


def _photos() -> Part:
    kept: Path = settings().photo_dir
    try:
        kept.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=kept) as file:
            file.write(b"fit")
    except OSError as error:
        return Part("photos", False, f"Photos cannot be written ({error.strerror or type(error).__name__}).")
    free = shutil.disk_usage(kept).free
    return Part("photos", free >= ROOM_NEEDED, "" if free >= ROOM_NEEDED else f"{free >> 20} MB are free for photos.")


def _redis() -> Part:
    try:
        _client(settings().redis_url).ping()
    except (RedisError, OSError) as error:
        detail = f"Redis does not answer ({type(error).__name__}): reports are taken, their work waits."
        return Part("redis", False, detail, needed=False)
    return Part("redis", True, needed=False)


@lru_cache
def _client(url: str) -> "Redis":
    return Redis.from_url(url, socket_timeout=0.5, socket_connect_timeout=0.5)
