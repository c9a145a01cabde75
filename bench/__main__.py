"""`python -m bench [MEASURE …] [--quick]`: runs the measures, prints a table, keeps JSON under bench/results/.

Wants ROADMEND_DATABASE_URL of a PostgreSQL server on which it may make databases: `make bench` gives it a private one.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bench import conditions, figures, house
from bench.conditions import Busy
from bench.figures import Figure
from bench.measures import delay, drain, fanout, intake, nearby, reads, start, survey
from bench.run import Run
from tests import databases

MEASURES: Mapping[str, Callable[[Run], list[Figure]]] = {
    module.NAME: module.measure for module in (intake, delay, drain, survey, reads, fanout, nearby, start)
}


def main() -> int:
    """Run what was asked for. Exit 1: a measure failed; a missed target is no failure."""
    asked, began = _arguments(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="roadmend-bench-") as folder:
        server = databases.server_url()
        house.sweep(server)
        told = conditions.told(server, Path(folder))
        with house.migrated(server) as template:
            run = Run(server, template, Path(folder), asked.quick)
            found, failed = _all(run, asked.measures or list(MEASURES), told)
    told["quick"], told["seconds"] = asked.quick, round(time.monotonic() - began)
    _say(told, found, run.notes)
    return 1 if failed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="How fast, beside a bare limit.")
    parser.add_argument("measures", nargs="*", choices=[[], *MEASURES], help=f"of: {', '.join(MEASURES)}; all")
    parser.add_argument("--quick", action="store_true", help="small and rough, in less than three minutes")
    return parser.parse_args()


def _all(run: Run, names: list[str], told: dict[str, Any]) -> tuple[list[Figure], list[str]]:
    found: list[Figure] = []
    failed = []
    told["measures"] = {}
    for name in names:
        busy, began = Busy(), time.monotonic()
        try:
            mine = MEASURES[name](run)
        except Exception as error:  # noqa: BLE001 (the others are measured all the same)
            run.note(f"{name} FAILED: {type(error).__name__}: {error}")
            failed.append(name)
            mine = []
        told["measures"][name] = busy.share() | {"seconds": round(time.monotonic() - began)}
        print(figures.table(mine) + "\n", flush=True) if mine else print(run.notes[-1], flush=True)
        found += mine
    return found, failed


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
