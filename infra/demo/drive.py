"""Drives the made-up county over HTTP: residents, vehicles, operators and crews, each on a thread, until time is up."""

import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from infra.demo import reckoning
from infra.demo.account import Account
from infra.demo.client import Client, GaveUp, Ledger
from infra.demo.contractors import BAD, GOOD, Contractor
from infra.demo.county import made
from infra.demo.operators import Operator, Supervisor
from infra.demo.reckoning import Matched
from infra.demo.residents import Residents
from infra.demo.truth import Truth
from infra.demo.vehicles import Vehicle
from infra.demo.watcher import Watcher
from infra.demo.world import World

FIRST_HOLES = 40
NEW_HOLE_SECONDS = 4.0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """`rate`: reports a second; None: two, at speed 1. `repairs`: the drive goes on until so many are verified, on a
    slow machine beyond its time. `settle_seconds`: how long what is under way may take to come to rest once nothing
    new begins, and how much longer the drive goes on at most.
    """

    seconds: float
    seed: int
    speed: float = 1.0
    rate: float | None = None
    residents: int = 4
    repairs: int = 0
    settle_seconds: float = 60.0

    @property
    def reports_a_second(self) -> float:
        return self.rate or 2.0 * self.speed


class Drive:
    """One drive. `run` returns the summary; the ledger holds the promises meanwhile."""

    def __init__(self, url: str, account: Account, plan: Plan, ledger: Ledger | None = None) -> None:
        self.plan = plan
        self.world = World(url, account, Truth(made(), plan.seed), ledger or Ledger(), plan.seed, plan.speed)
        self.crews = [
            Contractor(self.world, who, BAD if who.contractor == "birch" else GOOD) for who in account.contractors()
        ]
        self.watcher = Watcher(self.world, account.who("supervisor"))
        self._threads: list[threading.Thread] = []

    def run(self, say: Say) -> dict[str, Any]:
        """Drive, let it come to rest, and reckon up."""
        for _ in range(FIRST_HOLES):
            self.world.truth.open_one()
        self._start_everybody()
        try:
            self._until(time.monotonic() + self.plan.seconds, say)
            self.world.closing.set()
            rested = self._settles(say)
        finally:
            self.world.closing.set()
            self.world.stop.set()
            for thread in self._threads:
                thread.join(timeout=30)
        return self._reckon(rested)

    def _start_everybody(self) -> None:
        world, plan = self.world, self.plan
        every = plan.residents / plan.reports_a_second * plan.speed
        for number in range(plan.residents):
            self._start(Residents(world, f"residents {number}").run, every)
        for name in ("van-1", "van-2"):
            self._start(Vehicle(world, name).run, 8.0)
        self._start(Operator(world, "operator", world.account.who("operator")).run, 1.5)
        self._start(Supervisor(world, "supervisor", world.account.who("supervisor")).run, 3.0)
        for crew in self.crews:
            self._start(crew.run, 2.0)
        self._start(self.watcher.run)
        self._start(self._holes_open)

    def _start(self, act: Callable[..., None], *given: Any) -> None:
        thread = threading.Thread(target=act, args=given, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _holes_open(self) -> None:
        while not self.world.closing.wait(NEW_HOLE_SECONDS / self.plan.speed):
            self.world.truth.open_one()

    def _until(self, deadline: float, say: Say) -> None:
        began = time.monotonic()
        while (left := self._left(deadline)) > 0:
            self.world.stop.wait(min(5.0, left))
            say(self._progress(time.monotonic() - began))

    def _left(self, deadline: float) -> float:
        """Seconds until the drive is over."""
        left = deadline - time.monotonic()
        wanting = self.watcher.kinds["RepairVerified"] < self.plan.repairs
        return 1.0 if left <= 0 and wanting and left > -self.plan.settle_seconds else left

    def _progress(self, seconds: float) -> str:
        kinds, counts = self.watcher.kinds, self.world.ledger.counts
        told = {
            "reports": counts["reports accepted"],
            "detections": counts["detections accepted"],
            "defects": kinds["DefectRecorded"],
            "orders": kinds["OrderIssued"],
            "verified": kinds["RepairVerified"],
            "recalls": kinds["RecallProposed"],
            "broken promises": counts["promises broken"],
        }
        return f"{seconds:5.0f} s  " + "  ".join(f"{name} {number}" for name, number in told.items())

    # --- the end -----------------------------------------------------------------------------------------------------

    def _supervisor(self) -> Client:
        client = self.world.client()
        client.sign_in(self.world.account.who("supervisor"))
        return client

    def _settles(self, say: Say) -> bool:
        try:
            return self._settle(say)
        except GaveUp:
            return False

    def _settle(self, say: Say) -> bool:
        """Wait until no delivery is due any more; operators and crews go on meanwhile."""
        say("       nobody reports any more; what is under way comes to rest")
        deadline = time.monotonic() + self.plan.settle_seconds
        with closing(self._supervisor()) as client:
            while time.monotonic() < deadline:
                if _nothing_due(client.ask("GET", "/metrics").text) and not self._waiting(client):
                    return True
                self.world.stop.wait(1.0)
        return False

    def _waiting(self, client: Client) -> bool:
        """Whether questions or recalls still wait for the operator."""
        open_ones: tuple[tuple[str, str, dict[str, str]], ...]
        open_ones = (
            ("/api/v1/questions", "questions", {}),
            ("/api/v1/recalls", "recalls", {"state": "proposed"}),
            ("/api/v1/recalls", "recalls", {"state": "disputed"}),
        )
        return any(client.pages(path, rows, **params) for path, rows, params in open_ones)

    def _reckon(self, rested: bool) -> dict[str, Any]:
        self.world.stop = threading.Event()
        if not rested:
            self.world.ledger.broke(f"work was still under way {self.plan.settle_seconds:.0f} s after the last report")
        told = Matched()
        try:
            with closing(self._supervisor()) as client:
                found = reckoning.reports(self.world, client)
                reckoning.promises(self.world, client, found)
                told = reckoning.matched(self.world, client, found)
        except GaveUp as error:
            self.world.ledger.broke(f"there was no answer at the end: {error}")
        return reckoning.summary(self.world, self.watcher, told)


def _nothing_due(metrics: str) -> bool:
    """By the service's own numbers, which are up to five seconds old."""
    names = ("roadmend_deliveries_due{", "roadmend_deliveries_waiting{")
    lines = [line for line in metrics.splitlines() if line.startswith(names)]
    return bool(lines) and all(float(line.rsplit(" ", 1)[1]) == 0 for line in lines)
