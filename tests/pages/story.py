"""What becomes of reports in the made-up county, over HTTP: told, asked, watched, ordered, mended and verified."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from math import dist
from random import Random
from typing import Any
from uuid import uuid4

from infra.demo import account as accounts
from infra.demo.client import Client, Ledger
from infra.demo.county import Point, made
from infra.demo.shots import shot
from infra.demo.truth import to_wgs84
from tests.delivery.house import House
from tests.waiting import until


def _places() -> Iterator[Point]:
    """A point on each of many quiet streets, so far apart that no report is taken for one of another place.

    One a street, because a works order may hold all defects of one.
    """
    taken: list[Point] = []
    for road in made().roads:
        point = road.at(road.length_m / 2, left_m=2.0)
        is_quiet = road.hierarchy == "4b" and road.maintainer == "council"
        if is_quiet and all(dist(point, other) > APART_M for other in taken):
            taken.append(point)
            yield point


APART_M = 180.0
PLACES = [to_wgs84(*point) for point in _places()]
REPORTER = {"name": "Sam Lee", "email": "sam.lee@residents.example", "phone": "07700 900123"}


_STORIES = count(11)
"""Stories of one house have photos of their own: a picture that was shown for another order is no evidence."""


class Told:
    """A report that was sent: its reference and its reporter's link, without the host."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.reference: str = answer["reference"]
        self.secret: str = answer["tracking"]["secret"]
        self.page = f"/reports/{self.reference}"
        self.link = f"{self.page}?token={self.secret}"


class Story:
    """Everybody who takes part; a `place` is the number of one of PLACES."""

    def __init__(self, house: House) -> None:
        account = accounts.read(house.stack.folder / "demo.json")
        assert account is not None
        self.account, self.random = account, Random(next(_STORIES))
        ledger, stop = Ledger(), threading.Event()
        self.resident, self.operator, self.crew, self.second = (Client(house.stack.url, ledger, stop) for _ in range(4))
        self.operator.sign_in(account.who("operator"))
        self.second.sign_in(account.who("supervisor"))

    def leave(self) -> None:
        for one in (self.resident, self.operator, self.crew, self.second):
            one.close()

    @staticmethod
    def at(place: int) -> tuple[float, float]:
        return PLACES[place]

    def report(self, place: int, **more: Any) -> Told:
        lat, lon = self.at(place)
        body = {
            "category": "pothole",
            "location": {"lat": lat, "lon": lon, "accuracy_m": 4},
            "description": "A deep hole by the kerb, outside the bakery. A lorry, AB12 CDE, broke the edge.",
            "contact": REPORTER,
            **more,
        }
        answer = self.resident.post("/api/v1/reports", body, key=uuid4().hex)
        assert answer.status_code == 201, answer.text
        return Told(answer.json())

    def photo(self, told: Told, place: int) -> str:
        """The reporter adds a photo; its reference."""
        data = shot(self.random, mended=False, at=datetime.now(UTC), place=self.at(place))
        headers = {"Authorization": f"Bearer {told.secret}"}
        files = {"photo": ("hole.jpg", data, "image/jpeg")}
        answer = self.resident.ask("POST", f"/api/v1/reports/{told.reference}/photos", files=files, headers=headers)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["reference"])

    def release(self, photo: str) -> None:
        self._does(self.operator, f"/api/v1/photos/{photo}/release", {"why": "No face and no plate in it."})

    def decide(self, told: Told, **body: Any) -> None:
        self._does(self.operator, f"/api/v1/reports/{told.reference}/decide", body)

    def defect_of(self, told: Told) -> str:
        """The defect that the report was found to be of, once it is."""

        def found() -> str | None:
            defects = self.resident.get(f"/api/v1/reports/{told.reference}")["defects"]
            return str(defects[0]) if defects else None

        return str(until(found, 60, f"{told.reference} to be matched"))

    def assess(self, defect: str, **finding: Any) -> None:
        body = {"decision": "confirm", "why": "Measured on site.", "depth_mm": 60, "width_mm": 320, **finding}
        self._does(self.second, f"/api/v1/defects/{defect}/assess", body)

    def merge(self, defect: str, into: str) -> None:
        self._does(self.operator, f"/api/v1/defects/{defect}/merge", {"into": into, "why": "One hole, by the photo."})

    def order_of(self, defect: str) -> str:
        """The order that covers the defect, once one does."""
        return str(until(lambda: self._order_of(defect), 60, f"an order for {defect}"))

    def accept(self, order: str) -> None:
        """The firm that has it takes it on."""
        told = self.operator.get(f"/api/v1/works-orders/{order}")
        self.crew.sign_in(next(one for one in self.account.contractors() if one.contractor == told["contractor"]))
        self.crew.post(f"/api/v1/works-orders/{order}/accept")

    def mend(self, defect: str, place: int, outcome: str = "permanent") -> str:
        """The firm that has the order comes and tells of it with photos. Returns the order."""
        order = self.order_of(defect)
        self.accept(order)
        now, (lat, lon) = datetime.now(UTC), self.at(place)
        visit = {
            "client_id": str(uuid4()),
            "order": order,
            "outcome": outcome,
            "started_at": (now - timedelta(seconds=3)).isoformat(),
            "ended_at": now.isoformat(),
            "lat": lat,
            "lon": lon,
            "accuracy_m": 4,
            "length_m": 1.2,
            "width_m": 0.9,
        }
        self._does(self.crew, "/api/v1/visits", visit)
        for role, mended in (("before", False), ("after", True)):
            data = shot(self.random, mended=mended, at=now - timedelta(seconds=2 - mended), place=(lat, lon))
            sent = self.crew.post(
                f"/api/v1/visits/{visit['client_id']}/photos",
                data={"role": role},
                files={"photo": ("site.jpg", data, "image/jpeg")},
            )
            assert sent.status_code == 201, sent.text
        return order

    def verify(self, order: str) -> None:
        """Somebody else stands before the repair and accepts it, once its evidence is judged."""

        def is_judged() -> bool:
            return bool(self.operator.get(f"/api/v1/works-orders/{order}")["state"] == "evidence_ok")

        until(is_judged, 60, f"the evidence of {order} to pass")
        body = {"verdict": "passed", "why": "Level with the road.", "site_check": True}
        self._does(self.operator, f"/api/v1/works-orders/{order}/verify", body)

    def _order_of(self, defect: str) -> str | None:
        orders = self.operator.get(f"/api/v1/defects/{defect}")["staff"]["orders"]
        return next((str(one["reference"]) for one in orders if one["ended_at"] is None), None)

    @staticmethod
    def _does(who: Client, path: str, body: Any) -> None:
        answer = who.post(path, body)
        assert answer.status_code < 300, f"{path}: {answer.text}"
