"""Waiting for a condition, never for a length of time."""

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")


def until(condition: Callable[[], Value], seconds: float, what: str) -> Value:
    """Ask again and again until the answer is true, and give it back.

    Raises:
        AssertionError: it is not after that time; the message says what was waited for, and the last answer.
    """
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}; last answer: {answer!r}"
        time.sleep(0.02)
    return answer
