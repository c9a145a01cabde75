"""Defects as vector tiles: read with a decoder as a map would, from afar and from near, by the public and by staff."""

from datetime import UTC, datetime, timedelta
from math import asinh, floor, pi, radians, tan
from typing import Any

import mapbox_vector_tile
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from shared.domain.terms import Role
from shared.store.engine import transaction
from shared.store.tables import defect
from tests.api.conftest import MakeKey
from tests.factories import PLACE, a_defect

NOW = datetime.now(UTC)
OF_STAFF = {"state", "band", "due_at", "overdue", "danger", "area"}


def _made(**facts: Any) -> str:
    with transaction("test") as tx:
        defect_id = a_defect(tx, **facts)
        return str(tx.scalar(select(defect.c.reference).where(defect.c.id == defect_id)))


def _at(zoom: int, lat: float = PLACE[0], lon: float = PLACE[1]) -> tuple[int, int]:
    """The tile of a zoom in which a place lies."""
    side = 2**zoom
    return floor((lon + 180) / 360 * side), floor((1 - asinh(tan(radians(lat))) / pi) / 2 * side)


def _address(zoom: int) -> str:
    x, y = _at(zoom)
    return f"/api/v1/defects/tiles/{zoom}/{x}/{y}.mvt"


def _read(body: bytes) -> list[dict[str, Any]]:
    """The features of the layer, with their places in units from the north-west."""
    layers = mapbox_vector_tile.decode(body, default_options={"y_coord_down": True})
    assert set(layers) <= {"defects"}
    return [*layers["defects"]["features"]] if layers else []


def _drawn(api: TestClient, zoom: int, headers: dict[str, str] | None = None, **query: Any) -> list[dict[str, Any]]:
    answer = api.get(_address(zoom), params=query, headers=headers)
    assert answer.status_code == 200, answer.text
    return _read(answer.content)


def _names(api: TestClient, headers: dict[str, str] | None = None, **query: Any) -> set[str]:
    return {one["properties"]["reference"] for one in _drawn(api, 14, headers, **query)}


def test_a_defect_stands_in_its_tile_where_it_is(api: TestClient) -> None:
    reference = _made()
    lon, lat = api.get("/api/v1/defects").json()["features"][0]["geometry"]["coordinates"]

    answer = api.get(_address(14))

    (feature,) = _read(answer.content)
    x, y = feature["geometry"]["coordinates"]
    column, row = _at(14 + 12, lat, lon)
    assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    assert feature["properties"]["reference"] == reference
    assert (x, y) == pytest.approx((column % 4096, row % 4096), abs=1)


def test_a_tile_without_defects_is_empty(api: TestClient) -> None:
    _made()

    answer = api.get("/api/v1/defects/tiles/14/0/0.mvt")

    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("zoom", [7, 13, 14])
def test_the_public_sees_plain_words_and_staff_state_band_and_clock(api: TestClient, a_key: MakeKey, zoom: int) -> None:
    _made(band="P2", danger=True, permanent_due_at=NOW)

    (public,) = _drawn(api, zoom)
    (staff,) = _drawn(api, zoom, a_key(Role.OPERATOR).headers)

    assert set(public["properties"]) == {"count", "reference", "class", "status", "label", "open", "reports"}
    assert public["properties"]["label"] == "Investigating"
    assert set(staff["properties"]) == set(public["properties"]) | OF_STAFF
    assert staff["properties"]["due_at"] == int(NOW.timestamp())
    assert (staff["properties"]["band"], staff["properties"]["danger"]) == ("P2", 1)


def test_a_contractor_sees_what_the_public_sees(api: TestClient, a_key: MakeKey) -> None:
    _made()

    (drawn,) = _drawn(api, 13, a_key(Role.CONTRACTOR, contractor="alder").headers)

    assert OF_STAFF.isdisjoint(drawn["properties"])


def test_from_afar_squares_are_counted_and_one_that_stands_alone_is_named(api: TestClient, a_key: MakeKey) -> None:
    for step in range(5):
        _made(easting=353_000.0 + step, overdue=step < 2)
    alone = _made(northing=437_000.0)

    features = [one["properties"] for one in _drawn(api, 9, a_key(Role.OPERATOR).headers)]

    assert sorted(one["count"] for one in features) == [1, 5]
    (square,) = (one for one in features if one["count"] == 5)
    (single,) = (one for one in features if one["count"] == 1)
    assert (square["overdue"], "reference" in square) == (2, False)
    assert single["reference"] == alone


def test_a_crowd_is_a_handful_of_features_from_afar_and_each_is_counted_once(api: TestClient) -> None:
    with transaction("test") as tx:
        for step in range(300):
            a_defect(tx, easting=350_000.0 + step * 37 % 4_000, northing=428_000.0 + step * 61 % 4_000)

    for zoom in (0, 5, 8, 11, 13):
        features = _drawn(api, zoom)
        assert len(features) <= 256
        if zoom < 9:
            assert sum(one["properties"]["count"] for one in features) == 300


def test_the_four_tiles_below_hold_what_their_parent_holds(api: TestClient) -> None:
    with transaction("test") as tx:
        for step in range(200):
            a_defect(tx, easting=350_000.0 + step * 37 % 6_000, northing=427_000.0 + step * 61 % 6_000)
    x, y = _at(11)

    def count(zoom: int, column: int, row: int) -> int:
        body = api.get(f"/api/v1/defects/tiles/{zoom}/{column}/{row}.mvt").content
        return sum(one["properties"]["count"] for one in _read(body))

    children = [count(12, 2 * x + right, 2 * y + down) for right in (0, 1) for down in (0, 1)]
    assert sum(children) == count(11, x, y) > 0
    assert len([one for one in children if one]) > 1


def test_a_map_is_of_what_is_still_to_be_done_unless_it_is_told_which(api: TestClient, a_key: MakeKey) -> None:
    waits, fixed = _made(), _made(state="closed", easting=353_100.0)
    _made(state="no_defect", easting=353_200.0)
    staff = a_key(Role.OPERATOR).headers

    assert _names(api) == _names(api, staff) == {waits}
    assert _names(api, open=False) == _names(api, status="fixed") == {fixed}
    assert _names(api, staff, state=["closed", "confirmed"]) == {waits, fixed}


def test_what_has_ended_is_not_drawn_from_afar(api: TestClient, a_key: MakeKey) -> None:
    for headers, query in (({}, {"open": False}), (a_key(Role.OPERATOR).headers, {"state": ["confirmed", "closed"]})):
        assert api.get(_address(11), params=query, headers=headers).status_code == 422
        assert api.get(_address(12), params=query, headers=headers).status_code == 200


def test_filters_are_those_of_the_list(api: TestClient, a_key: MakeKey) -> None:
    urgent = _made(band="E", overdue=True, area_code="E07000121")
    _made(class_code="edge_damage", easting=353_100.0)
    staff = a_key(Role.OPERATOR).headers

    assert _names(api, **{"class": "pothole"}) == _names(api, area="E07000121") == {urgent}
    assert _names(api, staff, band="E") == _names(api, staff, overdue=True) == {urgent}


@pytest.mark.parametrize("query", [{"state": "confirmed"}, {"band": "E"}, {"overdue": True}])
def test_what_is_for_staff_is_no_filter_of_the_public(api: TestClient, query: dict[str, Any]) -> None:
    assert api.get(_address(10), params=query).status_code == 403


@pytest.mark.parametrize(
    ("square", "status"),
    [("3/8/0", 404), ("3/0/8", 404), ("23/0/0", 422), ("-1/0/0", 422), ("5/-1/0", 422), ("a/b/c", 422)],
)
def test_a_tile_that_cannot_be_is_a_problem(api: TestClient, square: str, status: int) -> None:
    answer = api.get(f"/api/v1/defects/tiles/{square}.mvt")

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_tile_that_has_not_changed_is_not_sent_again(api: TestClient) -> None:
    reference = _made()
    first = api.get(_address(13))
    known = {"If-None-Match": f"W/{first.headers['etag']}"}

    again = api.get(_address(13), headers=known)
    with transaction("test") as tx:
        tx.execute(update(defect).where(defect.c.reference == reference).values(reports=7))
    changed = api.get(_address(13), headers=known)

    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert _read(changed.content)[0]["properties"]["reports"] == 7


def test_a_tile_of_staff_is_kept_by_nobody_on_the_way(api: TestClient, a_key: MakeKey) -> None:
    public, staff = (api.get(_address(13), headers=who) for who in ({}, a_key(Role.OPERATOR).headers))

    assert public.headers["cache-control"] == "public, max-age=60"
    assert staff.headers["cache-control"] == "private, max-age=10"
    assert "Authorization" in public.headers["vary"]


def test_a_square_of_staff_says_when_the_next_clock_ends(api: TestClient, a_key: MakeKey) -> None:
    soon, later = NOW + timedelta(hours=1), NOW + timedelta(days=3)
    _made(make_safe_due_at=soon, permanent_due_at=later, easting=353_000.0)
    _made(make_safe_due_at=soon, made_safe_at=NOW, permanent_due_at=later, easting=353_100.0)

    due = [one["properties"]["due_at"] for one in _drawn(api, 14, a_key(Role.OPERATOR).headers)]

    assert sorted(due) == [int(soon.timestamp()), int(later.timestamp())]
