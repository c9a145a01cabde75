"""The private Roadmend that is broken: a county that does not exist, two workers, and servers of its own."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg

from chaos.disk import SmallDisk, own_mounts
from infra.demo import account
from infra.demo.account import Account
from tests.delivery.house import House
from tests.stack import Stack

WORKERS = ("worker0", "worker1")
OURS = "chaos"
"""The name under which we ask the database: connections of this name are never cut."""


@dataclass
class Site:
    """`disk` is None where it may not be made full."""

    house: House
    account: Account
    disk: SmallDisk | None

    @property
    def stack(self) -> Stack:
        return self.house.stack

    @property
    def photos(self) -> Path:
        return Path(self.stack.variables["ROADMEND_PHOTO_DIR"])

    def database(self) -> "psycopg.Connection[tuple[object, ...]]":
        """A connection of our own; each statement commits."""
        return psycopg.connect(self.house.address, autocommit=True, application_name=OURS, connect_timeout=5)

    def ask(self, statement: str, *values: object) -> object:
        """The first column of the first row."""
        with self.database() as db:
            row = db.execute(statement.encode(), values).fetchone()
            return None if row is None else row[0]


@contextmanager
def running() -> Iterator[Site]:
    """Everything started and the county loaded; nothing of it is left at the end.

    Call it from the main thread: what it starts is stopped by the kernel when the thread that started it ends.
    """
    may_mount = own_mounts()
    with tempfile.TemporaryDirectory(prefix="roadmend-chaos-", ignore_cleanup_errors=True) as folder:
        stack = Stack(Path(folder), "to be made")
        disk = SmallDisk(Path(stack.variables["ROADMEND_PHOTO_DIR"]))
        full = may_mount and disk.make()
        try:
            yield _started(stack, disk if full else None)
        finally:
            for name in set(stack.children) - {"postgres", "redis"}:
                stack.kill(name)
            stack.stop_all()
            if full:
                disk.take_away()


def _started(stack: Stack, disk: SmallDisk | None) -> Site:
    stack.start_postgres()
    stack.migrate()
    house = House(stack)
    loaded = house.command("demo", "load")
    kept = account.read(stack.folder / "demo.json")
    if kept is None:
        raise RuntimeError(f"The county was not loaded: {loaded.stderr}")
    stack.start_redis()
    for name in ("api", *WORKERS, "beat"):
        # PostgreSQL shall know whose connections are whose.
        stack.variables["PGAPPNAME"] = name
        {"api": stack.start_api, "beat": stack.start_beat}.get(name, partial(stack.start_worker, name))()
    return Site(house, kept, disk)
