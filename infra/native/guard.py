"""The last one out: when the supervisor dies without a word (kill -9), this stops what it had started.

It reads one JSON list a line, the children as they are now: [[pid, start time, stop signal], …]. The end of its
input means that the supervisor is gone.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from infra.native.child import Child
from infra.native.layout import ROOT

PATIENCE = 10.0


class Guard:
    """The supervisor's end of it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "infra.native.guard"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def tell(self, children: Sequence[Child]) -> None:
        """Say which children there are now."""
        known = [[c.pid, started(c.pid), int(c.program.stop_with)] for c in children if c.ended() is None]
        if self._process.stdin is not None and self._process.poll() is None:
            self._process.stdin.write(json.dumps(known).encode() + b"\n")
            self._process.stdin.flush()

    def dismiss(self) -> None:
        """All is stopped; it may go."""
        self.tell([])
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()


def started(pid: int) -> str:
    """The process's start time in clock ticks, which tells it from a later one with the same id; "" when gone."""
    fields = _stat(pid)
    return fields[19] if fields else ""


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third on: state, parent, group, session, …"""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _in_sessions(sessions: set[int]) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        fields = _stat(int(entry.name)) if entry.name.isdigit() else []
        if fields and fields[0] != "Z" and int(fields[3]) in sessions:
            found.append(int(entry.name))
    return found


def _send(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _stop_all(children: list[tuple[int, str, int]]) -> None:
    """Ask each, wait, and end what is left of their sessions; workers whose leader has gone are ended at once."""
    for pid, start, number in children:
        if start and started(pid) == start:
            _send(pid, number)
    sessions = {pid for pid, _, _ in children}
    deadline = time.monotonic() + PATIENCE
    while left := _in_sessions(sessions):
        leaderless = sessions - set(left)
        for pid in left if time.monotonic() > deadline else _in_sessions(leaderless):
            _send(pid, signal.SIGKILL)
        time.sleep(0.05)


def main() -> None:
    """Wait for the end of the input, then stop the children that the last line named."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    last = b"[]"
    for line in sys.stdin.buffer:
        last = line
    _stop_all([(int(pid), str(start), int(number)) for pid, start, number in json.loads(last)])


if __name__ == "__main__":
    main()
