"""Real processes for tests: API, workers, beat and a Redis of their own, to be started, killed and started again."""

import os
import secrets
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from infra.native import processes
from infra.native.child import Child, Program
from infra.native.environment import GRID
from infra.native.guard import Guard
from infra.native.layout import ROOT
from infra.native.postgres import Cluster
from infra.native.redis import Broker
from tests.waiting import until


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Stack:
    """What one test runs. Every child has its log in `folder`; a failed wait shows the end of it."""

    def __init__(self, folder: Path, database_url: str, **settings: str) -> None:
        """`settings` are further variables without their prefix, in lower case: `drain_batch="10"`."""
        self.folder = folder
        self.children: dict[str, Child] = {}
        self._ready: dict[str, Callable[[Path], bool]] = {}
        self._guard = Guard()
        self._redis = Broker(folder / "redis")
        self._redis.make()
        self._redis_port, self._api_port = free_port(), free_port()
        self.variables = {
            "ROADMEND_DATABASE_URL": database_url,
            "ROADMEND_REDIS_URL": self._redis.url(self._redis_port),
            "ROADMEND_SECRET_KEY": secrets.token_urlsafe(32),
            "ROADMEND_PHOTO_DIR": str(folder / "photos"),
            "ROADMEND_MAILBOX_DIR": str(folder / "mailbox"),
            "ROADMEND_HOST": "127.0.0.1",
            "ROADMEND_PORT": str(self._api_port),
            "ROADMEND_PUBLIC_URL": self.url,
            "ROADMEND_RATE_LIMIT": "",
            **{f"ROADMEND_{name.upper()}": value for name, value in settings.items()},
        }

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._api_port}"

    def start_all(self, workers: int = 1) -> None:
        """Redis, API, workers and beat, until the API says that it is ready."""
        self.start_redis()
        self.start_api()
        for number in range(workers):
            self.start_worker(f"worker{number}")
        self.start_beat()

    def start_redis(self) -> None:
        self._start(self._redis.program(self._redis_port), lambda _: self._redis.is_ready(self._redis_port))

    def start_api(self) -> None:
        """Ready with or without Redis: /health/ready says what counts."""
        self._start(processes.api(self.variables), lambda _: processes.answers(f"{self.url}/health/ready"))

    def start_worker(self, name: str = "worker0", size: int = 2) -> None:
        self._start(processes.worker(self.variables, name, size), lambda log: processes.says(log, "ready."))

    def start_beat(self) -> None:
        self._start(processes.beat(self.variables), lambda log: processes.says(log, "beat: Starting"))

    def start_postgres(self) -> None:
        """A cluster of this stack's own, for tests that stop it. Call it first; its database is empty."""
        cluster = Cluster(self.folder / "postgres", durable=True, memory_mb=64, grid=GRID if GRID.exists() else None)
        cluster.make(self.folder / "initdb.log")
        port = free_port()
        self._start(cluster.program(port), lambda _: cluster.is_ready(port))
        cluster.create_database(port)
        self.variables["ROADMEND_DATABASE_URL"] = cluster.url(port)

    def migrate(self) -> None:
        """Make the tables, for a cluster of this stack's own."""
        self.run("python", "-m", "alembic", "-c", "infra/migrations/alembic.ini", "upgrade", "head")

    def run(self, *command: str) -> str:
        """Run a command on this stack (`run("roadmend", "doctor")`) and give back what it said."""
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment(), capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, f"{command} ended with code {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def kill(self, name: str) -> None:
        """kill -9, the whole process group at once: nothing gets to tidy up."""
        self.children[name].kill()

    def stop(self, name: str) -> None:
        """Stop it as an operator would."""
        self.children[name].stop()

    def start_again(self, name: str) -> None:
        """Start it anew, with the same address and a fresh log, and wait until it is ready."""
        self._start(self.children[name].program, self._ready[name])

    def freeze(self, name: str) -> None:
        """SIGSTOP: it is there and does not answer, as behind a broken network."""
        os.killpg(self.children[name].pid, signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        os.killpg(self.children[name].pid, signal.SIGCONT)

    def environment(self) -> Mapping[str, str]:
        """For a command of the test's own, such as the `roadmend` command."""
        return processes.environment(self.variables)

    def stop_all(self) -> None:
        """Leave nothing behind: the clients first, then the servers."""
        for child in sorted(self.children.values(), key=lambda child: child.program.is_server):
            child.stop()
        self._guard.dismiss()

    def _start(self, program: Program, is_ready: Callable[[Path], bool], seconds: float = 60) -> None:
        log = self.folder / f"{program.name}.log"
        _put_aside(log)
        log.write_bytes(b"")
        child = self.children[program.name] = Child(program, log)
        self._ready[program.name] = is_ready
        self._guard.tell(list(self.children.values()))
        try:
            until(lambda: _alive(child) and is_ready(log), seconds, program.name)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{tail(child)}") from None


def _put_aside(log: Path) -> None:
    """What a child said before it was started anew stays beside it: api.log, then api.1.log, api.2.log …"""
    if log.exists():
        number = 1 + len(list(log.parent.glob(f"{log.stem}.*.log")))
        log.rename(log.with_name(f"{log.stem}.{number}.log"))


def _alive(child: Child) -> bool:
    assert child.ended() is None, f"{child.program.name} ended with code {child.ended()}"
    return True


def tail(child: Child) -> str:
    """The end of a child's log."""
    return "\n".join(child.last_lines(40))
