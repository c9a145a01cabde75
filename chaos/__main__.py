"""`python -m chaos [--minutes N] [--seed S]`: breaks a private Roadmend. Exit code 1: a promise was broken."""

import argparse
import logging
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import psycopg
from sqlalchemy import make_url

from bench import conditions
from bench.conditions import Busy
from chaos import results, verify
from chaos.canary import Canary
from chaos.conductor import Conductor
from chaos.mischief import Clients
from chaos.promises import Promises
from chaos.readers import Reader, lies
from chaos.results import Run
from chaos.site import Site, running
from infra.demo.drive import Drive, Plan
from tests.waiting import until

DRAINED_SECONDS = 30.0
"""How long after the last fault every delivery must have been heard."""
WHOLE_SECONDS = 60.0
"""How long after any fault all must be well again."""
SPEED = 2.0


def main() -> int:
    """Break it, see what is broken, tell."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    given = _arguments()
    with running() as site:
        run = Run(given.seed, given.minutes, conditions.told(_server(site), site.stack.folder))
        busy = Busy()
        try:
            _Chaos(site, run, given.patience).happen()
        except AssertionError as error:
            run.broken.append(f"The run ended early: {error}")
        run.conditions["machine"] |= {"idle_share": busy.share()["idle"], "load": busy.share()["load"]}
        file = results.write(run, given.results, site.stack.folder)
    print(results.told(run))
    print(f"\nKept in {file}" + (" and the folder .logs beside it" if run.broken else ""))
    return 1 if run.broken else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m chaos", description="What it survives.")
    parser.add_argument("--minutes", type=float, default=10.0, help="how long it is broken (10)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed: the same faults in the same order (1)")
    parser.add_argument("--patience", type=float, default=1.0, help="multiplies every limit, for a busy machine (1)")
    parser.add_argument("--results", type=Path, default=results.RESULTS, help="folder for the JSON (bench/results)")
    return parser.parse_args()


def _server(site: Site) -> Any:
    return make_url(site.stack.variables["ROADMEND_DATABASE_URL"])


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


class _Chaos:
    """One run on one site."""

    def __init__(self, site: Site, run: Run, patience: float) -> None:
        self.site, self.result, self.patience = site, run, patience
        self.promises = Promises()
        plan = Plan(run.minutes * 60, run.seed, SPEED, settle_seconds=60 * patience)
        self.drive = Drive(site.stack.url, site.account, plan, self.promises)
        supervisor = site.account.who("supervisor")
        self.readers = {
            "supervisor": Reader("supervisor", self.drive.world, supervisor),
            "restless supervisor": Reader("restless supervisor", self.drive.world, supervisor, restless=True),
            "public": Reader("public", self.drive.world, None),
            "restless public": Reader("restless public", self.drive.world, None, restless=True),
        }

    def happen(self) -> None:
        """Load, faults, and the reckoning."""
        random, seconds = Random(self.result.seed), self.result.minutes * 60
        canary = Canary(
            self.site, self.drive, self.readers["supervisor"], Random(random.random()), WHOLE_SECONDS * self.patience
        )
        conductor = Conductor(self.site, canary, Random(random.random()), _say)
        clients = Clients(self.site, self.drive, canary, Random(random.random()))
        for reader in self.readers.values():
            reader.start()
        summary: dict[str, Any] = {}
        driving = threading.Thread(target=lambda: summary.update(self.drive.run(lambda _: None)), daemon=True)
        driving.start()
        until(lambda: self.promises.reports, 60 * self.patience, "the first report")
        clients.start()
        conductor.run(seconds)
        self._drained(conductor)
        clients.join()
        driving.join()
        self._tell(conductor, clients, summary)

    def _drained(self, conductor: Conductor) -> None:
        limit, last = DRAINED_SECONDS * self.patience, conductor.last
        self.result.drained_seconds = last.drained if last is not None else 0.0
        if self.result.drained_seconds > limit:
            self.promises.broke(
                f"{self.result.drained_seconds:.0f} s after the last fault deliveries of before were still due, more "
                f"than {limit:.0f}: roadmend deliveries list --all"
            )

    def _tell(self, conductor: Conductor, clients: Clients, summary: dict[str, Any]) -> None:
        run = self.result
        run.faults = dict(conductor.counts + clients.counts)
        run.recoveries, run.clients = conductor.recoveries, clients.seconds
        run.promises, run.load = self.promises.told(), summary
        if self.site.disk is None:
            run.notes.append("The disk for photos was not made full: that needs root, to mount a small one.")
        run.broken = [*self.promises.broken, *self._doctor(), *self._kept(), *self._read()]

    def _doctor(self) -> list[str]:
        with suppress(AssertionError):
            self.site.house.comes_to_rest(60 * self.patience)
        return [f"roadmend doctor --audit: {finding}" for finding in self.site.house.broken()]

    def _kept(self) -> list[str]:
        with psycopg.connect(self.site.house.address) as db:
            return verify.broken(db, self.promises, self.site.photos)

    def _read(self) -> list[str]:
        """What each reader saw, once it has had the time to see the newest line."""
        with psycopg.connect(self.site.house.address, autocommit=True) as db:
            records = {public: verify.record(db, public=public) for public in (False, True)}
        found = []
        for name, reader in self.readers.items():
            record = records[reader.who is None]
            with suppress(AssertionError):
                until(lambda: reader.last >= record[-1][0], 60 * self.patience, name)  # noqa: B023
            reader.stop()
            found += lies(name, [line for line in reader.seen if line[0] <= record[-1][0]], record)
            self.result.readers = {
                **self.result.readers,
                name: f"saw {len(reader.seen)} lines over {reader.connections} connections",
            }
        return found


if __name__ == "__main__":
    sys.exit(main())
