"""The street network as vector tiles: read with a decoder as a map would."""

import gzip
from datetime import UTC, datetime
from math import asinh, floor, pi, radians, tan
from typing import Any

import mapbox_vector_tile
import pytest
import shapely
from fastapi.testclient import TestClient

from services.api.tile_cache import TileCache
from shared.flows import load_network
from shared.settings import settings
from shared.store.engine import transaction
from shared.store.loads import AreaRow, StreetRow
from tests.factories import PLACE

E, N = 353_000.0, 430_000.0
GRID = settings().grid_epsg
NOW = datetime.now(UTC)


def _street(name: str, hierarchy: str, y: float, x: float = -300.0, maintainer: str = "council") -> StreetRow:
    """600 m from west to east, so far from the place."""
    line = shapely.LineString([(E + x, N + y), (E + x + 600, N + y)])
    return StreetRow(1, f"{name} {x}", None, name, "", hierarchy, maintainer, 0, False, shapely.to_wkb(line))


def _load(*streets: StreetRow) -> None:
    with transaction("test") as tx:
        load_network.streets(tx, streets, GRID)
        load_network.finish(tx, load_network.Stretch("streets", streets[0].name, len(streets), 0), NOW)


@pytest.fixture(autouse=True)
def _county(api: TestClient) -> None:
    """A street of each hierarchy, a trunk road; a county of one district and a ward, beside a neighbour."""
    assert api
    areas = [
        AreaRow(
            line, code, name, kind, served, None, None, shapely.to_wkb(shapely.box(E + a, N - 5000, E + b, N + 5000))
        )
        for line, (code, name, kind, served, a, b) in enumerate(
            [
                ("c", "Countyshire", "authority", True, -5000, 5000),
                ("d", "Preston", "district", False, -5000, 5000),
                ("w", "Ashton Ward", "ward", False, -100, 100),
                ("n", "Nextborough", "authority", False, 5000, 9000),
            ]
        )
    ]
    with transaction("test") as tx:
        load_network.areas(tx, areas, GRID)
    _load(
        _street("Great North Road", "2", 0),
        _street("Fishergate", "3a", 50),
        _street("Bow Lane", "3b", 100),
        _street("Lune Street", "4a", 150),
        _street("Mews", "4b", 200),
        _street("M6", "2", 300, maintainer="trunk"),
    )


def _at(zoom: int) -> str:
    """The tile in which the place lies."""
    side = 2**zoom
    x, y = floor((PLACE[1] + 180) / 360 * side), floor((1 - asinh(tan(radians(PLACE[0]))) / pi) / 2 * side)
    return f"/api/v1/streets/tiles/{zoom}/{x}/{y}.mvt"


def _layers(api: TestClient, zoom: int) -> dict[str, list[dict[str, Any]]]:
    answer = api.get(_at(zoom))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    return {name: layer["features"] for name, layer in mapbox_vector_tile.decode(answer.content).items()}


def _kinds(api: TestClient, zoom: int) -> set[str]:
    return {one["properties"]["kind"] for one in _layers(api, zoom)["streets"]}


def test_the_nearer_the_lesser_are_the_streets_that_are_drawn(api: TestClient) -> None:
    assert _kinds(api, 7) == _kinds(api, 8) == {"2", "3a"}
    assert _kinds(api, 10) == {"2", "3a", "3b"}
    assert _kinds(api, 12) == {"2", "3a", "3b", "4a"}
    assert _kinds(api, 13) == _kinds(api, 14) == {"2", "3a", "3b", "4a", "4b"}


def test_streets_have_their_names_from_near_and_say_whose_they_are_if_not_ours(api: TestClient) -> None:
    near = {one["properties"].get("name"): one["properties"] for one in _layers(api, 14)["streets"]}
    afar = [one["properties"] for one in _layers(api, 8)["streets"]]

    assert set(near) == {"Great North Road", "Fishergate", "Bow Lane", "Lune Street", "Mews", "M6"}
    assert (near["M6"]["whose"], "whose" in near["Mews"]) == ("trunk", False)
    assert all("name" not in one for one in afar)


def test_pieces_of_a_street_are_one_line_over_the_junctions(api: TestClient) -> None:
    _load(_street("Long Lane", "4b", 400, x=-600.0), _street("Long Lane", "4b", 400, x=0.0))

    (drawn,) = (one for one in _layers(api, 14)["streets"] if one["properties"].get("name") == "Long Lane")

    assert drawn["geometry"]["type"] == "LineString"


def test_our_land_its_borders_and_the_names_within_are_drawn(api: TestClient) -> None:
    afar, near = _layers(api, 9), _layers(api, 14)

    assert {one["properties"]["kind"] for one in afar["edges"]} == {"authority", "district"}
    assert len(afar["land"]) == 1
    assert [one["properties"]["name"] for one in afar["names"]] == ["Preston"]
    assert [one["properties"]["name"] for one in near["names"]] == ["Ashton"]


def test_where_the_tiles_are_is_told_with_their_version_and_bounds(api: TestClient) -> None:
    told = api.get("/api/v1/streets/tiles").json()

    west, south, east, north = told["bounds"]
    assert told["tiles"] == [f"/api/v1/streets/tiles/{{z}}/{{x}}/{{y}}.mvt?v={told['version']}"]
    assert west < PLACE[1] < east
    assert south < PLACE[0] < north
    assert (east - west) * 65_700 == pytest.approx(10_000, rel=0.05)


def test_a_tile_of_a_version_is_kept_for_ever_and_one_without_for_a_while(api: TestClient) -> None:
    version = api.get("/api/v1/streets/tiles").json()["version"]

    lasting, passing, older = (api.get(_at(13), params=query) for query in ({"v": version}, {}, {"v": "older"}))

    assert "immutable" in lasting.headers["cache-control"]
    assert passing.headers["cache-control"] == older.headers["cache-control"] == "public, max-age=300"
    assert lasting.content == passing.content == older.content


def test_what_is_loaded_later_is_in_the_next_version(api: TestClient) -> None:
    before = api.get("/api/v1/streets/tiles").json()["version"]
    first = api.get(_at(14), params={"v": before})

    _load(_street("New Road", "4b", 450))

    after = api.get("/api/v1/streets/tiles").json()["version"]
    assert after != before
    assert api.get(_at(14), params={"v": before}).content == first.content
    names = {one["properties"].get("name") for one in _layers(api, 14)["streets"]}
    assert "New Road" in names


def test_a_tile_that_has_not_changed_is_not_sent_again(api: TestClient) -> None:
    first = api.get(_at(13))

    again = api.get(_at(13), headers={"If-None-Match": f"W/{first.headers['etag']}"})

    assert (again.status_code, again.content) == (304, b"")


def test_a_tile_is_packed_for_those_who_can_unpack_it(api: TestClient) -> None:
    packed = api.get(_at(13), headers={"Accept-Encoding": "gzip"})
    plain = api.get(_at(13), headers={"Accept-Encoding": "identity"})

    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"])
    assert packed.content == plain.content
    assert packed.headers["vary"] == "Accept-Encoding"


def test_where_nothing_is_the_tile_is_empty(api: TestClient) -> None:
    answer = api.get("/api/v1/streets/tiles/14/0/0.mvt")

    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize(("square", "status"), [("3/8/0", 404), ("15/0/0", 422), ("-1/0/0", 422), ("a/b/c", 422)])
def test_a_tile_that_cannot_be_is_a_problem(api: TestClient, square: str, status: int) -> None:
    assert api.get(f"/api/v1/streets/tiles/{square}.mvt").status_code == status


def test_the_least_used_tiles_go_when_there_is_no_room() -> None:
    cache = TileCache(room=100)
    sent = cache.put(("v", 1, 0, 0), b"first" * 5)
    cache.put(("v", 1, 0, 1), b"second" * 5)
    assert cache.get(("v", 1, 0, 0)) == sent

    for row in range(2, 4):
        cache.put(("v", 1, 0, row), b"another" * 5)

    assert cache.get(("v", 1, 0, 1)) is None
    assert gzip.decompress(sent.body) == b"first" * 5
