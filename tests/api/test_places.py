"""Places over HTTP: found by name, and a spot named as a report from there would be judged."""

from datetime import UTC, datetime

import pytest
import shapely
from fastapi.testclient import TestClient

from shared.flows import load_network
from shared.settings import settings
from shared.store.engine import transaction
from shared.store.loads import AreaRow, PostcodeRow, StreetRow
from tests.factories import PLACE

E, N = 353_000.0, 430_000.0


@pytest.fixture(autouse=True)
def _town(api: TestClient) -> None:
    """A street of ours, a trunk road, a district of the county and a neighbour, a postcode."""
    assert api
    streets = [
        StreetRow(line, name, None, name, "", "4b", maintainer, 0, False,
                  shapely.to_wkb(shapely.LineString([(E - 200, N + y), (E + 200, N + y)])))
        for line, (name, maintainer, y) in enumerate([("Fishergate", "council", -5), ("M6", "trunk", 400)])
    ]  # fmt: skip
    areas = [
        AreaRow(
            line, code, name, kind, served, contact, None, shapely.to_wkb(shapely.box(E + a, N - 900, E + b, N + 900))
        )
        for line, (code, name, kind, served, contact, a, b) in enumerate(
            [
                ("c", "Countyshire", "authority", True, None, -900, 900),
                ("p", "Preston", "district", False, None, -900, 900),
                ("n", "Nextborough", "authority", False, "roads@next.example", 900, 1800),
            ]
        )
    ]
    grid = settings().grid_epsg
    with transaction("test") as tx:
        load_network.streets(tx, streets, grid)
        load_network.areas(tx, areas, grid)
        load_network.postcodes(tx, [PostcodeRow(1, "PR12NL", 10, E, N)], grid)
        load_network.finish(tx, load_network.Stretch("streets", "town", 2, 0), datetime.now(UTC))


def test_a_street_is_found_with_where_it_is(api: TestClient) -> None:
    (found,) = api.get("/api/v1/places", params={"q": "fisher"}).json()["places"]

    assert (found["kind"], found["label"]) == ("street", "Fishergate, Preston")
    west, south, east, north = found["box"]
    assert west < found["lon"] < east
    assert south <= found["lat"] <= north


def test_a_mistyped_name_is_answered_with_what_may_be_meant(api: TestClient) -> None:
    answer = api.get("/api/v1/places", params={"q": "fishergte"}).json()

    assert answer["places"] == []
    assert [one["name"] for one in answer["did_you_mean"]] == ["Fishergate"]


def test_a_spot_is_named_and_ours(api: TestClient) -> None:
    spot = api.get("/api/v1/places/at", params={"lat": PLACE[0], "lon": PLACE[1]}).json()

    assert spot["words"] == "Fishergate, north side"
    assert (spot["ours"], spot["why"], spot["whose"]) == (True, None, None)


def _near(x: float, y: float) -> dict[str, float]:
    """So many metres east and north of the place, closely enough."""
    return {"lat": PLACE[0] + y / 111_300, "lon": PLACE[1] + x / 65_700}


def test_another_authoritys_spot_says_whose_and_how_to_reach_them(api: TestClient) -> None:
    neighbour = api.get("/api/v1/places/at", params=_near(1200, 0)).json()
    trunk = api.get("/api/v1/places/at", params=_near(0, 395)).json()
    sea = api.get("/api/v1/places/at", params=_near(-3000, 0)).json()

    assert (neighbour["ours"], neighbour["whose"], neighbour["contact"]) == (False, "Nextborough", "roads@next.example")
    assert (trunk["ours"], trunk["whose"]) == (False, "National Highways")
    assert (sea["ours"], sea["whose"]) == (False, None)
    assert "sea" in sea["why"]


@pytest.mark.parametrize("query", ["q=a", "q=fish&limit=0", "q=fish%00", "q=" + "x" * 101])
def test_what_cannot_be_looked_for_is_a_problem(api: TestClient, query: str) -> None:
    assert api.get(f"/api/v1/places?{query}").status_code == 422


@pytest.mark.parametrize("query", ["lat=91&lon=0", "lat=53", "lat=nan&lon=0", "lat=53&lon=-2&accuracy_m=-1"])
def test_what_is_no_position_is_a_problem(api: TestClient, query: str) -> None:
    assert api.get(f"/api/v1/places/at?{query}").status_code == 422
