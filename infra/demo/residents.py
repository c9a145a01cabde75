"""Residents: they report what they see, some twice, some badly placed, some in the wrong county; and look again."""

import uuid
from collections.abc import Mapping
from typing import Any

from infra.demo.actor import Actor
from infra.demo.client import Client
from infra.demo.names import Names
from infra.demo.shots import shot
from infra.demo.truth import ALSO_CALLED, Hole, blurred, to_wgs84
from infra.demo.world import World

_WORDS = (
    "A hole in the road, getting worse.",
    "Nearly came off my bike here.",
    "It is by the bus stop.",
    "Third time that I tell you.",
    "Deep, and full of water when it rains.",
    "",
)
KNOWN_TO_ALL = 40
"""Nobody reports once more what so many have reported since it broke up."""


class Residents(Actor):
    """Some of the county's residents. Several of these may run at once, each in its own thread."""

    def __init__(self, world: World, name: str) -> None:
        super().__init__(world, name)
        self.names = Names(self.random)

    def rests(self, every_seconds: float) -> bool:
        """Until the next one sees something. True when the county has closed."""
        return self.world.closing.wait(self.random.expovariate(self.world.speed / every_seconds))

    def turn(self, client: Client) -> None:
        """Report something, or look again at what was reported."""
        dice = self.random.random()
        if dice < 0.02:
            self._elsewhere(client)
        elif dice < 0.03:
            self._badly_placed(client)
        elif dice < 0.06:
            self._look_again(client)
        elif hole := self._noticed():
            self._report(client, hole)

    def _noticed(self) -> Hole | None:
        """A hole that is there and not known to all; a repair that failed is noticed sooner than others."""
        standing = [hole for hole in self.world.truth.standing() if hole.reported < KNOWN_TO_ALL]
        if not standing:
            return None
        weights = [hole.popularity + (25.0 if hole.failures else 0.0) for hole in standing]
        return self.random.choices(standing, weights)[0]

    # --- a report ----------------------------------------------------------------------------------------------------

    def _report(self, client: Client, hole: Hole) -> None:
        body, key = self._body(hole), uuid.uuid4().hex
        answer = client.post("/api/v1/reports", body, key=key)
        if answer.status_code != 201:
            self.world.ledger.broke(f"a good report was answered {answer.status_code}: {answer.text[:200]}")
            return
        told = answer.json()
        self.world.ledger.promised_report(told["reference"], hole.number, told["tracking"]["secret"], client.asked)
        self.world.ledger.count("reports accepted")
        hole.reported += 1
        self._again(client, body, key, told)
        if self.random.random() < 0.15:
            self._photo(client, hole, told)

    def _body(self, hole: Hole) -> dict[str, Any]:
        accuracy = round(self.random.choice((4, 4, 5, 5, 6, 8, 10, 15)) * self.random.uniform(0.9, 1.2), 1)
        lat, lon = to_wgs84(*blurred(self.random, hole.x, hole.y, accuracy))
        body: dict[str, Any] = {
            "category": self._called(hole),
            "location": {"lat": lat, "lon": lon, "accuracy_m": accuracy},
            "description": self.random.choice(_WORDS),
            "danger": hole.dangerous and self.random.random() < 0.5,
            "channel": self.random.choice(("web", "web", "app", "phone")),
        }
        if self.random.random() < 0.35:
            body["contact"] = self._contact()
        return body

    def _called(self, hole: Hole) -> str:
        others = ALSO_CALLED.get(hole.kind, ())
        return self.random.choice(others) if others and self.random.random() < 0.08 else hole.kind

    def _contact(self) -> dict[str, str]:
        name = self.names.person()
        number = f"07700 900{self.random.randrange(1000):03d}"
        return {"name": name, "email": f"{name.lower().replace(' ', '.')}@residents.example", "phone": number}

    def _again(self, client: Client, body: Mapping[str, Any], key: str, told: Mapping[str, Any]) -> None:
        """A phone that lost the answer sends the same again; it must be the same report."""
        dice = self.random.random()
        if dice < 0.06:
            answer = client.post("/api/v1/reports", body, key=key)
            self.world.ledger.count("reports sent twice")
            if answer.status_code != 201 or answer.json()["reference"] != told["reference"]:
                self.world.ledger.broke(f"{told['reference']} sent again was answered {answer.text[:200]}")
        elif dice < 0.07:
            answer = client.post("/api/v1/reports", {**body, "description": "Something else."}, key=key)
            if answer.status_code != 409:
                self.world.ledger.broke(f"another body under the key of {told['reference']}: {answer.status_code}")

    def _photo(self, client: Client, hole: Hole, told: Mapping[str, Any]) -> None:
        data = shot(self.random, mended=False, at=None, place=to_wgs84(hole.x, hole.y))
        answer = client.post(
            f"/api/v1/reports/{told['reference']}/photos",
            files={"photo": ("hole.jpg", data, "image/jpeg")},
            headers={"Authorization": f"Bearer {told['tracking']['secret']}"},
        )
        if answer.status_code in (200, 201):  # 200: the answer to the first time was lost
            self.world.ledger.count("report photos")
        else:
            self.world.ledger.broke(
                f"a photo of {told['reference']} was answered {answer.status_code}: {answer.text[:200]}"
            )

    # --- what is not for us, or cannot be acted on -------------------------------------------------------------------

    def _elsewhere(self, client: Client) -> None:
        """On the trunk road: taken, and passed on."""
        road = self.world.truth.road_not_ours()
        x, y = road.at(self.random.uniform(100, road.length_m - 100), self.random.uniform(-2, 2))
        lat, lon = to_wgs84(x, y)
        body = {"category": "pothole", "location": {"lat": lat, "lon": lon, "accuracy_m": 5}}
        answer = client.post("/api/v1/reports", body, key=uuid.uuid4().hex)
        told = answer.json()
        if answer.status_code != 201 or told["referred_to"] is None:
            self.world.ledger.broke(f"a report on the trunk road was answered {answer.text[:200]}")
            return
        self.world.ledger.promised_report(told["reference"], None, told["tracking"]["secret"], client.asked)
        self.world.ledger.count("reports passed on")

    def _badly_placed(self, client: Client) -> None:
        """Nowhere in particular, latitude and longitude swapped, or out at sea: each is refused with its reason."""
        hole = self._noticed()
        if hole is None:
            return
        lat, lon = to_wgs84(hole.x, hole.y)
        place = _bad_places(lat, lon)[self.random.randrange(3)]
        answer = client.post("/api/v1/reports", {"category": hole.kind, "location": place}, key=uuid.uuid4().hex)
        self.world.ledger.count("reports refused")
        if answer.status_code != 422:
            self.world.ledger.broke(f"a report at {place} was answered {answer.status_code}")

    # --- looking again -----------------------------------------------------------------------------------------------

    def _look_again(self, client: Client) -> None:
        """Follow the tracking link of a report; challenge what is said to be mended and is not."""
        with self.world.ledger.lock:
            mine = [reference for reference, hole in self.world.ledger.reports.items() if hole is not None]
        if not mine:
            return
        reference = self.random.choice(mine)
        secret = self.world.ledger.secrets[reference]
        headers = {"Authorization": f"Bearer {secret}"}
        answer = client.ask("GET", f"/api/v1/reports/{reference}", headers=headers)
        if answer.status_code != 200:
            self.world.ledger.broke(f"{reference} was promised, and is answered {answer.status_code}")
            return
        number = self.world.ledger.reports[reference]
        fixed = answer.json()["status"]["code"] == "fixed"
        if fixed and number is not None and self.world.truth.is_there(self.world.truth.holes[number]):
            body = {"words": "It has come up again."}
            told = client.post(f"/api/v1/reports/{reference}/challenge", body, headers=headers)
            self.world.ledger.count(f"challenges answered {told.status_code}")


def _bad_places(lat: float, lon: float) -> tuple[dict[str, float], ...]:
    return (
        {"lat": lat, "lon": lon, "accuracy_m": 2500},
        {"lat": lon, "lon": lat, "accuracy_m": 5},
        {"lat": 53.9, "lon": -3.9, "accuracy_m": 5},
    )
