"""Operators in the control hub: they look at what came, decide, verify repairs on site, and attribute failures."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from infra.demo.account import SignIn
from infra.demo.actor import Actor
from infra.demo.client import Client
from infra.demo.truth import Hole
from infra.demo.world import World

Row = dict[str, Any]

A_WHILE = timedelta(seconds=40)
"""So long a danger stands for a person to take; then an operator of the simulated county does."""

AT_IT_M = 13.0
"""So near to a hole there is no doubt which one is meant: half the way to its twin across the road."""


class Operator(Actor):
    """One operator, who knows what an inspector sees on site: the truth, and what is marked on the road already."""

    def __init__(self, world: World, name: str, who: SignIn) -> None:
        super().__init__(world, name, who)
        self.marked: dict[int, str] = {}

    def turn(self, client: Client) -> None:
        """Go through the queues."""
        for queue in self._queues():
            queue(client)

    def _queues(self) -> tuple[Callable[[Client], None], ...]:
        # What failed is sent back first: what is found beside it is then known to be the same.
        first = self._dangers, self._questions, self._recalls
        return *first, self._candidates, self._declined, self._repairs, self._photos

    # --- is anybody called? ------------------------------------------------------------------------------------------

    def _dangers(self, client: Client) -> None:
        """See to what is dangerous, after whoever watches had a while to."""
        for danger in (client.get("/api/v1/dangers") or {"dangers": []})["dangers"]:
            if datetime.now(UTC) - datetime.fromisoformat(danger["received_at"]) > A_WHILE:
                answer = client.post(f"/api/v1/reports/{danger['reference']}/take", {})
                self.world.ledger.count(f"dangers taken {answer.status_code}")

    # --- is it the same? ---------------------------------------------------------------------------------------------

    def _questions(self, client: Client) -> None:
        """Answer the questions that matching left to a person, by what is really there."""
        for question in client.pages("/api/v1/questions", "questions"):
            meant = self._meant(question)
            same = next((one for one in question["candidates"] if self._shows(one, meant)), None)
            body = {"answer": "different", "why": "Another hole."}
            if same is not None:
                body = {"answer": "same", "defect": same["reference"], "why": "The same hole, by the photo."}
            answer = client.post(f"/api/v1/questions/{question['reference']}/answer", body)
            self.world.ledger.count(f"questions answered {answer.status_code}")

    def _meant(self, question: Row) -> Hole | None:
        """Whoever has not had the answer to a report yet is not in the ledger: then what lies at its place counts."""
        number = self.world.ledger.reports.get(question["reference"])
        return (
            self.world.hole_at(question["lat"], question["lon"]) if number is None else self.world.truth.holes[number]
        )

    def _shows(self, candidate: Row, meant: Hole | None) -> bool:
        """What was inspected is known; of the others what lies at their place counts, which blurred reports move."""
        if meant is None:
            return False
        inspected = {reference: number for number, reference in self.marked.items()}
        if candidate["reference"] in inspected:
            return inspected[candidate["reference"]] == meant.number
        return self.world.hole_at(candidate["lat"], candidate["lon"]) is meant

    # --- what is it? -------------------------------------------------------------------------------------------------

    def _candidates(self, client: Client) -> None:
        """Go and look at each candidate: confirm it with what was measured, or find nothing."""
        page = client.get("/api/v1/defects", state="candidate", limit=200) or {"features": []}
        for feature in page["features"]:
            self._inspect(client, feature)

    def _inspect(self, client: Client, feature: Row) -> None:
        reference = feature["properties"]["reference"]
        lon, lat = feature["geometry"]["coordinates"]
        hole = self.world.hole_at(lat, lon)
        if hole is None or not self.world.truth.is_there(hole):
            body: Row = {"decision": "no_defect", "why": "Nothing to be mended was found at this place."}
        elif self._is_marked(client, feature, hole):
            return
        else:
            body = {
                "decision": "confirm",
                "why": "Measured on site.",
                "depth_mm": hole.depth_mm,
                "width_mm": hole.width_mm,
                "facts": {"wheel_path": True} if hole.dangerous else {},
            }
        answer = client.post(f"/api/v1/defects/{reference}/assess", body)
        self.world.ledger.count(f"candidates {body['decision']} {answer.status_code}")
        if hole is not None and body["decision"] == "confirm" and answer.status_code == 200:
            self.marked[hole.number] = reference

    def _is_marked(self, client: Client, feature: Row, hole: Hole) -> bool:
        """A camera founds a defect of what a report had put round the corner: on site the two are seen to be one."""
        reference = feature["properties"]["reference"]
        lon, lat = feature["geometry"]["coordinates"]
        marked = self.marked.get(hole.number)
        if marked is None or self.world.hole_at(lat, lon, AT_IT_M) is not hole:
            return False
        body = {"into": marked, "why": "The hole is marked on the road already."}
        answer = client.post(f"/api/v1/defects/{reference}/merge", body)
        self.world.ledger.count(f"candidates merged {answer.status_code}")
        return answer.status_code == 200

    # --- who mends it? -----------------------------------------------------------------------------------------------

    def _declined(self, client: Client) -> None:
        """What every contractor of the lots declined goes to the county's own crews."""
        for order in client.pages("/api/v1/works-orders", "orders", state="declined", open=True):
            body = {"reason": "Nobody else is free.", "contractor": "county"}
            answer = client.post(f"/api/v1/works-orders/{order['reference']}/reissue", body)
            self.world.ledger.count(f"orders given to the county's crews {answer.status_code}")

    # --- is it mended? -----------------------------------------------------------------------------------------------

    def _repairs(self, client: Client) -> None:
        """Stand before each repair that was drawn for a check."""
        for order in client.pages("/api/v1/works-orders", "orders", state="evidence_ok", limit=200):
            holes = [hole for one in order["defects"] if (hole := self.world.hole_at(one["lat"], one["lon"]))]
            holds = not any(self.world.truth.is_there(hole) for hole in holes)
            body = {
                "verdict": "passed" if holds else "failed",
                "why": "Level with the road." if holds else "It has broken up already.",
                "site_check": True,
            }
            answer = client.post(f"/api/v1/works-orders/{order['reference']}/verify", body)
            self.world.ledger.count(f"repairs {body['verdict']} {answer.status_code}")

    # --- whose failure is it? ----------------------------------------------------------------------------------------

    def _recalls(self, client: Client) -> None:
        """Go and look at each repair that is said to have failed."""
        for recall in client.pages("/api/v1/recalls", "recalls", state="proposed"):
            hole = self.world.hole_at(recall["lat"], recall["lon"])
            failed = hole is not None and self.world.truth.is_there(hole)
            body = {
                "decision": "attributable" if failed else "not_attributable",
                "why": "The patch has broken up." if failed else "The patch is sound.",
            }
            answer = client.post(f"/api/v1/recalls/{recall['reference']}/decide", body)
            self.world.ledger.count(f"recalls {body['decision']} {answer.status_code}")

    # --- who may see it? ---------------------------------------------------------------------------------------------

    def _photos(self, client: Client) -> None:
        """Look at each photo that residents sent: drawn ones show nobody, and may be seen by everybody."""
        for photo in client.pages("/api/v1/photos", "photos", limit=200):
            body = {"why": "No face and no number plate in it."}
            answer = client.post(f"/api/v1/photos/{photo['reference']}/release", body)
            self.world.ledger.count(f"photos released {answer.status_code}")


class Supervisor(Operator):
    """Rules on what contractors dispute: a repair that broke up once did not hold."""

    def _queues(self) -> tuple[Callable[[Client], None], ...]:
        return (self._disputes,)

    def _disputes(self, client: Client) -> None:
        for recall in client.pages("/api/v1/recalls", "recalls", state="disputed"):
            hole = self.world.hole_at(recall["lat"], recall["lon"])
            failed = hole is not None and hole.failures > 0
            body = {
                "decision": "attributable" if failed else "not_attributable",
                "why": "The photos show no trench." if failed else "The patch was sound.",
            }
            answer = client.post(f"/api/v1/recalls/{recall['reference']}/rule", body)
            self.world.ledger.count(f"disputes ruled {body['decision']} {answer.status_code}")
