"""Two operators at one thing over HTTP: reads give `seen`, acts take it, and the second save is answered with 409."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from shared.domain.terms import Role
from shared.store import defects
from shared.store.engine import reading, transaction
from tests.api.test_defect_actions import a_candidate, a_told
from tests.api.test_recalls import As, as_, failed, repaired, the_recall
from tests.waiting import until

__all__ = ["as_", "failed", "repaired"]

CONFIRM = {"decision": "confirm", "why": "Measured.", "impact": 2, "likelihood": 2}


def test_the_second_save_is_answered_with_who_did_what_and_what_to_send_to_save_anyway(as_: As) -> None:
    ada, ben, reference = as_(Role.OPERATOR), as_(Role.SUPERVISOR), a_candidate()
    known = ada.get(f"/defects/{reference}").json()["staff"]["seen"]
    ben.post(f"/defects/{reference}/assess", **CONFIRM, seen=known)

    refused = ada.post(f"/defects/{reference}/assess", **CONFIRM, seen=known)

    body = refused.json()
    assert (refused.status_code, body["type"]) == (409, "/problems/changed-meanwhile")
    assert body["detail"].startswith("supervisor of a test confirmed it as P")
    (change,) = body["changes"]
    assert (change["by"], change["reference"]) == ("supervisor of a test", reference)
    anew = ada.get(f"/defects/{reference}").json()["staff"]["seen"]
    assert known < anew <= body["seen"]
    assert ada.post(f"/defects/{reference}/assess", **CONFIRM, seen=body["seen"]).status_code == 200


def test_who_sends_no_seen_saves_on_what_there_is(as_: As) -> None:
    ada, ben, reference = as_(Role.OPERATOR), as_(Role.SUPERVISOR), a_candidate()
    ben.post(f"/defects/{reference}/assess", **CONFIRM)

    assert ada.post(f"/defects/{reference}/assess", **CONFIRM).status_code == 200


def test_each_of_many_has_its_own_answer(as_: As) -> None:
    ada, ben = as_(Role.OPERATOR), as_(Role.SUPERVISOR)
    named = [a_candidate(street_key=str(number)) for number in range(2)]
    known = {one: ada.get(f"/defects/{one}").json()["staff"]["seen"] for one in named}
    ben.post(f"/defects/{named[0]}/assess", **CONFIRM)

    said = ada.post("/defects/assess", references=named, **CONFIRM, seen=known).json()["results"]

    assert [one["problem"] for one in said] == ["changed-meanwhile", None]
    assert said[0]["seen"] > known[named[0]]


def test_a_report_and_a_question_are_read_with_what_was_seen(as_: As) -> None:
    ada, ben = as_(Role.OPERATOR), as_(Role.SUPERVISOR)
    reference = a_told("triage")
    known = ada.get(f"/reports/{reference}").json()["staff"]["seen"]
    ben.post(f"/reports/{reference}/decide", decision="refer", target="National Highways", why="Theirs.", seen=known)

    refused = ada.post(f"/reports/{reference}/decide", decision="reject", reason="test", why="A test.", seen=known)

    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/changed-meanwhile")
    assert "referred it to National Highways" in refused.json()["detail"]


def test_a_recall_is_read_with_what_was_seen(as_: As, failed: str) -> None:
    ada, ben = as_(Role.OPERATOR), as_(Role.SUPERVISOR)
    one = the_recall(ada)
    path = f"/recalls/{one['reference']}"
    assert ada.get(path).json()["seen"] == one["seen"]
    ben.post(f"{path}/decide", decision="attributable", why="The patch has come out.", seen=one["seen"])

    refused = ada.post(f"{path}/decide", decision="not_attributable", why="A trench.", seen=one["seen"])

    assert refused.json()["type"] == "/problems/changed-meanwhile"
    assert failed


def test_an_order_is_read_with_what_was_seen_by_staff_only(as_: As, repaired: str) -> None:
    (order,) = as_(Role.OPERATOR).get("/works-orders").json()["orders"]
    (own,) = as_(Role.CONTRACTOR, contractor="alder").get("/works-orders").json()["orders"]

    assert order["seen"] > 0
    assert as_(Role.OPERATOR).get(f"/works-orders/{order['reference']}").json()["seen"] == order["seen"]
    assert own["seen"] is None
    assert repaired


@pytest.mark.parametrize("seen", [-1, 1.5, "7", 2**63])
def test_a_seen_that_no_read_gave_is_refused(as_: As, seen: Any) -> None:
    answer = as_(Role.OPERATOR).post(f"/defects/{a_candidate()}/assess", **CONFIRM, seen=seen)

    assert answer.status_code == 422


def test_of_two_who_wait_for_each_other_one_is_told_that_it_was_another_not_that_the_database_is_away(as_: As) -> None:
    operator, one, other = as_(Role.OPERATOR), a_candidate(), a_candidate(easting=353_004.0)
    with ThreadPoolExecutor(1) as person, transaction("test") as tx:
        # Whoever looks first after so long for a ring of waiting transactions, and finds one, gives way.
        tx.execute(text("SET LOCAL deadlock_timeout = '30s'"))
        defects.lock_one(tx, other)
        asked = person.submit(operator.post, f"/defects/{one}/merge", into=other, why="One hole.")
        until(_somebody_waits, 20, "the merge to wait for the second defect")
        defects.lock_one(tx, one)
        answer = asked.result(60)

    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/collided")
    assert "Somebody else was changing the same thing" in answer.json()["detail"]
    assert int(answer.headers["retry-after"]) > 0
    assert operator.post(f"/defects/{one}/merge", into=other, why="One hole.").status_code == 200


def test_a_preview_that_others_hold_up_says_so(as_: As) -> None:
    operator, one, other = as_(Role.OPERATOR), a_candidate(), a_candidate(easting=353_004.0)
    with transaction("test") as tx:
        defects.lock_one(tx, other)
        answer = operator.post(f"/defects/{one}/merge/preview", into=other)

    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/collided")


def _somebody_waits() -> bool:
    with reading() as tx:
        waiting = "SELECT true FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        return bool(tx.scalar(text(waiting)))
