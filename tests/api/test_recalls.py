"""Warranties and recalls over HTTP: matching proposes, operators decide, contractors dispute, supervisors rule."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from shared.domain.events import Consumer
from shared.domain.terms import Role
from shared.flows import assign_works
from shared.store.engine import transaction
from shared.store.tables import defect, report
from tests.api.conftest import MakeKey
from tests.factories import a_defect, a_verified_repair, an_order, hear, triaged

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Caller:
    """Somebody with a key."""

    api: TestClient
    headers: dict[str, str]

    def get(self, path: str, **query: Any) -> Any:
        return self.api.get(f"/api/v1{path}", params=query, headers=self.headers)

    def post(self, path: str, **body: Any) -> Any:
        return self.api.post(f"/api/v1{path}", json=body, headers=self.headers)


As = Callable[..., Caller]


@pytest.fixture
def as_(api: TestClient, a_key: MakeKey) -> As:
    """`as_(Role.OPERATOR)`, `as_(Role.CONTRACTOR, contractor="alder")`."""
    return lambda role, **more: Caller(api, a_key(role, **more).headers)


@pytest.fixture
def repaired(api: TestClient) -> str:
    """The reference of a defect that Alder has repaired and promised for."""
    del api
    with transaction("test") as tx:
        defect_id = a_defect(tx, known_at=NOW - 2 * DAY)
        an_order(tx, defect_id, now=NOW - DAY)
        a_verified_repair(tx, defect_id, NOW, length_m=1.2, width_m=0.8)
        return str(tx.scalar(select(defect.c.reference)))


@pytest.fixture
def failed(repaired: str) -> str:
    """The same, and a report says that it has failed."""
    with transaction("test") as tx:
        triaged(tx, NOW)
    return repaired


def the_recall(caller: Caller) -> Any:
    (one,) = caller.get("/recalls").json()["recalls"]
    return one


def test_a_warranty_is_shown_with_its_dates_and_its_footprint(as_: As, repaired: str) -> None:
    operator = as_(Role.OPERATOR)

    shown = operator.get("/warranties", defect=repaired.lower(), state="active").json()

    (one,) = shown["warranties"]
    assert (one["defect"], one["contractor"], one["state"], one["follows"]) == (repaired, "alder", "active", None)
    assert one["footprint"]["type"] == "Polygon"
    assert datetime.fromisoformat(one["ends_on"]) > datetime.fromisoformat(one["starts_on"]) + 360 * DAY
    assert shown["next"] is None


def test_a_contractor_sees_only_their_own_warranties_and_recalls(as_: As, failed: str) -> None:
    alder, birch = (as_(Role.CONTRACTOR, contractor=code) for code in ("alder", "birch"))
    reference = the_recall(alder)["reference"]

    assert len(alder.get("/warranties").json()["warranties"]) == 1
    assert birch.get("/warranties").json()["warranties"] == []
    assert birch.get("/recalls").json()["recalls"] == []
    assert birch.get(f"/recalls/{reference}").status_code == 404
    assert birch.post(f"/recalls/{reference}/dispute", why="Not ours.").status_code == 404
    assert failed


def test_a_recall_names_what_was_seen_and_what_the_rules_say(as_: As, failed: str) -> None:
    operator = as_(Role.OPERATOR)

    one = operator.get(f"/recalls/{the_recall(operator)['reference'].lower()}").json()

    assert (one["state"], one["defect"], one["reports"], one["detections"]) == ("proposed", failed, 1, 0)
    assert "no work by others is known since" in one["why"]
    assert [waits["state"] for waits in one["waiting"]] == ["triage"]


def test_an_operator_sends_a_failed_repair_back(as_: As, failed: str) -> None:
    operator = as_(Role.OPERATOR)
    reference = the_recall(operator)["reference"]

    said = operator.post(f"/recalls/{reference}/decide", decision="attributable", why="The patch has come out.")

    assert said.status_code == 200
    assert (said.json()["state"], said.json()["warranty_state"]) == ("attributable", "attributable")
    with transaction("test") as tx:
        hear(tx, Consumer.ASSIGN, assign_works.run, datetime.now(UTC))
        assert tx.scalar(select(defect.c.state)) == "ordered"
        assert tx.scalar(select(report.c.state)) == "linked"
    order = operator.get(f"/recalls/{reference}").json()["remedial_order"]
    shown = as_(Role.CONTRACTOR, contractor="alder").get(f"/works-orders/{order}").json()
    assert (shown["kind"], shown["charge_to"], shown["defects"][0]["reference"]) == ("remedial", "contractor", failed)


def test_a_failure_of_others_names_the_new_defect(as_: As, failed: str) -> None:
    operator = as_(Role.OPERATOR)
    reference = the_recall(operator)["reference"]

    said = operator.post(f"/recalls/{reference}/decide", decision="not_attributable", why="A lorry did it.").json()

    assert said["new_defect"] not in (None, failed)
    assert said["warranty_state"] == "active"


def test_a_dispute_is_the_contractors_and_the_ruling_a_supervisors(as_: As, failed: str) -> None:
    operator, alder = as_(Role.OPERATOR), as_(Role.CONTRACTOR, contractor="alder")
    path = f"/recalls/{the_recall(operator)['reference']}"
    ruling = {"decision": "not_attributable", "why": "The trench is on the photo."}

    assert operator.post(f"{path}/dispute", why="Not theirs.").status_code == 403
    assert alder.post(f"{path}/dispute", why="A trench was cut through it.").json()["state"] == "disputed"
    assert alder.post(f"{path}/decide", **ruling).status_code == 403
    assert operator.post(f"{path}/rule", **ruling).status_code == 403
    assert operator.post(f"{path}/decide", **ruling).status_code == 409
    ruled = as_(Role.SUPERVISOR).post(f"{path}/rule", **ruling)

    assert (ruled.status_code, ruled.json()["state"]) == (200, "not_attributable")
    assert ruled.json()["ruled_by"].startswith("key:")
    assert failed


def test_a_contractor_is_not_told_which_person_decided_or_ruled(as_: As, failed: str) -> None:
    operator, alder = as_(Role.OPERATOR), as_(Role.CONTRACTOR, contractor="alder")
    path = f"/recalls/{the_recall(operator)['reference']}"
    operator.post(f"{path}/decide", decision="attributable", why="The patch has come out.")
    with transaction("test") as tx:
        hear(tx, Consumer.ASSIGN, assign_works.run, datetime.now(UTC))
    disputed = alder.post(f"{path}/dispute", why="A trench was cut through it.")
    as_(Role.SUPERVISOR).post(f"{path}/rule", decision="not_attributable", why="The trench is on the photo.")

    told = [the_recall(alder), alder.get(path).json()]

    assert disputed.json()["decided_by"] == "council"
    assert [(one["decided_by"], one["ruled_by"]) for one in told] == [("council", "council")] * 2
    assert the_recall(operator)["decided_by"].startswith("key:")
    assert failed


def test_the_case_of_a_recall_holds_both_places_the_photos_and_what_was_said(as_: As, failed: str) -> None:
    operator, alder = as_(Role.OPERATOR), as_(Role.CONTRACTOR, contractor="alder")
    path = f"/recalls/{the_recall(operator)['reference']}"
    alder.post(f"{path}/dispute", why="A trench was cut through it.")

    case = operator.get(f"{path}/case").json()

    (seen,) = case["sightings"]
    assert (case["state"], case["defect"], case["repair"]["footprint"]["type"]) == ("disputed", failed, "Polygon")
    assert (seen["kind"], seen["distance_m"], seen["accuracy_m"]) == ("report", 0.0, 5.0)
    assert _surrounds(case["repair"]["footprint"], seen["lon"], seen["lat"])
    assert [photo["label"] for photo in case["repair"]["photos"]] == ["Before 1", "After 1"]
    assert datetime.fromisoformat(case["repair"]["ends_on"]) > datetime.fromisoformat(case["repair"]["starts_on"])
    assert [(line["decision"], line["why"]) for line in case["said"]] == [("disputed", "A trench was cut through it.")]
    assert alder.get(f"{path}/case").status_code == 403
    assert operator.get("/recalls/K-0000-0000/case").status_code == 404


def _surrounds(polygon: Any, lon: float, lat: float) -> bool:
    """Whether a place lies within the box of a GeoJSON polygon."""
    easts, norths = zip(*polygon["coordinates"][0], strict=True)
    return min(easts) < lon < max(easts) and min(norths) < lat < max(norths)


@pytest.mark.parametrize(("role", "may"), [(Role.OPERATOR, False), (Role.SUPERVISOR, True)])
def test_only_a_supervisor_may_rule_on_the_page_and_others_see_why(as_: As, failed: str, role: Role, may: bool) -> None:
    who, alder = as_(role), as_(Role.CONTRACTOR, contractor="alder")
    reference = the_recall(who)["reference"]
    alder.post(f"/recalls/{reference}/dispute", why="A trench was cut through it.")

    page = who.api.get("/hub/recalls", params={"recall": reference}, headers=who.headers).text

    assert "A trench was cut through it." in page
    assert ("Only a supervisor rules on a dispute" in page) is not may
    assert failed in page


def test_a_warranty_is_made_void_with_evidence(as_: As, repaired: str) -> None:
    operator = as_(Role.OPERATOR)

    without = operator.post(f"/warranties/{repaired}/void", reason="excavated", evidence="")
    voided = operator.post(f"/warranties/{repaired}/void", reason="excavated", evidence="Permit LC001-7.")
    again = operator.post(f"/warranties/{repaired}/void", reason="excavated", evidence="Permit LC001-7.")

    assert (without.status_code, voided.status_code, again.status_code) == (422, 200, 409)
    (one,) = operator.get("/warranties").json()["warranties"]
    assert (one["state"], one["void_reason"]) == ("void", "excavated")


def test_the_public_sees_no_warranties(api: TestClient, repaired: str) -> None:
    assert api.get("/api/v1/warranties").status_code == 401
    assert api.get("/api/v1/recalls").status_code == 401
    assert repaired


def test_warranties_are_paged_without_loss(api: TestClient, as_: As) -> None:
    with transaction("test") as tx:
        for place in range(5):
            defect_id = a_defect(tx, street_key=str(place), easting=353_000.0 + 12 * place, known_at=NOW - 2 * DAY)
            an_order(tx, defect_id, now=NOW - DAY)
            a_verified_repair(tx, defect_id, NOW)
        named = set(tx.scalars(select(defect.c.reference)))
    operator, seen, after = as_(Role.OPERATOR), [], None

    while True:
        page = operator.get("/warranties", limit=2, **({"after": after} if after else {})).json()
        seen += [one["defect"] for one in page["warranties"]]
        after = page["next"]
        if after is None:
            break

    assert (len(seen), set(seen)) == (5, named)
    assert operator.get("/warranties", after="nonsense").status_code == 422
