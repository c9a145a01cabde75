"""What the simulated ones share: the truth, the ledger, the clock's speed and the time to stop."""

import threading
from dataclasses import dataclass, field
from random import Random

from convertbng.cutil import convert_to_osgb36

from infra.demo.account import Account
from infra.demo.client import Client, Ledger
from infra.demo.truth import Hole, Truth


@dataclass
class World:
    """`speed` 2 makes everybody twice as quick. `closing` ends what is new, `stop` ends everything."""

    url: str
    account: Account
    truth: Truth
    ledger: Ledger
    seed: int
    speed: float = 1.0
    closing: threading.Event = field(default_factory=threading.Event)
    stop: threading.Event = field(default_factory=threading.Event)

    def client(self) -> Client:
        """A new client of the service."""
        return Client(self.url, self.ledger, self.stop)

    def random(self, name: str) -> Random:
        """Somebody's own dice: the same for the same seed, whatever the others throw."""
        return Random(f"{self.seed} {name}")

    def rest(self, seconds: float) -> bool:
        """Wait as long at this speed, or until everything stops. True when it did."""
        return self.stop.wait(seconds / self.speed)

    def hole_at(self, lat: float, lon: float, within_m: float = 30.0) -> Hole | None:
        """What one finds who goes to this place."""
        east, north = convert_to_osgb36([lon], [lat])
        return self.truth.nearest(float(east[0]), float(north[0]), within_m)
