"""Survey vehicles: they drive some streets, see most of what is there and some that is not, and upload the pass."""

import gzip
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any

from infra.demo.actor import Actor
from infra.demo.client import Client
from infra.demo.county import Road
from infra.demo.truth import Hole, to_wgs84
from infra.demo.world import World

SEEN = 0.85
"""So many of the holes on its way a camera sees."""
STREETS = 14
CODES = {"pothole": "D40", "failed_patch": "D40"}
"""What the camera's model calls them; it knows no other of our kinds."""


class Vehicle(Actor):
    """One vehicle. Its receiver is off by the same little way for a whole pass, and by a little more each time."""

    def __init__(self, world: World, name: str) -> None:
        super().__init__(world, name)
        self.passes = 0
        self.last: list[dict[str, Any]] = []

    def rests(self, every_seconds: float) -> bool:
        """Drive. True when the county has closed."""
        return self.world.closing.wait(every_seconds * self.random.uniform(0.7, 1.3) / self.world.speed)

    def turn(self, client: Client) -> None:
        """Upload the pass, or now and then the one before once more."""
        if self.last and self.random.random() < 0.12:
            self._upload(client, self.last, repeated=True)
            return
        # What was never answered may not be there: it is not sent as the one before.
        driven, self.last = list(self._pass()), []
        self._upload(client, driven, repeated=False)
        self.last = driven

    def _pass(self) -> Iterator[dict[str, Any]]:
        self.passes += 1
        roads = self.random.sample(self.world.truth.county.roads, STREETS)
        drift = (self.random.gauss(0, 0.7), self.random.gauss(0, 0.7))
        named = f"{self.name}-{self.world.seed}-{uuid.uuid4().hex[:8]}-{self.passes}"
        seen = [hole for hole in self.world.truth.on({road.usrn for road in roads}) if hole.kind in CODES]
        for hole in seen:
            if self.random.random() < SEEN:
                yield self._detection(named, drift, hole)
        for road in roads:
            if self.random.random() < 0.3:
                yield self._crack(named, road)

    def _detection(self, named: str, drift: tuple[float, float], hole: Hole) -> dict[str, Any]:
        x = hole.x + drift[0] + self.random.gauss(0, 0.5)
        y = hole.y + drift[1] + self.random.gauss(0, 0.5)
        return {
            **self._item(named, x, y, CODES[hole.kind], _clamped(self.random, 0.88, 0.07)),
            "heading_deg": round(hole.road.heading_deg(hole.along_m), 1),
            "est_depth_mm": round(hole.depth_mm * self.random.uniform(0.7, 1.3)),
            "est_width_mm": round(hole.width_mm * self.random.uniform(0.8, 1.2)),
            "depth_method": "model",
        }

    def _crack(self, named: str, road: Road) -> dict[str, Any]:
        """Something of the surface, for its condition only; or a shadow that the model is not sure of."""
        x, y = road.at(self.random.uniform(5, road.length_m - 5), self.random.uniform(-3, 3))
        code = self.random.choice(("D00", "D10", "D20", "D40"))
        confidence = self.random.uniform(0.2, 0.45) if code == "D40" else _clamped(self.random, 0.75, 0.1)
        return self._item(named, x, y, code, confidence)

    def _item(self, named: str, x: float, y: float, code: str, confidence: float) -> dict[str, Any]:
        lat, lon = to_wgs84(x, y)
        return {
            "external_id": uuid.uuid4().hex,
            "survey_pass_id": named,
            "captured_at": datetime.now(UTC).isoformat(),
            "class_scheme": "rdd2022",
            "class_code": code,
            "confidence": round(confidence, 3),
            "lat": lat,
            "lon": lon,
            "h_accuracy_m": 3.0,
            "speed_kph": round(self.random.uniform(20, 60), 1),
            "model_name": "demo-net",
            "model_version": "1",
            "anonymised": True,
        }

    def _upload(self, client: Client, items: list[dict[str, Any]], *, repeated: bool) -> None:
        if not items:
            return
        body = gzip.compress("\n".join(json.dumps(item) for item in items).encode())
        headers = {
            "Authorization": f"Bearer {self.world.account.vendor_key}",
            "Content-Type": "application/x-ndjson",
            "Content-Encoding": "gzip",
        }
        answer = client.ask("POST", "/api/v1/detections", content=body, headers=headers)
        if answer.status_code != 202:
            self.world.ledger.broke(f"a pass of {len(items)} was answered {answer.status_code}: {answer.text[:200]}")
            return
        self._hold(answer.json(), len(items), repeated)

    def _hold(self, told: dict[str, Any], sent: int, repeated: bool) -> None:
        ledger = self.world.ledger
        accepted, again, refused = told["accepted"], told["repeated"], told["refused"]
        if accepted + again + refused != sent or (repeated and accepted):
            ledger.broke(f"of {sent} detections (sent again: {repeated}), {accepted} + {again} + {refused} are counted")
        with ledger.lock:
            ledger.batches[told["reference"]] = accepted
        ledger.count("detections accepted", accepted)
        ledger.count("detections sent again", again)
        ledger.count("detections refused", refused)


def _clamped(random: Random, mean: float, spread: float) -> float:
    return min(0.99, max(0.3, random.gauss(mean, spread)))
