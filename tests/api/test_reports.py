"""Reports over HTTP: sent by anybody, once for one key, followed in plain words, without anybody's personal data."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import shapely
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import func, select, text, update

from shared.domain.events import Consumer
from shared.domain.terms import Role
from shared.flows import load_network, report_to_defect
from shared.settings import settings
from shared.store.engine import reading, transaction
from shared.store.loads import AreaRow, StreetRow
from shared.store.tables import GRID, contact, delivery, event, idempotency_key, report
from tests.api.conftest import MakeKey
from tests.factories import hear

LAT, LON = 53.7632, -2.7031


def _body(**more: Any) -> dict[str, Any]:
    return {"category": "pothole", "location": {"lat": LAT, "lon": LON, "accuracy_m": 8}, **more}


def _send(api: TestClient, key: str | None = None, **more: Any) -> Response:
    return api.post("/api/v1/reports", json=_body(**more), headers={"Idempotency-Key": key} if key else {})


def _count() -> int:
    with reading() as tx:
        return int(tx.scalar(select(func.count()).select_from(report)))


# --- sent ------------------------------------------------------------------------------------------------------------


def test_a_resident_without_an_account_gets_a_reference_a_link_and_what_happens_next(api: TestClient) -> None:
    answer = _send(api, description="By the kerb", contact={"email": "sam@example.org"})

    told = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/api/v1/reports/{told['reference']}"
    assert told["status"]["label"] == "Open"
    assert told["tracking"]["secret"] in told["tracking"]["link"]
    assert "Somebody reads it by" in told["next"]
    assert datetime.fromisoformat(told["look_by"]) > datetime.now(UTC) + timedelta(hours=20)


def test_a_report_is_written_with_its_contact_its_event_and_a_delivery_to_triage(api: TestClient) -> None:
    answer = api.post(
        "/api/v1/reports",
        json=_body(contact={"name": "Sam Lee", "email": "sam@example.org"}),
        headers={"X-Correlation-ID": "of-this-very-request"},
    )

    with reading() as tx:
        row = tx.execute(select(report).where(report.c.reference == answer.json()["reference"])).one()
        told = tx.execute(select(event).where(event.c.subject == "report", event.c.subject_id == row.id)).one()
        reach = tx.execute(select(contact).where(contact.c.report_id == row.id)).one()
        waiting = set(tx.scalars(select(delivery.c.consumer).where(delivery.c.event_id == told.id)))
    assert (told.kind, told.after, told.actor) == ("ReportReceived", "received", "public")
    assert told.correlation == "of-this-very-request"
    assert answer.headers["x-correlation-id"] == "of-this-very-request"
    assert (reach.name, reach.email) == ("Sam Lee", "sam@example.org")
    assert waiting == {Consumer.TRIAGE, Consumer.FEED}
    assert "sam@example.org" not in str(told.data)


def test_no_secret_is_stored_as_it_is(api: TestClient) -> None:
    secret = _send(api, key=str(uuid4())).json()["tracking"]["secret"]

    with reading() as tx:
        stored = tx.execute(select(report.c.tracking_hash)).one()
        kept = tx.scalar(select(idempotency_key.c.answer))
    assert secret.encode() not in stored.tracking_hash
    assert secret not in str(kept)


@pytest.mark.parametrize("told", [{"danger": True}, {"description": "A deep hole, cars swerve around it"}])
def test_what_sounds_dangerous_is_read_within_the_hour(api: TestClient, told: dict[str, Any]) -> None:
    answer = _send(api, **told).json()

    wait = datetime.fromisoformat(answer["look_by"]) - datetime.now(UTC)
    assert timedelta(minutes=55) < wait <= timedelta(hours=1)
    assert "999" in answer["next"]


@pytest.mark.parametrize("written", ["a@b", "x,y@z.com", "sam@example.org ", "Sam <sam@example.org>"])
def test_an_address_that_no_letter_reaches_is_refused(api: TestClient, written: str) -> None:
    answer = _send(api, contact={"email": written})

    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == ["contact.email"]


def test_one_reporter_is_limited_and_staff_and_who_leaves_no_address_are_not(
    api: TestClient, a_key: MakeKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROADMEND_RATE_LIMIT", "1000/minute")
    settings.cache_clear()
    monkeypatch.setattr("services.api.report_contact.REPORTER_LIMIT", "1/hour")
    to = {"email": f"{uuid4()}@Example.org"}

    first, again = _send(api, contact=to), _send(api, contact={"email": to["email"].lower(), "phone": "01772 000000"})
    nobody = [_send(api, contact=told) for told in ({"name": "Sam"}, None, None)]
    by_staff = api.post("/api/v1/reports", json=_body(contact=to), headers=a_key(Role.OPERATOR).headers)

    assert (first.status_code, again.status_code) == (201, 429)
    assert int(again.headers["retry-after"]) > 0
    assert [one.status_code for one in nobody] == [201] * 3
    assert by_staff.status_code == 201
    assert _count() == 5


# --- the same again --------------------------------------------------------------------------------------------------


def test_the_same_key_and_body_get_the_same_answer(api: TestClient) -> None:
    key = str(uuid4())

    first, again = _send(api, key), _send(api, key)

    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert _count() == 1


def test_the_same_key_with_another_body_is_a_conflict(api: TestClient) -> None:
    key = str(uuid4())
    _send(api, key)

    answer = _send(api, key, description="Another hole")

    assert answer.status_code == 409
    assert answer.json()["type"] == "/problems/idempotency-key-reused"
    assert _count() == 1


def test_one_key_sent_twenty_times_at_once_is_one_report(api: TestClient) -> None:
    key, together = str(uuid4()), threading.Barrier(20)

    def send(_: int) -> str:
        together.wait()
        return str(_send(api, key).json()["reference"])

    with ThreadPoolExecutor(20) as senders:
        references = set(senders.map(send, range(20)))

    assert len(references) == 1
    assert _count() == 1


def test_without_a_key_two_requests_are_two_reports(api: TestClient) -> None:
    references = {_send(api).json()["reference"] for _ in range(2)}

    assert len(references) == 2


def test_a_refused_report_does_not_use_up_its_key(api: TestClient) -> None:
    key = str(uuid4())
    refused = _send(api, key, category="no such thing")

    taken = _send(api, key)

    assert (refused.status_code, taken.status_code) == (422, 201)


# --- place and time, each with its own answer ------------------------------------------------------------------------


@pytest.fixture
def county(api: TestClient) -> None:
    """A county of ours around the place, a neighbour to its west, and two roads."""
    del api
    with transaction("test") as tx:
        x, y = tx.execute(
            text("SELECT ST_X(p), ST_Y(p) FROM ST_Transform(ST_SetSRID(ST_MakePoint(:lon, :lat), 4326), :grid) AS p"),
            {"lon": LON, "lat": LAT, "grid": GRID},
        ).one()
        ours, theirs = shapely.box(x - 1000, y - 5000, x + 9000, y + 5000), shapely.box(x - 9000, y - 5000, x - 1000, y)
        load_network.areas(
            tx, [AreaRow(1, "E10", "Our county", "authority", True, None, None, shapely.to_wkb(ours))], GRID
        )
        load_network.areas(
            tx, [AreaRow(1, "E06", "Blackpool", "authority", False, "01253 477477", None, shapely.to_wkb(theirs))], GRID
        )
        road = shapely.LineString([(x - 500, y), (x + 500, y)])
        load_network.streets(
            tx, [StreetRow(1, "1", None, "Fishergate", "", "3a", "council", 0, False, shapely.to_wkb(road))], GRID
        )
        trunk = shapely.LineString([(x - 500, y + 900), (x + 500, y + 900)])
        load_network.streets(
            tx, [StreetRow(1, "2", None, "M6", "", "2", "trunk", 0, False, shapely.to_wkb(trunk))], GRID
        )
        load_network.finish(tx, load_network.Stretch("streets", "test", 2, 0), datetime.now(UTC))


@pytest.mark.usefixtures("county")
def test_a_place_of_ours_is_taken_and_on_its_street(api: TestClient) -> None:
    reference = _send(api).json()["reference"]

    assert api.get(f"/api/v1/reports/{reference}").json()["street"] == "Fishergate"


@pytest.mark.usefixtures("county")
@pytest.mark.parametrize(
    ("lat", "lon", "whose"), [(LAT - 0.01, LON - 0.05, "Blackpool"), (LAT + 0.00809, LON, "National Highways")]
)
def test_a_place_of_another_is_kept_referred_and_told_whose_it_is(
    api: TestClient, lat: float, lon: float, whose: str
) -> None:
    answer = _send(api, location={"lat": lat, "lon": lon, "accuracy_m": 5}).json()

    assert answer["status"]["label"] == "Passed on"
    assert answer["referred_to"]["name"] == whose
    with reading() as tx:
        assert tx.scalar(select(report.c.state).where(report.c.reference == answer["reference"])) == "referred"
        assert set(tx.scalars(select(event.c.kind))) >= {"ReportReceived", "ReportReferred"}


@pytest.mark.usefixtures("county")
@pytest.mark.parametrize(
    ("more", "problem", "says"),
    [
        ({"location": {"lat": LAT, "lon": LON, "accuracy_m": 5000}}, "better-place-needed", "5.0 km"),
        ({"location": {"lat": 53.9, "lon": -4.5}}, "place-refused", "in the sea"),
        ({"location": {"lat": LON, "lon": LAT}}, "place-refused", "did you mean latitude 53.7632"),
        ({"location": {"lat": 40.4, "lon": -3.7}}, "place-refused", "outside the country"),
        ({"observed_at": "2199-01-01T00:00:00Z"}, "invalid-input", "in the future"),
        ({"category": "longitudinal_crack"}, "invalid-input", "is not a category"),
        ({"location": {"lat": 91, "lon": 0}}, "invalid-input", "location.lat"),
        ({"observed_at": "2026-01-01T00:00:00"}, "invalid-input", "observed_at"),
        ({"description": "nul \x00 byte"}, "invalid-input", "description"),
        ({"description": "x" * 4001}, "invalid-input", "description"),
        ({"contact": {"email": "nobody"}}, "invalid-input", "contact.email"),
        ({"colour": "red"}, "invalid-input", "colour"),
    ],
)
def test_what_cannot_be_acted_on_is_refused_with_what_to_do(
    api: TestClient, more: dict[str, Any], problem: str, says: str
) -> None:
    answer = _send(api, **more)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == f"/problems/{problem}"
    assert says in answer.json()["detail"]
    assert answer.json()["errors"]
    assert _count() == 0


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"category": "pothole", "location": {"lat": NaN, "lon": 1}}',
        b'{"category": "pothole", "location": {"lat": 1e999, "lon": 1}}',
        b'{"category": "pothole", "description": "\\ud800", "location": {"lat": 53.7, "lon": -2.7}}',
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b'{"category": ' + b"9" * 10_000 + b"}",
    ],
    ids=["cut", "list", "null", "bytes", "nan", "infinite", "surrogate", "deep", "long number"],
)
def test_a_body_that_is_no_report_is_a_problem_and_never_a_crash(api: TestClient, body: bytes) -> None:
    answer = api.post("/api/v1/reports", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code in (400, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_beyond_a_megabyte_is_refused(api: TestClient) -> None:
    answer = api.post(
        "/api/v1/reports", content=b'{"a": "' + b"x" * 2_000_000 + b'"}', headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == 413
    assert answer.json()["type"] == "/problems/too-large"


# --- followed --------------------------------------------------------------------------------------------------------


def test_anybody_follows_a_report_and_learns_nothing_of_its_reporter(api: TestClient) -> None:
    told = _send(
        api,
        description="In front of my house, I am Sam Lee",
        address="12 Fishergate, Preston",
        contact={"name": "Sam Lee", "email": "sam@example.org", "phone": "01772 000000"},
    ).json()

    answer = api.get(f"/api/v1/reports/{told['reference']}")

    assert answer.status_code == 200
    assert answer.json()["timeline"][0]["label"] == "Open"
    assert answer.json()["own"] is None
    assert answer.json()["words"] == "In front of my house, I am [hidden]"
    for personal in ("Sam", "sam@", "01772", "12 Fishergate", told["tracking"]["secret"]):
        assert personal not in answer.text


def test_the_reporter_sees_what_was_said_and_no_more(api: TestClient) -> None:
    told = _send(api, description="By the kerb", contact={"email": "sam@example.org"}).json()
    own = {"Authorization": f"Bearer {told['tracking']['secret']}"}

    answer = api.get(f"/api/v1/reports/{told['reference']}", headers=own)

    assert answer.json()["own"]["description"] == "By the kerb"
    assert answer.json()["staff"] is None
    assert "sam@example.org" not in answer.text


def test_the_link_opens_its_own_report_only(api: TestClient) -> None:
    mine, another = _send(api, description="mine").json(), _send(api, description="another").json()

    seen = api.get(f"/api/v1/reports/{another['reference']}", params={"token": mine["tracking"]["secret"]})
    wrong = api.get(f"/api/v1/reports/{another['reference']}", params={"token": "made up"})

    assert seen.json()["own"] is None
    assert wrong.status_code == 401


def test_staff_see_who_it_was_and_every_event(api: TestClient, a_key: MakeKey) -> None:
    told = _send(api, contact={"email": "sam@example.org"}).json()

    answer = api.get(f"/api/v1/reports/{told['reference']}", headers=a_key(Role.OPERATOR).headers).json()

    assert answer["staff"]["has_contact"] is True
    assert [one["kind"] for one in answer["staff"]["events"]] == ["ReportReceived"]


def test_how_a_reporter_is_reached_is_told_on_demand_and_on_record(api: TestClient, a_key: MakeKey) -> None:
    told = _send(api, contact={"email": "sam@example.org"}).json()
    path, staff = f"/api/v1/reports/{told['reference']}", a_key(Role.OPERATOR).headers
    seen = api.get(path, headers=staff)

    reached = api.post(f"{path}/contact", headers=staff)

    assert "sam@example.org" not in seen.text
    assert reached.json() == {"name": None, "email": "sam@example.org", "phone": None}
    looked = api.get(path, headers=staff).json()["staff"]["events"][-1]
    assert (looked["kind"], looked["by"].startswith("key:")) == ("ContactShown", True)
    assert "sam@example.org" not in str(looked)
    assert api.post(f"{path}/contact").status_code == 401


def test_a_report_leads_to_its_defect_once_it_is_matched(api: TestClient) -> None:
    reference = _send(api).json()["reference"]
    with transaction("worker:triage") as tx:
        hear(tx, Consumer.TRIAGE, report_to_defect.run, datetime.now(UTC))

    told = api.get(f"/api/v1/reports/{reference}").json()

    assert told["status"]["label"] == "Investigating"
    assert [moment["label"] for moment in told["timeline"]] == ["Open", "Date promised", "Investigating"]
    assert told["timeline"][1]["kept"]
    assert api.get(f"/api/v1/defects/{told['defects'][0]}").json()["reports"] == 1


@pytest.mark.parametrize("written", ["{}", "r {}", "{}  "])
def test_a_reference_is_read_as_people_type_it(api: TestClient, written: str) -> None:
    reference = _send(api).json()["reference"]
    typed = written.format(reference[2:] if "r" in written else reference).lower()

    assert api.get(f"/api/v1/reports/{typed}").json()["reference"] == reference


def test_an_unknown_reference_is_not_found(api: TestClient) -> None:
    answer = api.get("/api/v1/reports/R-0000-0000")

    assert answer.status_code == 404
    assert answer.json()["type"] == "/problems/not-found"


# --- listed ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sort", ["newest", "due"])
def test_the_list_is_paged_without_gap_or_repeat(api: TestClient, a_key: MakeKey, sort: str) -> None:
    sent = [_send(api, danger=bool(n % 2)).json()["reference"] for n in range(7)]
    operator, seen, after = a_key(Role.OPERATOR), [], None
    while True:
        query = {"limit": 3, "sort": sort, **({"after": after} if after else {})}
        page = api.get("/api/v1/reports", params=query, headers=operator.headers).json()
        seen += [one["reference"] for one in page["reports"]]
        after = page["next"]
        if after is None:
            break

    assert sorted(seen) == sorted(sent)
    if sort == "newest":
        assert seen == sent[::-1]
    else:
        assert set(seen[:3]) == set(sent[1::2])


def test_a_report_that_is_read_between_two_pages_takes_none_with_it(api: TestClient, a_key: MakeKey) -> None:
    sent = {_send(api).json()["reference"] for _ in range(5)}
    query, staff = {"sort": "due", "limit": 2}, a_key(Role.OPERATOR).headers
    first = api.get("/api/v1/reports", params=query, headers=staff).json()
    last = first["reports"][-1]["reference"]
    with transaction("test") as tx:
        later = datetime.now(UTC) + timedelta(days=30)
        tx.execute(update(report).where(report.c.reference == last).values(state="linked", triage_due_at=later))

    rest = api.get("/api/v1/reports", params={**query, "limit": 9, "after": first["next"]}, headers=staff).json()

    assert {one["reference"] for one in first["reports"] + rest["reports"]} == sent


@pytest.mark.parametrize("sort", ["newest", "due"])
@pytest.mark.parametrize("after", ["R-0000-0000", "2026-11-02T09:00:00+00:00~R-0000-0000"])
def test_a_place_in_the_list_that_no_answer_gave_is_refused(
    api: TestClient, a_key: MakeKey, sort: str, after: str
) -> None:
    query = {"sort": sort, "after": after}

    answer = api.get("/api/v1/reports", params=query, headers=a_key(Role.OPERATOR).headers)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "after")


def test_the_list_is_filtered(api: TestClient, a_key: MakeKey) -> None:
    _send(api)
    dangerous = _send(api, danger=True).json()["reference"]
    operator = a_key(Role.OPERATOR)

    def listed(**query: Any) -> list[str]:
        answer = api.get("/api/v1/reports", params=query, headers=operator.headers)
        return [one["reference"] for one in answer.json()["reports"]]

    assert listed(danger=True) == [dangerous]
    assert listed(state="referred") == []
    assert listed(overdue=True) == []
    assert len(listed(category="pothole", state=["received", "triage"])) == 2


def test_the_public_is_offered_only_what_it_may_report(api: TestClient, a_key: MakeKey) -> None:
    for_all = {one["code"] for one in api.get("/api/v1/categories").json()}
    for_staff = {one["code"] for one in api.get("/api/v1/categories", headers=a_key(Role.OPERATOR).headers).json()}

    assert "pothole" in for_all
    assert "longitudinal_crack" in for_staff - for_all
