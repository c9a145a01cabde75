"""The queue, its saved views and acts on many, over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from services.workers.consumer import drain
from shared.domain.events import Consumer
from shared.domain.terms import Role
from shared.flows import bulk_acts, manage_access
from shared.store.engine import transaction
from shared.store.tables import defect, delivery
from tests.api.conftest import MakeKey
from tests.factories import a_defect

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
PASSWORD = "a long enough password"


class Person:
    """An operator who is signed in."""

    def __init__(self, api: TestClient, email: str, role: Role = Role.OPERATOR) -> None:
        self.api = api
        with transaction("test") as tx:
            manage_access.add_person(tx, email, "Ada Fell", role, NOW, password=PASSWORD)
        api.cookies.clear()
        self.token = api.post("/api/v1/sign-in", json={"email": email, "password": PASSWORD}).json()["csrf_token"]
        self.cookies = dict(api.cookies)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        self.api.cookies.clear()
        self.api.cookies.update(self.cookies)
        return self.api.request(method, f"/api/v1{path}", json=body, headers={"X-CSRF-Token": self.token})


@pytest.fixture
def ada(api: TestClient) -> Person:
    return Person(api, "ada@roads.example")


def made(**more: Any) -> str:
    with transaction("test") as tx:
        defect_id = a_defect(tx, **more)
        return str(tx.scalar(select(defect.c.reference).where(defect.c.id == defect_id)))


def time_is_over() -> None:
    """What is held is done now."""
    with transaction("test") as tx:
        tx.execute(update(delivery).where(delivery.c.consumer == "acts").values(due_at=NOW))
    drain(Consumer.ACTS, bulk_acts.run)


def test_a_row_says_its_clock_in_words(api: TestClient, a_key: MakeKey) -> None:
    why = ["Permanent repair: Started Tue 24 Nov 2026 14:05 GMT. Working day 5 after that is Tue 1 Dec 2026."]
    due_at = datetime(2026, 12, 1, 23, 59, 59, tzinfo=UTC)
    reference = made(permanent_due_at=due_at, due_why=why, street_key=None)

    answer = api.get("/api/v1/queue", headers=a_key(Role.OPERATOR).headers)

    assert answer.status_code == 200, answer.text
    (row,) = answer.json()["defects"]
    assert (row["reference"], row["kind"], row["street"]) == (reference, "Pothole", None)
    assert row["next"]["basis"] == "5 working days from Tue 24 Nov 14:05"
    assert (row["next"]["by"], row["next"]["to_do"]) == ("Tue 1 Dec 23:59", "Mend")
    assert row["next"]["late"] == (due_at < datetime.now(UTC))


def test_filters_take_several_values_and_refuse_what_they_do_not_know(api: TestClient, a_key: MakeKey) -> None:
    key = a_key(Role.OPERATOR).headers
    urgent, soon = made(band="E", permanent_due_at=NOW + DAY), made(band="P2", permanent_due_at=NOW + 2 * DAY)
    late = made(permanent_due_at=NOW - DAY)

    def listed(query: str) -> list[str]:
        return [row["reference"] for row in api.get(f"/api/v1/queue?{query}", headers=key).json()["defects"]]

    assert listed("band=E&band=P2") == [urgent, soon]
    assert listed("due=late") == [late]
    assert listed("limit=1") == [late]
    assert api.get("/api/v1/queue?limit=1", headers=key).json()["total"] == 3
    assert api.get("/api/v1/queue?band=X", headers=key).status_code == 422
    assert api.get("/api/v1/queue?due=tomorrow", headers=key).status_code == 422


def test_due_today_is_a_day_of_the_countys_clock(api: TestClient, a_key: MakeKey) -> None:
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    made(permanent_due_at=midnight - DAY)
    made(permanent_due_at=midnight + 3 * DAY)
    today = made(permanent_due_at=midnight + timedelta(hours=12))

    answer = api.get("/api/v1/queue?due=today", headers=a_key(Role.OPERATOR).headers)

    assert [row["reference"] for row in answer.json()["defects"]] == [today]


# --- views -----------------------------------------------------------------------------------------------------------


def test_a_person_keeps_renames_and_deletes_views_of_their_own(api: TestClient, ada: Person) -> None:
    saved = ada.ask("POST", "/queue/views", {"name": "North", "query": "?band=E&area=E1&after=x&limit=5"})
    assert saved.status_code == 201, saved.text
    view = saved.json()["id"]
    assert ada.ask("POST", "/queue/views", {"name": "North", "query": "band=P2"}).status_code == 409

    assert ada.ask("PUT", f"/queue/views/{view}", {"name": "The north"}).status_code == 204
    (own,) = ada.ask("GET", "/queue/views").json()["own"]
    ben = Person(api, "ben@roads.example")

    assert (own["name"], own["query"]) == ("The north", "band=E&area=E1")
    assert ben.ask("GET", "/queue/views").json()["own"] == []
    assert ben.ask("PUT", f"/queue/views/{view}", {"name": "Mine"}).status_code == 404
    assert ben.ask("DELETE", f"/queue/views/{view}").status_code == 404
    assert ada.ask("DELETE", f"/queue/views/{view}").status_code == 204
    assert ada.ask("GET", "/queue/views").json()["own"] == []


def test_a_view_that_filters_nothing_is_not_kept(ada: Person) -> None:
    answer = ada.ask("POST", "/queue/views", {"name": "All", "query": "page=2"})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "query"


def test_the_views_that_come_with_it_are_there_for_a_key_too_which_keeps_none(api: TestClient, a_key: MakeKey) -> None:
    key = a_key(Role.OPERATOR).headers

    names = [one["name"] for one in api.get("/api/v1/queue/views", headers=key).json()["shipped"]]
    kept = api.post("/api/v1/queue/views", headers=key, json={"name": "Mine", "query": "band=E"})

    assert {"Overdue", "Due today", "Danger", "Waiting for contractor", "Not graded"} <= set(names)
    assert kept.status_code == 403


# --- acts on many ----------------------------------------------------------------------------------------------------


def test_an_act_is_seen_held_and_done_with_its_results(ada: Person) -> None:
    lawful, ended = made(state="candidate", band=None), made(state="closed")
    body = {"kind": "refer", "defects": [lawful.lower(), lawful, ended], "owner": "Openreach", "why": "Their cover."}

    seen = ada.ask("POST", "/bulk-act-previews", body)
    held = ada.ask("POST", "/bulk-acts", body)

    assert seen.status_code == 200, seen.text
    assert (seen.json()["lawful"], seen.json()["refused"]) == (1, 1)
    assert [one["state"] for one in seen.json()["defects"]] == ["third_party", "closed"]
    assert held.status_code == 202, held.text
    assert (held.json()["stands"], held.json()["defects"]) == ("held", [lawful, ended])
    time_is_over()
    done = ada.ask("GET", f"/bulk-acts/{held.json()['id']}").json()
    assert (done["stands"], done["done"], done["refused"]) == ("done", 1, 1)
    assert [one["problem"] for one in done["results"]] == [None, "unlawful-step"]


def test_an_act_is_undone_by_who_asked_for_it_and_nobody_else(api: TestClient, ada: Person) -> None:
    reference = made(state="candidate", band=None)
    body = {"kind": "grade", "defects": [reference], "why": "Seen on site.", "impact": 2, "likelihood": 2}
    act = ada.ask("POST", "/bulk-acts", body).json()["id"]
    ben = Person(api, "ben@roads.example")

    assert ben.ask("POST", f"/bulk-acts/{act}/undo").status_code == 404
    assert ben.ask("GET", f"/bulk-acts/{act}").status_code == 404
    assert ada.ask("POST", f"/bulk-acts/{act}/undo").json()["stands"] == "undone"
    time_is_over()

    (listed,) = ada.ask("GET", "/bulk-acts").json()["acts"]
    assert (listed["id"], listed["stands"], listed["results"]) == (act, "undone", [])
    assert ben.ask("GET", "/bulk-acts").json()["acts"] == []


def test_what_is_done_is_not_undone(ada: Person) -> None:
    body = {"kind": "refer", "defects": [made(state="candidate")], "owner": "Openreach", "why": "Their cover."}
    act = ada.ask("POST", "/bulk-acts", body).json()["id"]
    time_is_over()

    answer = ada.ask("POST", f"/bulk-acts/{act}/undo")

    assert answer.status_code == 409
    assert "done already" in answer.json()["detail"]


def test_a_message_is_seen_as_people_will_read_it(ada: Person) -> None:
    body = {"kind": "message", "defects": [made()], "words": "Closed on Monday. Call 01772 123456."}

    seen = ada.ask("POST", "/bulk-act-previews", body).json()

    assert seen["words"] == "Closed on Monday. Call [hidden]."
    assert seen["people"] == 0


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "refer", "defects": [], "owner": "Openreach", "why": "Their cover."},
        {"kind": "refer", "defects": ["D-1"] * 501, "owner": "Openreach", "why": "Their cover."},
        {"kind": "refer", "defects": ["D-1"], "why": "Their cover."},
        {"kind": "verify", "defects": ["D-1"], "why": "Looks good."},
        {"kind": "message", "defects": ["D-1"], "words": ""},
        {"kind": "assign", "defects": ["D-1"], "reason": "Why.", "more": 1},
    ],
)
def test_what_is_not_an_act_is_refused(ada: Person, body: dict[str, Any]) -> None:
    assert ada.ask("POST", "/bulk-acts", body).status_code == 422
    assert ada.ask("POST", "/bulk-act-previews", body).status_code == 422
