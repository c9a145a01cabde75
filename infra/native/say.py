"""What the person at the terminal reads."""

import sys
import time

_started = time.monotonic()


def line(text: str = "") -> None:
    """One line on standard output, at once, so that it stands in order in a file or a pipe too."""
    print(text, flush=True)


def step(text: str) -> None:
    """One line with the time since the start."""
    line(f"[{elapsed():5.1f} s] {text}")


def problem(text: str) -> None:
    """One line on standard error."""
    print(text, file=sys.stderr, flush=True)


def elapsed() -> float:
    """Seconds since this command began."""
    return time.monotonic() - _started
