"""Works orders over HTTP: contractors see and move their own, phones tell of visits late and twice, staff verify."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select, update

from shared.domain.events import Consumer
from shared.domain.terms import Role
from shared.flows import act_on_order, assign_works, verify_repair
from shared.store.engine import transaction
from shared.store.read_models import as_of
from shared.store.tables import defect, visit, works_order
from tests.api.conftest import MakeKey
from tests.factories import PLACE, a_defect, an_order, hear

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Caller:
    """Somebody with a key."""

    api: TestClient
    headers: dict[str, str]

    def get(self, path: str, **query: Any) -> Any:
        return self.api.get(f"/api/v1{path}", params=query, headers=self.headers)

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        return self.api.post(f"/api/v1{path}", json=body, headers=self.headers)


@pytest.fixture
def alder(api: TestClient, a_key: MakeKey) -> Caller:
    return Caller(api, a_key(Role.CONTRACTOR, contractor="alder").headers)


@pytest.fixture
def birch(api: TestClient, a_key: MakeKey) -> Caller:
    return Caller(api, a_key(Role.CONTRACTOR, contractor="birch").headers)


@pytest.fixture
def operator(api: TestClient, a_key: MakeKey) -> Caller:
    return Caller(api, a_key(Role.OPERATOR).headers)


@pytest.fixture
def order(api: TestClient) -> str:
    """An order of Alder's, issued five hours ago."""
    del api
    return issued()


def issued(**facts: Any) -> str:
    with transaction("test") as tx:
        return an_order(tx, a_defect(tx, **facts), now=NOW - 5 * HOUR).reference


def worked() -> None:
    """What the workers would do: orders raised, evidence judged."""
    with transaction("worker:verify") as tx:
        hear(tx, Consumer.VERIFY, verify_repair.run, datetime.now(UTC))
    with transaction("worker:assign") as tx:
        hear(tx, Consumer.ASSIGN, assign_works.run, datetime.now(UTC))


def a_visit(reference: str, outcome: str = "permanent", **more: Any) -> dict[str, Any]:
    return {
        "client_id": str(uuid4()),
        "order": reference,
        "outcome": outcome,
        "started_at": (NOW - 2 * HOUR).isoformat(),
        "ended_at": (NOW - HOUR).isoformat(),
        "lat": PLACE[0],
        "lon": PLACE[1],
        "accuracy_m": 5,
        **more,
    }


def test_a_contractor_lists_only_their_own_orders_and_staff_list_all(
    alder: Caller, birch: Caller, operator: Caller, order: str
) -> None:
    other = issued(area_code="E07000117")

    assert [one["reference"] for one in alder.get("/works-orders").json()["orders"]] == [order]
    assert [one["reference"] for one in birch.get("/works-orders").json()["orders"]] == [other]
    assert {one["reference"] for one in operator.get("/works-orders").json()["orders"]} == {order, other}


def test_another_contractors_order_is_not_found(birch: Caller, order: str) -> None:
    assert birch.get(f"/works-orders/{order}").status_code == 404
    assert birch.post(f"/works-orders/{order}/accept").status_code == 404
    assert birch.post("/visits", a_visit(order)).status_code == 404


def test_an_order_shows_places_clocks_history_and_what_may_follow(alder: Caller, order: str) -> None:
    shown = alder.get(f"/works-orders/{order}").json()

    assert shown["state"] == "issued"
    (hole,) = shown["defects"]
    assert (round(hole["lat"], 4), round(hole["lon"], 4)) == (53.7642, -2.7145)
    assert [one["after"] for one in shown["history"]] == ["issued"]
    assert {one["step"] for one in shown["next"]} == {"accept", "decline"}
    assert "id" not in shown


def test_references_are_read_as_people_write_them(alder: Caller, order: str) -> None:
    assert alder.get(f"/works-orders/{order.lower().replace('-', ' ')}").json()["reference"] == order


def test_lists_are_filtered_and_paged_by_change(operator: Caller) -> None:
    references = [issued(street_key=f"street-{n}", band="P10" if n % 2 else "P20") for n in range(5)]

    first = operator.get("/works-orders", limit=2).json()
    second = operator.get("/works-orders", limit=2, after=first["next"]).json()
    third = operator.get("/works-orders", limit=2, after=second["next"]).json()
    seen = [one["reference"] for page in (first, second, third) for one in page["orders"]]

    assert sorted(seen) == sorted(references)
    assert third["next"] is None
    assert len(operator.get("/works-orders", band="P20").json()["orders"]) == 3
    assert len(operator.get("/works-orders", street="street-1").json()["orders"]) == 1
    assert operator.get("/works-orders", due_before=NOW.isoformat()).json()["orders"] == []
    assert operator.get("/works-orders", updated_since=(NOW + HOUR).isoformat()).json()["orders"] == []
    assert operator.get("/works-orders", state="accepted").json()["orders"] == []


def test_a_place_in_the_list_that_we_did_not_give_is_refused(operator: Caller) -> None:
    answer = operator.get("/works-orders", after="yesterday")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "after"


def test_a_change_that_commits_late_comes_with_what_is_asked_for_next(alder: Caller) -> None:
    slow, quick = issued(), issued(street_key="another-street")
    with transaction("key:1") as writing:
        began = writing.scalar(select(func.now()))
        firm = writing.scalar(select(works_order.c.contractor_id).where(works_order.c.reference == slow))
        act_on_order.accept(writing, slow, firm, datetime.now(UTC))
        alder.post(f"/works-orders/{quick}/accept")

        page = alder.get("/works-orders").json()

    later = alder.get("/works-orders", updated_since=page["as_of"]).json()["orders"]
    assert [(one["reference"], one["state"]) for one in page["orders"]] == [(slow, "issued"), (quick, "accepted")]
    assert datetime.fromisoformat(page["as_of"]) <= began - as_of.MARGIN
    assert (slow, "accepted") in [(one["reference"], one["state"]) for one in later]


def test_accept_schedule_and_slip(alder: Caller, order: str) -> None:
    assert alder.post(f"/works-orders/{order}/accept").json()["state"] == "accepted"
    first = {"scheduled_for": (NOW + 24 * HOUR).isoformat()}
    assert alder.post(f"/works-orders/{order}/schedule", first).json()["state"] == "scheduled"

    later = {"scheduled_for": (NOW + 48 * HOUR).isoformat()}
    assert alder.post(f"/works-orders/{order}/schedule", later).status_code == 422
    assert alder.post(f"/works-orders/{order}/schedule", {**later, "reason": "Permit is late."}).status_code == 200


def test_many_are_accepted_each_with_its_own_result(alder: Caller, order: str) -> None:
    other = issued(area_code="E07000117")

    answer = alder.post("/works-orders/accept", {"references": [order, other]})

    assert answer.status_code == 200
    assert answer.json()["results"] == [
        {"reference": order, "state": "accepted", "problem": None, "detail": None},
        {"reference": other, "state": None, "problem": "not-found", "detail": f"There is no works order {other}."},
    ]


def test_a_declined_order_is_the_next_contractors(alder: Caller, birch: Caller, order: str) -> None:
    answer = alder.post(f"/works-orders/{order}/decline", {"reason": "No crew this week."})

    assert answer.json()["state"] == "declined"
    (new,) = birch.get("/works-orders").json()["orders"]
    assert new["state"] == "issued"
    assert birch.get(f"/works-orders/{new['reference']}").json()["follows"] is None
    assert alder.get("/works-orders", open=True).json()["orders"] == []


def test_a_visit_told_twice_is_answered_201_then_200_and_another_under_its_id_409(alder: Caller, order: str) -> None:
    told = a_visit(order)

    first, again = alder.post("/visits", told), alder.post("/visits", told)
    other = alder.post("/visits", {**told, "note": "Something else."})

    assert [first.status_code, again.status_code, other.status_code] == [201, 200, 409]
    assert first.json() | {"new": False} == again.json()
    with transaction("test") as tx:
        assert len(tx.execute(select(visit.c.id)).all()) == 1


def test_two_contractors_phones_may_make_the_same_id(alder: Caller, birch: Caller, order: str) -> None:
    other = issued(area_code="E07000117")
    told = a_visit(order)

    assert alder.post("/visits", told).status_code == 201
    assert birch.post("/visits", {**told, "order": other}).status_code == 201


def test_a_visit_told_before_the_acceptance_counts_and_the_acceptance_is_answered(alder: Caller, order: str) -> None:
    told = alder.post("/visits", a_visit(order)).json()
    late = alder.post(f"/works-orders/{order}/accept")

    assert (told["applied"], told["order_state"]) == (True, "completed_permanent")
    assert (late.status_code, late.json()["state"]) == (200, "completed_permanent")


def test_news_out_of_order_is_kept_and_says_why_it_moved_nothing(alder: Caller, order: str) -> None:
    alder.post("/visits", a_visit(order))
    earlier = a_visit(order, "aborted", reason="parked_car", ended_at=(NOW - 1.5 * HOUR).isoformat())

    told = alder.post("/visits", earlier).json()

    assert (told["applied"], told["order_state"]) == (False, "completed_permanent")
    assert "kept on record" in told["why"]
    shown = alder.get(f"/works-orders/{order}").json()
    assert [one["outcome"] for one in shown["visits"]] == ["aborted", "permanent"]


def test_what_the_evidence_lacks_is_named_to_the_crew(alder: Caller, order: str) -> None:
    alder.post("/visits", a_visit(order))

    worked()

    shown = alder.get(f"/works-orders/{order}").json()
    assert shown["state"] == "evidence_failed"
    assert any("before the work" in sentence for sentence in shown["missing"])
    (told,) = shown["visits"]
    assert {one["code"] for one in told["evidence"]["missing"]} == {"no_before_photo", "no_after_photo"}


def test_a_site_check_verifies_and_the_defect_is_warranted(alder: Caller, operator: Caller, order: str) -> None:
    alder.post("/visits", a_visit(order))
    worked()
    verdict = {"verdict": "passed", "why": "Level, sealed.", "site_check": True}

    answer = operator.post(f"/works-orders/{order}/verify", verdict)
    again = operator.post(f"/works-orders/{order}/verify", verdict)

    assert answer.json()["state"] == "payable"
    assert (again.status_code, again.json()["type"]) == (409, "/problems/already-verified")
    with transaction("test") as tx:
        assert tx.scalar(select(defect.c.state)) == "in_warranty"
    assert operator.post(f"/works-orders/{order}/pay").json()["state"] == "paid"


def test_a_failed_repair_is_the_same_contractors_again(alder: Caller, operator: Caller, order: str) -> None:
    alder.post("/visits", a_visit(order))
    worked()

    operator.post(f"/works-orders/{order}/verify", {"verdict": "failed", "why": "Sunken by 20 mm."})

    assert alder.get(f"/works-orders/{order}").json()["state"] == "remedial"


def test_contractors_verify_cancel_reissue_and_pay_nothing(alder: Caller, order: str) -> None:
    verdict = {"verdict": "passed", "why": "Looks fine.", "site_check": True}

    assert alder.post(f"/works-orders/{order}/verify", verdict).status_code == 403
    assert alder.post(f"/works-orders/{order}/cancel", {"reason": "Not ours."}).status_code == 403
    assert alder.post(f"/works-orders/{order}/reissue", {"reason": "Not ours."}).status_code == 403
    assert alder.post(f"/works-orders/{order}/pay").status_code == 403


def test_staff_tell_of_no_visits(operator: Caller, order: str) -> None:
    assert operator.post("/visits", a_visit(order)).status_code == 403


def test_an_operator_gives_an_order_to_another_contractor(operator: Caller, birch: Caller, order: str) -> None:
    answer = operator.post(f"/works-orders/{order}/reissue", {"contractor": "birch", "reason": "Alder's crew is ill."})

    assert answer.status_code == 201
    (given,) = birch.get("/works-orders").json()["orders"]
    assert given["reference"] == answer.json()["reference"]
    assert operator.get(f"/works-orders/{order}").json()["state"] == "cancelled"


@pytest.mark.parametrize("act", ["cancel", "reissue"])
def test_an_order_that_was_accepted_meanwhile_is_not_taken_away_unawares(
    operator: Caller, alder: Caller, order: str, act: str
) -> None:
    known = operator.get(f"/works-orders/{order}").json()["seen"]
    alder.post(f"/works-orders/{order}/accept")

    refused = operator.post(f"/works-orders/{order}/{act}", {"reason": "Another is nearer.", "seen": known})

    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/changed-meanwhile")
    assert "accepted it" in refused.json()["detail"]
    assert operator.get(f"/works-orders/{order}").json()["state"] == "accepted"
    again = {"reason": "Another is nearer.", "contractor": "birch", "seen": refused.json()["seen"]}
    assert operator.post(f"/works-orders/{order}/reissue", again).status_code == 201


def test_an_operator_orders_by_hand(operator: Caller, birch: Caller) -> None:
    with transaction("test") as tx:
        a_defect(tx, class_code="gully_blocked", band="M", reference="D-1111-1111")

    answer = operator.post(
        "/works-orders", {"defects": ["d 1111 1111"], "contractor": "birch", "reason": "It floods the school."}
    )

    assert answer.status_code == 201
    (order,) = birch.get("/works-orders").json()["orders"]
    assert [order["reference"]] == [one["reference"] for one in answer.json()["orders"]]


def test_a_contractor_is_not_told_which_person_acted(alder: Caller, operator: Caller, order: str) -> None:
    alder.post("/visits", a_visit(order))
    worked()
    operator.post(f"/works-orders/{order}/verify", {"verdict": "passed", "why": "Level.", "site_check": True})
    operator.post(f"/works-orders/{order}/pay")

    theirs = alder.get(f"/works-orders/{order}").json()
    ours = operator.get(f"/works-orders/{order}").json()

    assert {line["actor"] for line in theirs["history"]} == {"test", "us", "worker:verify", "council"}
    assert theirs["verifier"] == "council"
    assert ours["verifier"].startswith("key:")
    assert "key:" not in str(theirs)
    assert "key:" not in alder.post(f"/works-orders/{order}/accept").text


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"outcome": "mended"}, "outcome"),
        ({"ended_at": "2026-01-01T10:00:00"}, "ended_at"),
        ({"outcome": "aborted"}, "reason"),
        ({"lat": 91}, "lat"),
        ({"repair_type": "chewing_gum"}, "repair_type"),
        ({"defects": ["D-0000-0000"]}, "defects"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_a_visit_that_cannot_be_names_the_field(alder: Caller, order: str, change: dict[str, Any], field: str) -> None:
    answer = alder.post("/visits", a_visit(order) | change)

    assert answer.status_code == 422
    assert field in {one["field"] for one in answer.json()["errors"]}


def test_a_step_that_the_lifecycle_has_not_is_a_conflict_that_says_what_may_follow(alder: Caller, order: str) -> None:
    with transaction("test") as tx:
        tx.execute(update(works_order).values(state="paid"))

    answer = alder.post(f"/works-orders/{order}/decline", {"reason": "Changed our mind."})

    assert answer.status_code == 409
    assert answer.json()["type"] == "/problems/unlawful-step"
