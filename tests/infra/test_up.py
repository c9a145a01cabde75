"""`make up` as a person meets it: printed addresses, a crash that is mended, and an end that leaves nothing."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.native.layout import ROOT, Instance, Lock
from infra.native.processes import answers
from tests.databases import new_name
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


class Up:
    """A `make up` in a folder of its own under .run/."""

    def __init__(self, output: Path, **environment: str) -> None:
        self.instance = Instance(new_name())
        self.output = output
        self._environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("ROADMEND_", "MAKE"))},
            **environment,
        }
        self.process = self.start()

    def start(self) -> "subprocess.Popen[bytes]":
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                ["make", "up", f"INSTANCE={self.instance.name}"],
                cwd=ROOT,
                env=self._environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        return self.process

    def wait_for(self, words: str) -> str:
        def said() -> str:
            assert self.process.poll() is None, self.output.read_text()
            text = self.output.read_text()
            return text if words in text else ""

        return until(said, 240, f"{words!r} in {self.output}")

    def url(self) -> str:
        line = next(line for line in self.output.read_text().splitlines() if line.startswith("  Roadmend "))
        return line.split()[1]

    def processes(self) -> list[int]:
        """Every process that bears this instance's name in its command or its environment."""
        return [pid for pid in _pids() if self.instance.name.encode() in _words(pid)]

    def press_ctrl_c(self) -> None:
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(60)

    def remove(self) -> None:
        if self.process.poll() is None:
            self.press_ctrl_c()
        shutil.rmtree(self.instance.folder, ignore_errors=True)


def _pids() -> list[int]:
    return [
        int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and int(entry.name) != os.getpid()
    ]


def _words(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()
    except (OSError, ProcessLookupError):
        return b""


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    """A `make up` that has just been started."""
    made = Up(tmp_path / "output")
    yield made
    made.remove()


def test_it_runs_until_ctrl_c_mends_a_crash_and_starts_again_with_the_same_sign_ins(up: Up) -> None:
    first = up.wait_for("Everything runs.")
    assert answers(f"{up.url()}/health/ready")

    api = next(pid for pid in up.processes() if b"services.api" in _words(pid))
    os.kill(api, signal.SIGKILL)
    crash = up.wait_for("api runs again")
    until(lambda: answers(f"{up.url()}/health/ready"), 30, "the API to be ready again")
    assert f"api (process {api}) was ended by SIGKILL." in crash
    assert "Port " not in first or " is taken; " in first

    up.press_ctrl_c()
    assert up.processes() == []
    assert Lock(up.instance).holder() is None

    up.start()
    again = up.wait_for("Everything runs.")
    assert _sign_ins(again) == _sign_ins(first) != []

    subprocess.run(["make", "down", f"INSTANCE={up.instance.name}"], cwd=ROOT, check=True, capture_output=True)
    up.process.wait(30)
    assert up.processes() == []


def test_kill_minus_nine_of_it_leaves_nothing(up: Up) -> None:
    up.wait_for("Everything runs.")
    before = len(up.processes())

    os.kill(Lock(up.instance).holder() or 0, signal.SIGKILL)
    up.process.wait(30)

    assert before > 5
    until(lambda: up.processes() == [], 30, "everything to be gone")


def _sign_ins(text: str) -> list[str]:
    return [line for line in text.splitlines() if "@demo.example" in line]
