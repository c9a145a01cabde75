"""`python -m tests.probe [--examples N] [--minutes M]`: the probes at length, and a table of what was tried.

Exit 1 when something is wrong. Wants the servers that ROADMEND_DATABASE_URL and ROADMEND_REDIS_URL name.
"""

import argparse
import os
import sys

import pytest

BESIDE = ("rules_of_routes", "access", "photos", "headers", "connection", "problems")
TRIED = [
    "tests/probe",
    *(f"tests/api/test_{name}.py" for name in BESIDE),
    "tests/delivery/test_nothing_personal.py",
]


class Table:
    """A line for each probe: what was tried, and how it was answered."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, str]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.failed:
            answered = dict(report.user_properties).get("answered", "")
            self.lines.append((_sentence(report.nodeid), str(answered), "" if report.passed else report.outcome))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("What was tried, and how it was answered")
        for tried, answered, wrong in self.lines:
            mark = {"": "ok   "}.get(wrong, "WRONG")
            terminalreporter.write_line(f"{mark} {tried}" + (f"\n        {answered}" if answered else ""))


def _sentence(nodeid: str) -> str:
    """tests/probe/test_bodies.py::test_a_bomb_is_refused[png] → bodies: a bomb is refused [png]"""
    file, _, name = nodeid.partition("::")
    words, bracket, case = name.removeprefix("test_").partition("[")
    place = file.rpartition("/")[2].removeprefix("test_").removesuffix(".py")
    return f"{place.replace('_', ' ')}: {words.replace('_', ' ')}" + (f" [{case}" if bracket else "")


def main() -> int:
    """Run the probes, and say what was found."""
    asked = argparse.ArgumentParser(prog="python -m tests.probe", description="Hostile input and access, at length.")
    asked.add_argument("--examples", type=int, default=20, help="cases of each operation and phase (20)")
    asked.add_argument("--minutes", type=float, default=0, help="go on making up cases for so long")
    asked.add_argument("only", nargs="*", help="files of probes; all")
    given = asked.parse_args()
    os.environ["PROBE_EXAMPLES"], os.environ["PROBE_MINUTES"] = str(given.examples), str(given.minutes)
    return int(pytest.main([*(given.only or TRIED), "-q", "--no-header"], plugins=[Table()]))


if __name__ == "__main__":
    sys.exit(main())
