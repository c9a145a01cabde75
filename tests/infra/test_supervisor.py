"""What a supervisor promises: crashes are reported and mended, and nothing outlives it."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.native.layout import ROOT
from tests.waiting import until

KEEPER = """
import os, sys
from pathlib import Path
from infra.native import layout, supervisor
from infra.native.child import Program

folder = Path(sys.argv[1])
layout.RUN = folder
instance = layout.Instance("kept")
instance.make()
supervisor.heed_signals()
kept = supervisor.Supervisor(instance)
try:
    for name, script in (("server", sys.argv[2]), ("client", sys.argv[3])):
        program = Program(name, ["sh", "-c", script], dict(os.environ), folder, is_server=name == "server", patience=3)
        kept.start(program, lambda name=name: (folder / f"{name}-runs").exists())
    print("ready", flush=True)
    kept.watch()
except supervisor.Stopped:
    kept.stop()
"""
"""A supervisor of two children, as a process of its own that can be killed."""

LASTING = "echo $$ > {name}; sleep 1000 & echo $! > {name}-worker; touch {name}-runs; wait"
STUBBORN = 'trap "" TERM INT; echo $$ > {name}; touch {name}-runs; while :; do sleep 1000; done'
CRASHING = 'echo $$ > {name}; touch {name}-runs; echo "out of luck"; sleep 0.2; exit 7'


class Kept:
    """The supervisor and the children that it started."""

    def __init__(self, folder: Path, server: str, client: str) -> None:
        self.folder = folder
        self.errors = folder / "errors"
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-c", KEEPER, folder, server.format(name="server"), client.format(name="client")],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )

    def wait_until_ready(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"ready\n", self.errors.read_text()

    def close(self) -> None:
        """Stop it if it runs; see the last of it in any case."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        if self.process.stdout is not None:
            self.process.stdout.close()

    def pid(self, name: str) -> int:
        return int((self.folder / name).read_text())

    def remaining(self) -> list[str]:
        names = ("server", "server-worker", "client", "client-worker")
        return [name for name in names if (self.folder / name).exists() and _runs(self.pid(name))]


Starter = Callable[[str, str], Kept]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Starter]:
    """Starts a supervisor of a server and a client; it is gone when the test is."""
    kept: list[Kept] = []

    def _start(server: str, client: str) -> Kept:
        kept.append(Kept(tmp_path, server, client))
        return kept[-1]

    yield _start
    for one in kept:
        one.close()


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_nothing_is_left_however_the_supervisor_ends(start: Starter, number: signal.Signals) -> None:
    kept = start(LASTING, LASTING)
    kept.wait_until_ready()
    before = kept.remaining()

    os.kill(kept.process.pid, number)
    kept.close()

    assert before == ["server", "server-worker", "client", "client-worker"]
    until(lambda: not kept.remaining(), 20, "all children to end")


def test_a_child_that_will_not_stop_is_ended(start: Starter) -> None:
    kept = start(LASTING, STUBBORN)
    kept.wait_until_ready()

    kept.process.send_signal(signal.SIGTERM)
    kept.close()

    assert kept.remaining() == []


def test_a_crash_is_reported_with_the_end_of_the_log_and_the_child_starts_again(start: Starter) -> None:
    kept = start(LASTING, CRASHING)
    kept.wait_until_ready()
    first = kept.pid("client")

    until(lambda: kept.errors.read_text().count("ended with code 7") >= 2, 20, "a second report")
    kept.close()

    report = kept.errors.read_text()
    assert re.search(
        rf"client \(process {first}\) ended with code 7\.\n.*\n  \| out of luck\nIt starts again in 1 s\.", report
    )
    assert "It starts again in 2 s." in report


def test_a_killed_child_is_reported_with_the_signal(start: Starter) -> None:
    kept = start(LASTING, LASTING)
    kept.wait_until_ready()

    os.kill(kept.pid("client"), signal.SIGKILL)
    until(lambda: "client" in kept.errors.read_text(), 20, "a report")
    kept.close()

    assert "was ended by SIGKILL" in kept.errors.read_text()


def test_a_child_that_dies_at_once_is_an_error_that_shows_why(start: Starter) -> None:
    kept = start(LASTING, 'echo "no such setting"; exit 3')

    code = kept.process.wait(30)
    kept.close()

    assert code == 1
    assert "client" in kept.errors.read_text()
    assert "  | no such setting" in kept.errors.read_text()
    until(lambda: not kept.remaining(), 20, "the server to end")
