"""Recovery to a point in time, with the very settings that docs/backup.md names: what is lost, and to when it goes."""

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from infra.native.child import Child, Program
from infra.native.guard import Guard
from infra.native.layout import ROOT
from infra.native.postgres import Cluster, binaries
from tests.databases import as_driver
from tests.stack import free_port
from tests.waiting import until

pytestmark = pytest.mark.slow
COPY = "cp ../archive/%f %p || cp ../archive/%f.partial %p"
"""restore_command, as documented; the copied log lies beside the data."""


def documented() -> Mapping[str, str]:
    """The settings of the documentation; what is archived lies beside the data instead of on another machine."""
    block = re.findall(r"```ini\n(.*?)```", (ROOT / "docs" / "backup.md").read_text(), re.DOTALL)[0]
    found = dict(line.split(" = ", 1) for line in block.splitlines())
    return {name: value.strip("'").replace("/srv/wal", "../archive") for name, value in found.items()}


class Machine:
    """A PostgreSQL of its own, whose disk can be lost."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.cluster = Cluster(folder / "postgres", durable=True, memory_mb=64)
        self.archive = folder / "postgres" / "archive"
        self.children: dict[str, Child] = {}
        self._guard = Guard()

    def start(self, options: Mapping[str, str]) -> None:
        """Run it with further settings, until it answers."""
        _give(self.archive)
        program = self.cluster.program(self.port)
        program.command = [*program.command, *(f"--{name}={value}" for name, value in options.items())]
        self._run(program)
        until(lambda: self.cluster.is_ready(self.port), 60, "PostgreSQL")

    def receive(self, into: Path) -> None:
        """Follow its log as it is written."""
        into.mkdir()
        self.tool("pg_receivewal", "--slot=roadmend", "--create-slot")
        command = [
            *self._command("pg_receivewal"),
            f"--directory={into}",
            "--slot=roadmend",
            "--synchronous",
            "--no-loop",
        ]
        self._run(Program("receiver", command, self._environment(), into))
        until(lambda: self.ask("SELECT count(*) FROM pg_stat_replication") == 1, 30, "the receiver")

    def tool(self, name: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs on it."""
        subprocess.run([*self._command(name), *arguments], env=self._environment(), check=True, capture_output=True)

    def ask(self, statement: str) -> object:
        """The first column of the first row."""
        with psycopg.connect(self.address(), autocommit=True) as db:
            row = db.execute(statement).fetchone()
            return None if row is None else row[0]

    def address(self) -> str:
        return as_driver(make_url(self.cluster.url(self.port, "postgres")))

    def lose(self) -> None:
        """kill -9, and nothing of its disk is looked at again; the receiver ends by itself."""
        self.children["postgres"].kill()
        if "receiver" in self.children:
            until(lambda: self.children["receiver"].ended() is not None, 30, "the receiver to end")

    def stop(self) -> None:
        for child in self.children.values():
            child.kill()
        self._guard.dismiss()

    def _command(self, name: str) -> list[str]:
        return [f"{binaries()}/{name}", "--host=127.0.0.1", f"--port={self.port}", "--username=roadmend"]

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.defpath, "PGPASSWORD": self.cluster.password, "LC_ALL": "C.UTF-8"}

    def _run(self, program: Program) -> None:
        self.children[program.name] = Child(program, self.folder / f"{program.name}.log")
        self._guard.tell(list(self.children.values()))


def _give(folder: Path) -> None:
    """Make a folder and give it to PostgreSQL's own user, where we are root."""
    folder.mkdir(exist_ok=True)
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, "postgres", "postgres")


@dataclass
class Writer:
    """Writes a row at a time; `kept`: the numbers that were acknowledged, and when by the server's clock."""

    address: str
    kept: dict[int, datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def _write(self) -> None:
        told = "INSERT INTO told (number) VALUES (%s) RETURNING clock_timestamp()"
        try:
            with psycopg.connect(self.address, autocommit=True) as db:
                while True:
                    number = len(self.kept) + 1
                    self.kept[number] = db.execute(told, [number]).fetchone()[0]  # type: ignore[index]
        except psycopg.OperationalError:
            return

    def ends(self) -> None:
        """The server is gone, and so is the writer."""
        self._thread.join(30)


@dataclass
class Lost:
    """What is left of a machine that was lost: a base backup, and its log by both ways."""

    base: Path
    received: Path
    archived: Path
    password: Path
    kept: Mapping[int, datetime]
    archived_upto: int
    """The last row that was acknowledged before the newest archived file was begun to be waited for."""


@pytest.fixture(scope="module")
def lost(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lost]:
    """A machine that was written to without a pause until it was lost."""
    folder = tmp_path_factory.mktemp("lost")
    machine = Machine(folder)
    try:
        machine.cluster.make(folder / "initdb.log")
        machine.start({**documented(), "archive_timeout": "1s"})
        with psycopg.connect(machine.address(), autocommit=True) as db:
            db.execute("CREATE TABLE told (number bigint PRIMARY KEY, at timestamptz DEFAULT clock_timestamp())")
        machine.tool("pg_basebackup", f"--pgdata={folder / 'base'}", "--checkpoint=fast")
        machine.receive(folder / "received")
        writer = Writer(machine.address())
        until(lambda: len(writer.kept) > 100, 30, "rows")
        upto, files = len(writer.kept), machine.ask("SELECT archived_count FROM pg_stat_archiver")
        until(lambda: machine.ask("SELECT archived_count FROM pg_stat_archiver") > files + 1, 60, "files")  # type: ignore[operator]
        machine.lose()
        writer.ends()
        yield Lost(
            folder / "base", folder / "received", machine.archive, folder / "postgres" / "password", writer.kept, upto
        )
    finally:
        machine.stop()


@pytest.fixture
def recovered(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    yield made
    made.stop()


def recover(machine: Machine, lost: Lost, log: Path, **target: str) -> list[int]:
    """Recover what was lost from its base backup and a copy of its log. Returns the rows that are there."""
    home = machine.folder / "postgres"
    home.mkdir(mode=0o700)
    shutil.copytree(lost.base, home / "data")
    shutil.copytree(log, machine.archive)
    shutil.copy(lost.password, home / "password")
    (home / "data" / "recovery.signal").touch()
    (home / "data").chmod(0o700)
    _give(home)
    machine.start({"restore_command": COPY, "recovery_target_action": "promote", **target, **_LIKE_THE_LOST_ONE})
    until(lambda: machine.ask("SELECT pg_is_in_recovery()") is False, 60, "the end of the recovery")
    with psycopg.connect(machine.address()) as db:
        return [row[0] for row in db.execute("SELECT number FROM told ORDER BY number")]


_LIKE_THE_LOST_ONE = {"wal_level": "replica", "max_wal_senders": "5"}
"""A standby in recovery must not have less than its origin had."""


def test_a_lost_machine_costs_next_to_nothing_where_its_log_is_received(lost: Lost, recovered: Machine) -> None:
    found = recover(recovered, lost, lost.received)

    assert found == list(range(1, len(found) + 1))
    gone = [at for number, at in lost.kept.items() if number > len(found)]
    assert not gone or (gone[-1] - gone[0]).total_seconds() < 5


def test_the_archive_alone_has_what_is_older_than_its_timeout(lost: Lost, recovered: Machine) -> None:
    found = recover(recovered, lost, lost.archived)

    assert found == list(range(1, len(found) + 1))
    assert len(found) >= lost.archived_upto


def test_it_goes_back_to_the_moment_before_a_mistake(lost: Lost, recovered: Machine) -> None:
    mistake = len(lost.kept) // 2

    found = recover(recovered, lost, lost.received, recovery_target_time=lost.kept[mistake].isoformat())

    assert abs(len(found) - mistake) <= 1
