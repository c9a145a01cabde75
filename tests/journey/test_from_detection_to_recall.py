"""One hole's whole story, over HTTP alone: seen, reported, ordered, mended, verified, failed, and mended again."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import uuid4

import orjson
import pytest

from infra.demo import account as accounts
from infra.demo.account import Account
from infra.demo.client import Client, Ledger
from infra.demo.county import made
from infra.demo.drive import Drive, Plan
from infra.demo.shots import shot
from infra.demo.truth import to_wgs84
from tests.delivery.house import House
from tests.stack import Stack
from tests.waiting import until

pytestmark = pytest.mark.slow

ROAD = next(road for road in made().roads if road.hierarchy == "3a" and road.maintainer == "council")
AT = to_wgs84(*ROAD.at(60.0, left_m=2.0))
"""On the left of a main street, sixty metres along."""


@pytest.fixture
def house(stack: Stack) -> House:
    """The made-up county, running."""
    lived_in = House(stack)
    loaded = lived_in.command("demo", "load")
    assert loaded.returncode == 0, loaded.stderr
    stack.start_all()
    return lived_in


@pytest.fixture
def account(house: House) -> Account:
    """The sign-ins of the county's people."""
    kept = accounts.read(house.stack.folder / "demo.json")
    assert kept is not None
    return kept


class Town:
    """Everybody in the story."""

    def __init__(self, house: House, account: Account) -> None:
        self.account, self.ledger, self.stop = account, Ledger(), threading.Event()
        self.url, self.random = house.stack.url, Random(7)
        self.resident, self.vendor = self._somebody(), self._somebody()
        self.operator, self.crew = self._somebody(), self._somebody()
        self.operator.sign_in(account.who("operator"))

    def _somebody(self) -> Client:
        return Client(self.url, self.ledger, self.stop)

    def leave(self) -> None:
        for one in (self.resident, self.vendor, self.operator, self.crew):
            one.close()

    def drive_past(self, survey_pass: str) -> dict[str, Any]:
        """A survey vehicle sees the hole."""
        seen = {
            "external_id": uuid4().hex,
            "survey_pass_id": survey_pass,
            "captured_at": datetime.now(UTC).isoformat(),
            "class_code": "D40",
            "confidence": 0.9,
            "lat": AT[0],
            "lon": AT[1],
            "h_accuracy_m": 2,
        }
        key = {"Authorization": f"Bearer {self.account.vendor_key}", "Content-Type": "application/x-ndjson"}
        answer = self.vendor.ask("POST", "/api/v1/detections", content=orjson.dumps(seen), headers=key)
        assert answer.status_code == 202, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def report(self) -> str:
        """A resident reports the hole. Returns the reference."""
        body = {
            "category": "pothole",
            "location": {"lat": AT[0], "lon": AT[1], "accuracy_m": 4},
            "description": "A hole outside the bakery.",
            "contact": {"email": "sam.lee@residents.example", "phone": "07700 900123"},
        }
        answer = self.resident.post("/api/v1/reports", body, key=uuid4().hex)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["reference"])

    def defect_of(self, report: str) -> str | None:
        defects = self.resident.get(f"/api/v1/reports/{report}")["defects"]
        return str(defects[0]) if defects else None

    def state_of(self, defect: str) -> str:
        return str(self.operator.get(f"/api/v1/defects/{defect}")["staff"]["state"])

    def order_in(self, *states: str) -> dict[str, Any] | None:
        rows = self.operator.pages("/api/v1/works-orders", "orders", state=list(states))
        return rows[0] if rows else None

    def mend(self, order: dict[str, Any]) -> None:
        """The order's own firm comes, fills the hole, and tells of it with photos."""
        who = next(one for one in self.account.contractors() if one.contractor == order["contractor"])
        self.crew.sign_in(who)
        assert self.crew.post(f"/api/v1/works-orders/{order['reference']}/accept").status_code == 200
        now = datetime.now(UTC)
        visit = {
            "client_id": str(uuid4()),
            "order": order["reference"],
            "outcome": "permanent",
            "started_at": (now - timedelta(seconds=3)).isoformat(),
            "ended_at": now.isoformat(),
            "lat": AT[0],
            "lon": AT[1],
            "accuracy_m": 4,
            "length_m": 1.2,
            "width_m": 0.9,
        }
        assert self.crew.post("/api/v1/visits", visit).status_code == 201
        for role, mended in (("before", False), ("after", True)):
            photo = shot(self.random, mended=mended, at=now - timedelta(seconds=2 - mended), place=AT)
            files = {"photo": ("site.jpg", photo, "image/jpeg")}
            sent = self.crew.post(f"/api/v1/visits/{visit['client_id']}/photos", data={"role": role}, files=files)
            assert sent.status_code == 201, sent.text

    def verify(self, order: dict[str, Any]) -> None:
        """The operator stands before the repair and accepts it, once the evidence is judged."""
        reference = order["reference"]
        until(lambda: self.order_in("evidence_ok"), 30, f"the evidence of {reference} to pass")
        body = {"verdict": "passed", "why": "Level with the road.", "site_check": True}
        answer = self.operator.post(f"/api/v1/works-orders/{reference}/verify", body)
        assert answer.status_code == 200, answer.text


@pytest.fixture
def town(house: House, account: Account) -> Iterator[Town]:
    there = Town(house, account)
    yield there
    there.leave()


def test_a_hole_is_seen_reported_mended_verified_and_its_failure_recalled(house: House, town: Town) -> None:
    # Two drives see it: a candidate. A resident reports it: the same defect.
    batches = [town.drive_past(name)["reference"] for name in ("monday", "tuesday")]
    until(lambda: all(_matched(town, one) for one in batches), 30, "the drives to be matched")
    report = town.report()
    defect = until(lambda: town.defect_of(report), 30, "the report to be linked")
    whole = town.operator.get(f"/api/v1/defects/{defect}")
    assert (whole["reports"], whole["staff"]["detections"], whole["staff"]["state"]) == (1, 2, "candidate")

    # An operator confirms it, and it becomes an order; the crew mends it; another person verifies it.
    found = {"decision": "confirm", "why": "Measured on site.", "depth_mm": 60, "width_mm": 320}
    assert town.operator.post(f"/api/v1/defects/{defect}/assess", found).status_code == 200
    order = until(lambda: town.order_in("issued"), 30, "the works order")
    assert order["charge_to"] == "council"
    town.mend(order)
    town.verify(order)
    assert town.state_of(defect) == "in_warranty"
    assert town.resident.get(f"/api/v1/reports/{report}")["status"]["code"] == "fixed"

    # It breaks up, and somebody says so: never absorbed by finished work, but a recall.
    later = town.report()
    recalls = until(lambda: town.operator.pages("/api/v1/recalls", "recalls", state="proposed"), 30, "a recall")
    assert recalls[0]["defect"] == defect
    assert town.defect_of(later) is None
    decided = {"decision": "attributable", "why": "The patch has come out whole."}
    assert town.operator.post(f"/api/v1/recalls/{recalls[0]['reference']}/decide", decided).status_code == 200
    again = until(lambda: town.order_in("issued", "remedial"), 30, "the remedial order")
    assert (again["contractor"], again["charge_to"]) == (order["contractor"], "contractor")
    assert town.defect_of(later) == defect

    # The same firm mends it again; the promise goes on.
    town.mend(again)
    town.verify(again)
    assert town.state_of(defect) == "in_warranty"
    assert town.resident.get(f"/api/v1/reports/{later}")["status"]["code"] == "fixed"

    # The record bears it all out, and nobody's address has leaked.
    house.comes_to_rest()
    told = {one["name"]: one for one in town.operator.get("/api/v1/kpis")["figures"]}
    assert (told["recall_rate"]["counted"], told["recall_rate"]["of"]) == (1, 2)
    public = town.resident.get(f"/api/v1/reports/{report}")
    assert "residents.example" not in str(public)
    assert house.broken() == []


def _matched(town: Town, batch: str) -> bool:
    key = {"Authorization": f"Bearer {town.account.vendor_key}"}
    return bool(town.vendor.ask("GET", f"/api/v1/detections/batches/{batch}", headers=key).json()["matched_at"])


def test_a_driven_county_keeps_every_promise(house: House, account: Account) -> None:
    said: list[str] = []

    summary = Drive(house.stack.url, account, Plan(seconds=15, seed=5, speed=4, repairs=1)).run(said.append)

    assert summary["broken promises"] == []
    assert summary["matching"]["doubled"] == 0
    assert summary["feed"]["repairs verified"] > 0
    assert said
    assert house.broken() == []
