"""`python -m bench [MEASURE …] [--quick]`: runs the measures, prints a table, keeps JSON under bench/results/.

Wants ROADMEND_DATABASE_URL of a PostgreSQL server on which it may make databases: `make bench` gives it a private one.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import conditions, figures, house
from bench.conditions import Busy
from bench.counties import Counties, County
from bench.figures import Figure
from bench.measures import board, county_map, delay, drain, fanout, intake, month, nearby, reads, start, survey
from bench.run import Run
from tests import databases

MEASURES: Mapping[str, Callable[[Run], list[Figure]]] = {
    module.NAME: module.measure
    for module in (intake, delay, drain, fanout, start, survey, reads, nearby, month, county_map, board)
}
BY_NAME = frozenset({"month", "map", "board"})
"""Measured when they are named only: each fills a county of its own, and the board is looked at for half an hour."""
COUNTIES: Mapping[str, Callable[[Run], list[County]]] = {
    module.NAME: module.counties for module in (survey, reads, nearby)
}
"""What is to be filled before the first of these is measured."""


def main() -> int:
    """Run what was asked for. Exit 1: a measure failed; a missed target is no failure."""
    asked, began = _arguments(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="roadmend-bench-") as folder:
        server = databases.server_url()
        house.sweep(server)
        told = conditions.told(server, Path(folder))
        with house.migrated(server) as template:
            run = Run(template, Counties(template), Path(folder), asked.quick)
            found, failed = _all(run, asked.measures or [name for name in MEASURES if name not in BY_NAME], told)
    told["quick"], told["seconds"] = asked.quick, round(time.monotonic() - began)
    _say(told, found, run.notes)
    return 1 if failed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="How fast, beside a bare limit.")
    parser.add_argument(
        "measures", nargs="*", choices=[[], *MEASURES], help=f"of: {', '.join(MEASURES)}; all but the last three"
    )
    parser.add_argument("--quick", action="store_true", help="small and rough, in less than three minutes")
    return parser.parse_args()


def _all(run: Run, names: Sequence[str], told: dict[str, Any]) -> tuple[list[Figure], list[str]]:
    """What needs no filling comes first: nothing is measured beside ten million defects but by those who want them."""
    found: list[Figure] = []
    failed: list[str] = []
    told["measures"] = {}
    filled = [name for name in names if name in COUNTIES]
    for name in (name for name in names if name not in COUNTIES):
        _one(run, name, told["measures"], found, failed)
    if filled:
        with _timed(told["measures"], "filling"):
            run.counties.make({name: COUNTIES[name](run) for name in filled})
    for name in filled:
        _one(run, name, told["measures"], found, failed)
    return found, failed


def _one(run: Run, name: str, times: dict[str, Any], found: list[Figure], failed: list[str]) -> None:
    mine: list[Figure] = []
    with _timed(times, name):
        try:
            mine = MEASURES[name](run)
        except Exception as error:  # noqa: BLE001 (the others are measured all the same)
            run.note(f"{name} FAILED: {type(error).__name__}: {error}")
            failed.append(name)
    print(figures.table(mine) + "\n" if mine else run.notes[-1], flush=True)
    found += mine


@contextmanager
def _timed(times: dict[str, Any], what: str) -> Iterator[None]:
    busy, began = Busy(), time.monotonic()
    yield
    times[what] = busy.share() | {"seconds": round(time.monotonic() - began)}


def _say(told: dict[str, Any], found: list[Figure], notes: list[str]) -> None:
    machine, versions = told["machine"], told["versions"]
    print(f"{told['at']}, commit {told['commit']}")
    print(", ".join(f"{name} {value}" for name, value in machine.items()))
    print(", ".join(f"{name} {value}" for name, value in versions.items()))
    print(", ".join(f"{name} = {value}" for name, value in told["postgres"].items()))
    print(f"{'quick' if told['quick'] else 'whole'}, {told['seconds']} seconds")
    for name, share in told["measures"].items():
        print(f"{name}: " + ", ".join(f"{what} {value}" for what, value in share.items()))
    print("\n" + figures.table(found))
    for note in dict.fromkeys(notes):
        print(f"* {note}")
    print(f"\nKept in {figures.write(time.strftime('%Y%m%d-%H%M%S', time.gmtime()), told, found, notes)}")


if __name__ == "__main__":
    sys.exit(main())
