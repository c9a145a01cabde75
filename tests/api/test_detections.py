"""Detections over HTTP: kept once, refused one by one, followed by batch; and places by name."""

import gzip
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
import shapely
from fastapi.testclient import TestClient
from sqlalchemy import func, insert, select

from services.api import detection_input
from services.api.detection_input import Kept
from shared.domain.terms import Role
from shared.errors import NotFound
from shared.flows import load_network, receive_detections
from shared.settings import settings
from shared.store.engine import reading, transaction
from shared.store.loads import AreaRow, PostcodeRow, StreetRow
from shared.store.tables import delivery, detection, detection_key, source
from tests.api.conftest import Key, MakeKey

NDJSON = {"Content-Type": "application/x-ndjson"}
GRID = settings().grid_epsg


@pytest.fixture
def vendor(a_key: MakeKey) -> Key:
    """The key of a survey fleet."""
    return a_fleet(a_key, "van-fleet")


def a_fleet(a_key: MakeKey, code: str) -> Key:
    with transaction("test") as tx:
        tx.execute(insert(source).values(code=code, name=code))
    return a_key(Role.VENDOR, "detections:write", source=code)


def a_detection(external_id: str, **changed: Any) -> dict[str, Any]:
    plain = {
        "external_id": external_id,
        "captured_at": "2026-05-01T09:30:00Z",
        "class_scheme": "rdd2022",
        "class_code": "D40",
        "confidence": 0.9,
        "lat": 53.7632,
        "lon": -2.7031,
        "h_accuracy_m": 1.5,
    }
    return {**plain, **changed}


def lines(*items: Any) -> bytes:
    return b"\n".join(item if isinstance(item, bytes) else json.dumps(item).encode() for item in items)


def send(api: TestClient, key: Key, body: bytes, **headers: str) -> Any:
    return api.post("/api/v1/detections", content=body, headers={**key.headers, **NDJSON, **headers})


def kept() -> int:
    with reading() as tx:
        return int(tx.scalar(select(func.count()).select_from(detection)))


def test_good_ones_are_kept_bad_ones_are_refused_by_position_and_field(api: TestClient, vendor: Key) -> None:
    body = lines(a_detection("a"), b"{oops", a_detection("b", confidence=3), a_detection("c"))

    told = send(api, vendor, body)

    assert told.status_code == 202
    answer = told.json()
    assert (answer["accepted"], answer["repeated"], answer["refused"]) == (2, 0, 2)
    assert [(one["position"], one["field"]) for one in answer["refused_items"]] == [(1, ""), (2, "confidence")]
    assert kept() == 2


def test_the_same_detections_again_change_nothing_and_are_counted(api: TestClient, vendor: Key) -> None:
    send(api, vendor, lines(a_detection("a"), a_detection("b")))

    again = send(api, vendor, lines(a_detection("b"), a_detection("c"), a_detection("c", confidence=0.1)))

    assert (again.json()["accepted"], again.json()["repeated"]) == (1, 2)
    assert kept() == 3


def test_another_fleet_may_use_the_same_ids(api: TestClient, vendor: Key, a_key: MakeKey) -> None:
    other = a_fleet(a_key, "other-fleet")
    send(api, vendor, lines(a_detection("a")))

    told = send(api, other, lines(a_detection("a")))

    assert told.json()["accepted"] == 1


def test_requests_with_the_same_detections_at_once_keep_each_once(api: TestClient, vendor: Key) -> None:
    bodies = [lines(*(a_detection(f"d{n}") for n in order)) for order in (range(200), range(199, -1, -1)) * 4]

    with ThreadPoolExecutor(8) as together:
        told = list(together.map(lambda body: send(api, vendor, body).json(), bodies))

    assert sum(one["accepted"] for one in told) == 200
    assert sum(one["repeated"] for one in told) == 7 * 200
    assert kept() == 200
    with reading() as tx:
        assert tx.scalar(select(func.count()).select_from(detection_key)) == 200


def test_a_place_that_is_not_ours_has_its_own_answer(api: TestClient, vendor: Key) -> None:
    with transaction("test") as tx:
        ours, theirs = shapely.box(350_000, 425_000, 360_000, 435_000), shapely.box(330_000, 430_000, 335_000, 440_000)
        areas = [("E10000017", "Lancashire", True, ours), ("E06000009", "Blackpool", False, theirs)]
        rows = [
            AreaRow(at, code, name, "authority", served, None, None, shapely.to_wkb(shape))
            for at, (code, name, served, shape) in enumerate(areas)
        ]
        load_network.areas(tx, rows, GRID)
    body = lines(
        a_detection("good"),
        a_detection("blackpool", lat=53.8175, lon=-3.04),
        a_detection("sea", lat=53.8, lon=-3.5),
        a_detection("swapped", lat=-2.7031, lon=53.7632),
        a_detection("nowhere", lat=0, lon=0),
        a_detection("vague", h_accuracy_m=5000),
        a_detection("tomorrow", captured_at="2126-05-01T09:30:00Z"),
    )

    answer = send(api, vendor, body).json()

    said = {one["position"]: one["reason"] for one in answer["refused_items"]}
    assert answer["accepted"] == 1
    assert "Blackpool" in said[1]
    assert "in the sea" in said[2]
    assert "did you mean latitude 53.7632, longitude -2.7031" in said[3]
    assert "outside the country" in said[4]
    assert "5.0 km" in said[5]
    assert "future" in said[6]


def test_a_detection_keeps_the_street_and_side_that_it_lies_on(api: TestClient, vendor: Key) -> None:
    with transaction("test") as tx:
        line = shapely.to_wkb(shapely.LineString([(-2.71, 53.76322), (-2.69, 53.76322)]))
        row = StreetRow(1, "s1", 40200123, "Fishergate", "", "3a", "council", 1, False, line)
        load_network.streets(tx, [row], 4326)

    send(api, vendor, lines(a_detection("a", h_accuracy_m=0.5)))

    with reading() as tx:
        found = tx.execute(select(detection.c.street_key, detection.c.street_side, detection.c.level)).one()
    assert tuple(found) == ("40200123", "right", 1)


@pytest.mark.parametrize("kind", ["array", "collection", "gzip"])
def test_every_shape_is_taken(api: TestClient, vendor: Key, kind: str) -> None:
    flat = a_detection("a")
    lat, lon = flat.pop("lat"), flat.pop("lon")
    feature = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [lon, lat]}, "properties": flat}
    bodies: dict[str, tuple[bytes, dict[str, str]]] = {
        "array": (json.dumps([a_detection("a")]).encode(), {"Content-Type": "application/json"}),
        "collection": (
            json.dumps({"type": "FeatureCollection", "features": [feature]}).encode(),
            {"Content-Type": "application/geo+json"},
        ),
        "gzip": (gzip.compress(lines(a_detection("a"))), {"Content-Encoding": "gzip"}),
    }
    body, headers = bodies[kind]

    assert send(api, vendor, body, **headers).json()["accepted"] == 1


def test_a_batch_is_followed_and_its_refused_ones_are_paged(api: TestClient, vendor: Key) -> None:
    told = send(api, vendor, lines(a_detection("a"), *(a_detection(f"b{n}", confidence=2) for n in range(5))))

    first = api.get(told.headers["Location"], params={"limit": 3}, headers=vendor.headers).json()
    rest = api.get(told.headers["Location"], params={"limit": 3, "after": first["next"]}, headers=vendor.headers).json()

    assert (first["state"], first["accepted"], first["refused"]) == ("waiting", 1, 5)
    assert first["verdicts"] == {"received": 1}
    assert [one["position"] for one in first["refused_items"] + rest["refused_items"]] == [1, 2, 3, 4, 5]
    assert rest["next"] is None


def test_a_fleet_never_sees_anothers_batch_and_an_operator_sees_all(
    api: TestClient, vendor: Key, a_key: MakeKey
) -> None:
    batch = send(api, vendor, lines(a_detection("a"))).headers["Location"]
    other = a_fleet(a_key, "other-fleet")

    assert api.get(batch, headers=other.headers).status_code == 404
    assert api.get(batch, headers=a_key(Role.OPERATOR).headers).status_code == 200
    assert api.get("/api/v1/detections/batches/B-0000-0000", headers=vendor.headers).status_code == 404


def test_each_batch_is_told_to_the_matching_once(api: TestClient, vendor: Key) -> None:
    send(api, vendor, lines(a_detection("a"), a_detection("b")))

    with reading() as tx:
        told = list(tx.scalars(select(delivery.c.consumer).where(delivery.c.kind == "DetectionsReceived")))
    assert sorted(told) == ["detections", "feed"]


def test_too_many_are_refused_whole_and_nothing_is_kept(api: TestClient, vendor: Key) -> None:
    told = send(api, vendor, b"{}\n" * (receive_detections.MOST + 1))

    assert told.status_code == 413
    assert told.json()["type"] == "/problems/too-large"


def test_a_body_beyond_its_bound_is_refused_while_it_comes(
    api: TestClient, vendor: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.api.routes.detections.MOST_BYTES", 1000)

    assert send(api, vendor, b"x" * 2000).status_code == 413


def test_only_a_vendors_key_with_the_scope_may_send(api: TestClient, a_key: MakeKey) -> None:
    body = lines(a_detection("a"))

    assert api.post("/api/v1/detections", content=body, headers=NDJSON).status_code == 401
    assert send(api, a_key(Role.OPERATOR), body).status_code == 403
    assert kept() == 0


def test_a_source_that_is_not_there_is_said(api: TestClient) -> None:
    item = detection_input.read(lines(a_detection("a")), "application/x-ndjson", "", 10).items[0]
    assert isinstance(item, Kept)

    with transaction("test") as tx, pytest.raises(NotFound, match="no source of detections"):
        receive_detections.receive(tx, 999, [item], datetime.now(UTC))


# --- places ----------------------------------------------------------------------------------------------------------


def test_streets_and_postcodes_are_found_by_name(api: TestClient) -> None:
    with transaction("test") as tx:
        line = shapely.to_wkb(shapely.LineString([(353_000, 429_000), (353_500, 429_000)]))
        load_network.streets(tx, [StreetRow(1, "s1", 1, "Fishergate", "", "3a", "council", 0, False, line)], GRID)
        load_network.postcodes(tx, [PostcodeRow(1, "PR12NL", 10, 353_000, 429_000)], GRID)

    find: Callable[[str], Any] = lambda q: api.get("/api/v1/places", params={"q": q}).json()["places"]  # noqa: E731

    assert [(one["kind"], one["name"]) for one in find("fish")] == [("street", "Fishergate")]
    assert [(one["kind"], one["name"]) for one in find("pr12nl")] == [("postcode", "PR1 2NL")]
    assert find("zz") == []
