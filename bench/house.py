"""What a measure runs on: databases of the bench's own, filled once and copied, and the real processes on them."""

import json
import os
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from celery import Celery
from psycopg import sql
from sqlalchemy import URL

from bench import county
from bench.county import Layout
from bench.database import Db, connect
from infra.native.child import Child, Program
from infra.native.layout import PYTHON, ROOT
from infra.native.processes import answers, environment
from shared.domain.events import Consumer
from shared.domain.terms import Role
from shared.flows import manage_access
from shared.store.engine import transaction
from tests import databases
from tests.stack import Stack, free_port, tail
from tests.waiting import until

BARE = "bench.bare:app"


@contextmanager
def migrated(server: URL) -> Iterator[URL]:
    """A database with all tables and the shipped policy, to be copied."""
    url = databases.create(server)
    try:
        config = Config(ROOT / "infra" / "migrations" / "alembic.ini")
        config.attributes["url"] = databases.as_setting(url)
        command.upgrade(config, "head")
        county.adopt(url)
        yield url
    finally:
        databases.drop(url)


@contextmanager
def copied(template: URL) -> Iterator[URL]:
    """A copy of a database that nobody is connected to; gone at the end."""
    url = databases.create(template, str(template.database))
    try:
        yield url
    finally:
        databases.drop(url)


@contextmanager
def county_of(template: URL, layout: Layout, *, worked: bool = False) -> Iterator[URL]:
    """A county with so many open defects; `worked`: graded, with clocks that run."""
    with copied(template) as url:
        with connect(url) as db:
            county.draw(db, layout)
            county.add_defects(db, layout, worked=worked)
        yield url


def sweep(server: URL) -> None:
    """Drop what a bench that was killed has left: its process is in the name."""
    with connect(server) as db:
        names = [str(row[0]) for row in db.execute("SELECT datname FROM pg_database WHERE datname LIKE 'test\\_%'")]
        for name in names:
            if not Path(f"/proc/{name.split('_')[1]}").exists():
                db.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@dataclass
class House:
    """Roadmend's processes on one database; `db` is the bench's own connection, each statement commits."""

    url: URL
    stack: Stack
    db: Db
    bare: "Bare | None" = None
    keys: dict[Role, str] = field(default_factory=dict)

    def key(self, role: Role) -> str:
        """An API key of this role with every scope it may have; a vendor's is of a fleet of its own."""
        if role not in self.keys:
            with databases.in_force(self.url), transaction("command:bench") as tx:
                scopes = ["detections:write"] if role is Role.VENDOR else ["*"]
                source = "bench-fleet" if role is Role.VENDOR else None
                made = manage_access.make_key(tx, f"bench {role}", role, scopes, datetime.now(UTC), source=source)
                self.keys[role] = made.told
        return self.keys[role]

    def bearer(self, role: Role) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key(role)}"}

    def ask(self, statement: str) -> object:
        """The first column of the first row."""
        row = self.db.execute(statement).fetchone()  # type: ignore[call-overload]
        return None if row is None else row[0]

    def tell(self, statement: str) -> None:
        """A statement that changes something."""
        self.db.execute(statement)  # type: ignore[call-overload]

    def get(self, path: str) -> Any:
        """What the API answers the public, from JSON."""
        with urllib.request.urlopen(f"{self.stack.url}{path}", timeout=10) as answer:  # noqa: S310 (our own address)
            return json.load(answer)

    def is_at_rest(self) -> bool:
        """Nothing is due or waiting for any worker."""
        return bool(self.ask("SELECT NOT EXISTS (SELECT FROM delivery WHERE parked_at IS NULL)"))

    def hears_no_more(self, consumer: Consumer) -> bool:
        """Nothing is due to this consumer."""
        return bool(self.ask(f"SELECT NOT EXISTS (SELECT FROM delivery WHERE consumer = '{consumer}')"))

    def nudge(self, consumer: Consumer, times: int = 1) -> None:
        """Tell the workers, as the API would."""
        with Celery(broker=self.stack.variables["ROADMEND_REDIS_URL"]) as broker:
            for _ in range(times):
                broker.send_task("roadmend.drain", (consumer.value,), queue=f"drain.{consumer}")

    def comes_to_rest(self, seconds: float = 300) -> None:
        until(self.is_at_rest, seconds, "every delivery to be heard")

    def refuse_parked(self) -> None:
        """A measure of work that failed is no measure.

        Raises:
            RuntimeError: deliveries failed; says the first error.
        """
        failed = self.db.execute("SELECT consumer, error FROM delivery WHERE error IS NOT NULL LIMIT 1").fetchone()
        if failed is not None:
            raise RuntimeError(f"A delivery to {failed[0]} failed: {failed[1]}")

    def pids(self, name: str) -> list[int]:
        """A child's process and those that it started."""
        return family(self.stack.children[name].pid)


@contextmanager
def house_on(url: URL, *, bare: bool = False) -> Iterator[House]:
    """A house of which only Redis runs yet. `bare`: with the bare server beside it."""
    with tempfile.TemporaryDirectory(prefix="roadmend-bench-") as folder:
        stack = Stack(Path(folder), databases.as_setting(url))
        try:
            stack.start_redis()
            with connect(url) as db:
                made = House(url, stack, db)
                if bare:
                    made.bare = Bare(stack)
                try:
                    yield made
                finally:
                    if made.bare is not None:
                        made.bare.stop()
        finally:
            stack.stop_all()


class Bare:
    """The bare server: FastAPI by the same uvicorn with the same options and limits, and nothing of Roadmend in it."""

    def __init__(self, stack: Stack) -> None:
        self.port = free_port()
        given = {**stack.variables, "ROADMEND_PORT": str(self.port)}
        options = ["--no-access-log", "--timeout-graceful-shutdown", "1", "--no-server-header", "--no-proxy-headers"]
        options += ["--ws", "none", "--http", "services.api.connection:Connection"]
        command_line = [str(PYTHON), "-m", "uvicorn", BARE, "--host", "127.0.0.1", "--port", str(self.port), *options]
        log = stack.folder / "bare.log"
        self.child = Child(Program("bare", command_line, environment(given), ROOT), log)
        try:
            until(lambda: answers(f"http://127.0.0.1:{self.port}/ready"), 30, "the bare server")
        except AssertionError as error:
            self.child.kill()
            raise RuntimeError(f"{error}\n{tail(self.child)}") from None

    def stop(self) -> None:
        self.child.stop()


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    found = [pid]
    for one in found:
        for children in Path(f"/proc/{one}/task").glob("*/children"):
            found += [int(child) for child in children.read_text().split()]
    return found


def rss_kb(pids: list[int]) -> int:
    """What these processes hold in memory that no other has, in kB."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith(("Private_Clean:", "Private_Dirty:")):
                total += int(line.split()[1])
    return total


def cpu_seconds(pids: list[int]) -> float:
    """Processor time that these processes have used so far."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")
