"""A child process: its own session, its own log file, and no life after its parent's."""

import contextlib
import ctypes
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass
class Program:
    """How to start a child, and how to ask it to stop."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    executable: str | None = None
    stop_with: signal.Signals = signal.SIGTERM
    user: str | None = None
    keep_open: Sequence[int] = field(default_factory=tuple)
    is_server: bool = False
    """Servers stop last, one by one: the others still need them while they finish."""
    patience: float = 15.0
    """Seconds between asking it to stop and ending it."""


class Child:
    """A program that runs, or has run."""

    def __init__(self, program: Program, log: Path) -> None:
        self.program = program
        self.log = log
        self._process = _start(program, log)

    @property
    def pid(self) -> int:
        return self._process.pid

    def ended(self) -> int | None:
        """Its exit code (negative: the signal that ended it), or None while it runs."""
        return self._process.poll()

    def ask_to_stop(self) -> None:
        """Send the polite signal. Its workers hear it from it, not from us."""
        if self.ended() is None:
            self._process.send_signal(self.program.stop_with)

    def stop(self) -> None:
        """Ask, wait, and end what is left of its whole process group."""
        self.ask_to_stop()
        self.wait_until_gone(time.monotonic() + self.program.patience)

    def wait_until_gone(self, deadline: float) -> None:
        """Wait for its end until then, and end whatever of its process group is left."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.0, deadline - time.monotonic()))
        self.kill()

    def kill(self) -> None:
        """End it and its process group now."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def last_lines(self, count: int = 15) -> list[str]:
        """The end of its log."""
        with self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - 20_000))
            return file.read().decode(errors="replace").splitlines()[-count:]


def _start(program: Program, log: Path) -> subprocess.Popen[bytes]:
    parent = os.getpid()

    def before_it_begins() -> None:
        die_with_parent(program.stop_with)
        if os.getppid() != parent:
            os._exit(1)

    with log.open("ab") as output:
        return subprocess.Popen(
            program.command,
            executable=program.executable,
            env=dict(program.environment),
            cwd=program.folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=tuple(program.keep_open),
            preexec_fn=before_it_begins,
            **as_user(program.user),
        )


def die_with_parent(number: signal.Signals) -> None:
    """Ask the kernel to send this process a signal when its parent has died."""
    _libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)


class AsUser(TypedDict, total=False):
    """Popen's arguments to run as another user."""

    user: int
    group: int
    extra_groups: list[int]


def as_user(name: str | None) -> AsUser:
    """Popen's arguments to run as another user; none when name is None."""
    if name is None:
        return {}
    entry = pwd.getpwnam(name)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": os.getgrouplist(name, entry.pw_gid)}
