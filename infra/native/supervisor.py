"""Keeps children running: a crash is reported with the end of its log, and the child is started again."""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import NoReturn

from infra.native import say
from infra.native.child import Child, Program
from infra.native.guard import Guard
from infra.native.layout import Instance, SetupError

FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0
STEADY_SECONDS = 60.0
"""After running this long a child counts as healthy, and its next crash waits the shortest time again."""
LARGEST_LOG = 50_000_000


class Stopped(BaseException):
    """A person or the system asked us to stop."""


def _raise_stopped(_: int, __: FrameType | None) -> NoReturn:
    raise Stopped


def heed_signals() -> None:
    """Make Ctrl-C, SIGTERM and the end of the terminal raise Stopped."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _raise_stopped)


def ignore_signals() -> None:
    """While stopping, an impatient second Ctrl-C must not leave half of it running."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


@dataclass
class _Watched:
    child: Child
    since: float
    wait: float = FIRST_WAIT
    again_at: float | None = None


class Supervisor:
    """The children of one instance, in the order of their start."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._guard = Guard()
        self._watched: list[_Watched] = []

    def start(self, program: Program, is_ready: Callable[[], bool] | None = None, seconds: float = 60) -> None:
        """Start a child and wait until it is ready.

        Raises:
            SetupError: it ended, or was not ready in time; the message carries the end of its log.
        """
        log = self._instance.logs / f"{program.name}.log"
        log.write_bytes(b"")
        child = Child(program, log)
        self._watched.append(_Watched(child, time.monotonic()))
        self._tell_guard()
        if is_ready is not None:
            self._wait_for(child, is_ready, seconds)

    def wait_until(self, name: str, words: str, seconds: float) -> None:
        """Wait until these words stand in the log of a child that was started.

        Raises:
            SetupError: it ended, or was not ready in time; the message carries the end of its log.
        """
        child = next(w.child for w in self._watched if w.child.program.name == name)
        self._wait_for(child, lambda: words.encode() in child.log.read_bytes(), seconds)

    def _wait_for(self, child: Child, is_ready: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not is_ready():
            if child.ended() is not None:
                raise SetupError(_story(child))
            if time.monotonic() > deadline:
                raise SetupError(f"{child.program.name} was not ready in {seconds:.0f} s.\n" + _tail(child))
            time.sleep(0.05)

    def watch(self) -> NoReturn:
        """Watch until Stopped is raised."""
        while True:
            for watched in self._watched:
                self._look_at(watched)
            time.sleep(0.25)

    def _look_at(self, watched: _Watched) -> None:
        now = time.monotonic()
        if watched.again_at is None and watched.child.ended() is not None:
            watched.wait = FIRST_WAIT if now - watched.since > STEADY_SECONDS else watched.wait
            watched.again_at = now + watched.wait
            watched.child.kill()
            say.problem(f"{_story(watched.child)}\nIt starts again in {watched.wait:.0f} s.")
            watched.wait = min(watched.wait * 2, LONGEST_WAIT)
        elif watched.again_at is not None and now >= watched.again_at:
            watched.child = Child(watched.child.program, watched.child.log)
            watched.since, watched.again_at = now, None
            self._tell_guard()
            say.line(f"{watched.child.program.name} runs again (process {watched.child.pid}).")
        elif watched.child.log.stat().st_size > LARGEST_LOG:
            watched.child.log.write_bytes(b"")

    def stop(self) -> None:
        """Stop all, the last started first, each one only when those that need it are gone."""
        ignore_signals()
        servers = [w.child for w in self._watched if w.child.program.is_server]
        others = [w.child for w in self._watched if not w.child.program.is_server]
        for together in (others, *([server] for server in reversed(servers))):
            for child in together:
                child.ask_to_stop()
            deadline = time.monotonic() + max((c.program.patience for c in together), default=0.0)
            for child in together:
                child.wait_until_gone(deadline)
        self._guard.dismiss()

    def _tell_guard(self) -> None:
        self._guard.tell([w.child for w in self._watched])


def _story(child: Child) -> str:
    code = child.ended()
    how = f"was ended by {signal.Signals(-code).name}" if code is not None and code < 0 else f"ended with code {code}"
    return f"{child.program.name} (process {child.pid}) {how}.\n{_tail(child)}"


def _tail(child: Child) -> str:
    return "\n".join([f"The end of {child.log}:", *(f"  | {line}" for line in child.last_lines())])
