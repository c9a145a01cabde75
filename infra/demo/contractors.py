"""Crews: they accept orders, come, mend and photograph. Some mend badly, forget photos, or are out of signal."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from infra.demo.account import SignIn
from infra.demo.actor import Actor
from infra.demo.client import Client
from infra.demo.shots import shot
from infra.demo.truth import Hole, blurred, to_wgs84
from infra.demo.world import World
from shared.domain.terms import Band, OrderState, VisitOutcome

TO_DO = ("issued", "accepted", "scheduled", "remedial", "made_safe", "aborted")
BREAKS_UP_AFTER = (6.0, 20.0)
"""Seconds after which a bad repair fails, at speed 1."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a firm works: shares of its visits. `lasting`: of its permanent repairs."""

    lasting: float = 0.95
    declines: float = 0.02
    aborted: float = 0.05
    temporary: float = 0.06
    forgets_photo: float = 0.04
    out_of_signal: float = 0.10
    disputes: float = 0.05


GOOD, BAD = (
    Manner(),
    Manner(lasting=0.45, declines=0.05, aborted=0.08, temporary=0.12, forgets_photo=0.15, disputes=0.3),
)


@dataclass(slots=True)
class _Visit:
    """What a phone holds until it is told: the visit, by how much its clock was off, and its photos by role."""

    order: str
    body: dict[str, Any]
    clock_off: timedelta
    photos: list[tuple[str, bytes]] = field(default_factory=list)


class Contractor(Actor):
    """One firm, signed in as its crew. `clock_off`: by how much the crew's phone goes wrong."""

    def __init__(self, world: World, who: SignIn, manner: Manner) -> None:
        super().__init__(world, f"contractor {who.contractor}", who)
        self.manner = manner
        self.unsent: list[_Visit] = []
        self.clock_off = timedelta(0)
        self.read: set[str] = set()

    def turn(self, client: Client) -> None:
        """Look at the orders, and work on some."""
        self._send_late(client)
        orders = client.pages("/api/v1/works-orders", "orders", open=True, limit=200)
        fresh = [order["reference"] for order in orders if order["state"] == "issued"]
        if len(fresh) > 3:
            client.post("/api/v1/works-orders/accept", {"references": fresh})
        for order in orders:
            if order["state"] in TO_DO:
                self._work_on(client, order)
            elif order["state"] == OrderState.EVIDENCE_FAILED:
                self._make_good(client, order)
        self._dispute(client)

    def _dispute(self, client: Client) -> None:
        """Read each recall once; some of them are disputed. The remedial work goes on meanwhile."""
        for recall in client.pages("/api/v1/recalls", "recalls", state="attributable"):
            reference = recall["reference"]
            if reference not in self.read and self.random.random() < self.manner.disputes:
                body = {"why": "A trench was cut through it."}
                answer = client.post(f"/api/v1/recalls/{reference}/dispute", body)
                self.world.ledger.count(f"recalls disputed {answer.status_code}")
            self.read.add(reference)

    def _work_on(self, client: Client, order: dict[str, Any]) -> None:
        reference = order["reference"]
        if order["state"] == "issued" and not self._accepts(client, order):
            return
        if self.random.random() < 0.2:
            at = datetime.now(UTC) + timedelta(minutes=5)
            body = {"scheduled_for": at.isoformat(), "reason": "The crew is on its way."}
            client.post(f"/api/v1/works-orders/{reference}/schedule", body)
        if self.random.random() < 0.6:
            self._attend(client, order)

    def _accepts(self, client: Client, order: dict[str, Any]) -> bool:
        reference = order["reference"]
        if self.random.random() < self.manner.declines and order["kind"] == "repair" and order["band"] != Band.E:
            client.post(f"/api/v1/works-orders/{reference}/decline", {"reason": "No crew is free this week."})
            self.world.ledger.count("orders declined")
            return False
        answer = client.post(f"/api/v1/works-orders/{reference}/accept")
        return bool(answer.status_code == 200)

    # --- on site -----------------------------------------------------------------------------------------------------

    def _attend(self, client: Client, order: dict[str, Any]) -> None:
        visit = self._visit(order, self._outcome(order))
        if visit is None:
            return
        if self.random.random() < self.manner.out_of_signal:
            self.unsent.append(visit)
            return
        self._tell(client, visit)

    def _outcome(self, order: dict[str, Any]) -> VisitOutcome:
        to_make_safe = any(one["make_safe_due_at"] and not one["made_safe_at"] for one in order["defects"])
        if to_make_safe:
            return VisitOutcome.MADE_SAFE
        dice = self.random.random()
        if dice < self.manner.aborted:
            return VisitOutcome.ABORTED
        if dice < self.manner.aborted + self.manner.temporary and order["kind"] == "repair":
            return VisitOutcome.TEMPORARY
        return VisitOutcome.PERMANENT

    def _visit(self, order: dict[str, Any], outcome: VisitOutcome) -> _Visit | None:
        """The crew stands at the first of the order's holes; it does to each what the outcome says."""
        holes = list(self._holes(order))
        if not holes:
            return None
        off = self.clock_off
        now = datetime.now(UTC) + off
        first = holes[0]
        lat, lon = to_wgs84(*blurred(self.random, first.x, first.y, 5.0))
        body: dict[str, Any] = {
            "client_id": str(uuid.uuid4()),
            "order": order["reference"],
            "outcome": outcome.value,
            "started_at": (now - timedelta(seconds=2)).isoformat(),
            "ended_at": now.isoformat(),
            "lat": lat,
            "lon": lon,
            "accuracy_m": 5.0,
        }
        if outcome is VisitOutcome.ABORTED:
            return _Visit(order["reference"], {**body, "reason": "parked_car"}, off)
        if outcome is VisitOutcome.PERMANENT:
            body |= {"length_m": 1.2, "width_m": 0.9}
            for hole in holes:
                self._fill(hole)
        photos = [photo for hole in holes for photo in self._photos(hole, now, outcome)]
        return _Visit(order["reference"], body, off, photos)

    def _holes(self, order: dict[str, Any]) -> Iterator[Hole]:
        """What the crew finds at the places that the order names."""
        for one in order["defects"]:
            if one["left_at"] is None and (hole := self._at(one["lat"], one["lon"])):
                yield hole

    def _at(self, lat: float, lon: float) -> Hole | None:
        return self.world.hole_at(lat, lon)

    def _fill(self, hole: Hole) -> None:
        lasts = self.random.random() < self.manner.lasting or hole.failures >= 2
        after = None if lasts else self.random.uniform(*BREAKS_UP_AFTER) / self.world.speed
        self.world.truth.mend(hole, fails_after=after)
        self.world.ledger.count("holes mended to last" if lasts else "holes mended badly")

    def _photos(self, hole: Hole, at: datetime, outcome: VisitOutcome) -> Iterator[tuple[str, bytes]]:
        place = to_wgs84(hole.x, hole.y)
        yield "before", shot(self.random, mended=False, at=at - timedelta(seconds=1), place=place)
        if outcome is VisitOutcome.MADE_SAFE or self.random.random() >= self.manner.forgets_photo:
            yield "after", shot(self.random, mended=True, at=at, place=place)

    # --- telling of it -----------------------------------------------------------------------------------------------

    def _send_late(self, client: Client) -> None:
        """Back in signal: what was kept is told, the last first, and one of them twice."""
        late, self.unsent = self.unsent[::-1], []
        for visit in late:
            self._tell(client, visit)
            self.world.ledger.count("visits told late")
        if late:
            self._tell_visit(client, late[0], again=True)

    def _tell(self, client: Client, visit: _Visit) -> None:
        photos_first = self.random.random() < 0.3
        if photos_first:
            self._send_photos(client, visit)
        self._tell_visit(client, visit)
        if not photos_first:
            self._send_photos(client, visit)

    def _tell_visit(self, client: Client, visit: _Visit, *, again: bool = False) -> None:
        sent_at = datetime.now(UTC) + visit.clock_off
        answer = client.post("/api/v1/visits", {**visit.body, "sent_at": sent_at.isoformat()})
        ledger = self.world.ledger
        if answer.status_code not in (200, 201) or (again and answer.status_code != 200):
            ledger.broke(f"a visit to {visit.order} was answered {answer.status_code}: {answer.text[:200]}")
            return
        with ledger.lock:
            ledger.visits[visit.body["client_id"]] = answer.json()["order"]
        if not again:
            ledger.count(f"visits {visit.body['outcome']}")

    def _send_photos(self, client: Client, visit: _Visit) -> None:
        for role, data in visit.photos:
            self._send_photo(client, visit.body["client_id"], role, data)

    def _send_photo(self, client: Client, client_id: str, role: str, data: bytes) -> None:
        answer = client.post(
            f"/api/v1/visits/{client_id}/photos",
            data={"role": role},
            files={"photo": ("site.jpg", data, "image/jpeg")},
        )
        if answer.status_code in (200, 201):
            self.world.ledger.count("visit photos")
        else:
            self.world.ledger.broke(f"a photo of a visit was answered {answer.status_code}: {answer.text[:200]}")

    def _make_good(self, client: Client, order: dict[str, Any]) -> None:
        """The evidence lacks something: the crew sends the photo that it forgot."""
        whole = client.get(f"/api/v1/works-orders/{order['reference']}")
        holes = list(self._holes(order))
        if not whole or not whole["visits"] or not holes:
            return
        last = max(whole["visits"], key=lambda visit: str(visit["ended_at"]))
        ended = datetime.fromisoformat(last["ended_at"])
        data = shot(self.random, mended=True, at=ended, place=to_wgs84(holes[0].x, holes[0].y))
        self._send_photo(client, last["client_id"], "after", data)
        self.world.ledger.count("photos sent later")
