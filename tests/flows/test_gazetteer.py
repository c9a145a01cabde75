"""The gazetteer on PostGIS: what is called so, what is spelt alike, and what a spot is called."""

from datetime import UTC, datetime

import pytest
import shapely

from shared.flows import load_network
from shared.settings import settings
from shared.store import gazetteer, network
from shared.store.engine import WriteTx
from shared.store.loads import AreaRow, PostcodeRow, StreetRow
from tests.flows.test_network import RULES, E, N, point_at

GRID = settings().grid_epsg
STREETS = {
    "Fishergate": [(-200, 0), (200, 0)],
    "Fishergate Hill": [(-400, 0), (-201, 0)],
    "Lune Street": [(0, 1), (0, 300)],
    "Old Fishergate": [(-200, 500), (200, 500)],
    "A59": [(-900, -300), (900, -300)],
    "Great Avenham Road": [(-900, -500), (900, -500)],
}
POSTCODES = {"PR12NL": (0, 20), "PR12NM": (50, 20), "PR18XJ": (-300, 20), "PR110AA": (900, 900)}


@pytest.fixture(autouse=True)
def _town(tx: WriteTx) -> None:
    """Six streets around the crossroads, two High Streets in two districts, a ward, four postcodes."""
    lines = [(name, name, corners) for name, corners in STREETS.items()]
    lines += [("west", "High Street", [(-1500, 0), (-1400, 0)]), ("east", "High Street", [(1400, 0), (1600, 0)])]
    rows = [
        StreetRow(
            line, key, None, name, "", "4b", "council", 0, False,
            shapely.to_wkb(shapely.LineString([(E + x, N + y) for x, y in corners])),
        )
        for line, (key, name, corners) in enumerate(lines)
    ]  # fmt: skip
    load_network.streets(tx, rows, GRID)
    load_network.finish(tx, load_network.Stretch("streets", "town", len(rows), 0), datetime.now(UTC))
    for code, name, kind, west, east in (
        ("county", "Countyshire", "authority", -2000, 2000),
        ("w", "Weston", "district", -2000, -1000),
        ("p", "Preston", "district", -1000, 1000),
        ("e", "Easton", "district", 1000, 2000),
        ("pc", "City Centre", "ward", -1000, 1000),
    ):
        shape = shapely.to_wkb(shapely.box(E + west, N - 1000, E + east, N + 1000))
        parent = "p" if kind == "ward" else "county"
        load_network.areas(tx, [AreaRow(1, code, name, kind, kind == "authority", None, parent, shape)], GRID)
    codes = [PostcodeRow(line, code, 10, E + x, N + y) for line, (code, (x, y)) in enumerate(POSTCODES.items())]
    load_network.postcodes(tx, codes, GRID)


def labels(tx: WriteTx, typed: str, limit: int = 10) -> list[str]:
    return [f"{one.kind}: {one.label}" for one in gazetteer.find(tx, typed, limit).places]


def meant(tx: WriteTx, typed: str) -> list[str]:
    found = gazetteer.find(tx, typed)
    assert found.places == []
    return [one.name for one in found.did_you_mean]


def test_the_name_itself_comes_first_then_what_begins_so_then_what_has_the_word(tx: WriteTx) -> None:
    assert labels(tx, " FISHERGATE") == [
        "street: Fishergate, City Centre, Preston",
        "street: Fishergate Hill, City Centre, Preston",
        "street: Old Fishergate, City Centre, Preston",
    ]
    assert labels(tx, "fishergate", 1) == ["street: Fishergate, City Centre, Preston"]


def test_a_house_number_and_a_short_form_are_understood(tx: WriteTx) -> None:
    assert labels(tx, "12b lune st") == ["street: Lune Street, City Centre, Preston"]


def test_a_street_is_found_in_the_place_that_is_typed_with_it(tx: WriteTx) -> None:
    assert labels(tx, "High Street") == ["street: High Street, Easton", "street: High Street, Weston"]
    assert labels(tx, "High St, Weston") == labels(tx, "high street west") == ["street: High Street, Weston"]


def test_a_street_has_its_key_a_point_on_it_and_a_box_around_all_of_it(tx: WriteTx) -> None:
    (found,) = gazetteer.find(tx, "great avenham").places

    west, south, east, north = found.box
    (placed,) = network.locate(tx, [point_at(tx, 0, -500)], RULES)
    assert placed.street is not None
    assert found.key == placed.street.key
    assert (found.lat, found.lon) == pytest.approx((placed.point.lat, placed.point.lon), abs=1e-6)
    assert west < found.lon < east
    assert south <= found.lat <= north
    assert (east - west) * 66_000 == pytest.approx(1800, rel=0.02)


def test_areas_are_found_by_name_but_for_authorities_that_are_not_ours(tx: WriteTx) -> None:
    other = shapely.to_wkb(shapely.box(E + 2000, N - 1000, E + 3000, N + 1000))
    load_network.areas(tx, [AreaRow(1, "x", "Prestwich", "authority", False, None, None, other)], GRID)

    assert labels(tx, "pre") == ["district: Preston"]
    assert labels(tx, "city") == ["ward: City Centre, Preston"]
    assert labels(tx, "countyshire") == ["authority: Countyshire"]


def test_an_area_of_just_that_name_comes_before_streets_that_begin_so(tx: WriteTx) -> None:
    line = shapely.to_wkb(shapely.LineString([(E, N + 700), (E + 100, N + 700)]))
    load_network.streets(tx, [StreetRow(1, "new", None, "Preston Road", "", "4b", "council", 0, False, line)], GRID)
    load_network.finish(tx, load_network.Stretch("streets", "more", 1, 0), datetime.now(UTC))

    assert labels(tx, "preston") == ["district: Preston", "street: Preston Road, City Centre, Preston"]


def test_a_postcode_is_found_however_it_is_typed_with_where_it_is(tx: WriteTx) -> None:
    assert labels(tx, "pr12nl") == labels(tx, "PR1 2NL") == ["postcode: PR1 2NL, City Centre, Preston"]


def test_the_beginning_of_a_postcode_is_a_place_around_all_that_begin_so(tx: WriteTx) -> None:
    found = gazetteer.find(tx, "pr1").places

    assert [(one.kind, one.name) for one in found] == [
        ("postcodes", "PR1"),
        ("postcode", "PR1 2NL"),
        ("postcode", "PR1 2NM"),
        ("postcode", "PR1 8XJ"),
        ("postcode", "PR11 0AA"),
    ]
    west, _, east, _ = found[0].box
    assert west < found[1].lon < found[2].lon <= east < found[4].lon
    assert labels(tx, "PR1 2") == [
        "postcodes: PR1 2, Preston",
        "postcode: PR1 2NL, City Centre, Preston",
        "postcode: PR1 2NM, City Centre, Preston",
    ]


def test_of_a_postcode_that_is_not_known_its_neighbours_are_offered(tx: WriteTx) -> None:
    assert meant(tx, "PR1 2ZZ") == ["PR1 2", "PR1 2NL", "PR1 2NM"]
    assert meant(tx, "PR1 9ZZ")[0] == "PR1"
    assert meant(tx, "ZE1 0AA") == []


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Fishergte", "Fishergate"),
        ("lunne street", "Lune Street"),
        ("gret avenhm raod", "Great Avenham Road"),
        ("Avnham", "Great Avenham Road"),
        ("Prestn", "Preston"),
        ("hihg street", "High Street"),
    ],
)
def test_what_is_mistyped_is_offered_as_it_is_spelt(tx: WriteTx, typed: str, name: str) -> None:
    assert name in meant(tx, typed)


def test_a_name_that_no_street_has_any_more_is_not_offered(tx: WriteTx) -> None:
    line = shapely.to_wkb(shapely.LineString([(E, N + 1), (E, N + 300)]))
    load_network.streets(
        tx, [StreetRow(1, "Lune Street", None, "Ribble Walk", "", "4b", "council", 0, False, line)], GRID
    )

    assert "Lune Street" not in meant(tx, "lunne street")


@pytest.mark.parametrize("typed", ["%", "_", "\\", "", "  ", "zzzz qqqq", "53.76"])
def test_what_is_no_name_finds_nothing(tx: WriteTx, typed: str) -> None:
    assert gazetteer.find(tx, typed) == gazetteer.Found([], [])


def test_a_position_is_a_place_where_the_grid_reaches(tx: WriteTx) -> None:
    (found,) = gazetteer.find(tx, "53.7632, -2.7031").places

    assert (found.kind, found.lat, found.lon) == ("point", 53.7632, -2.7031)
    assert gazetteer.find(tx, "0, 0").places == []


# --- what a spot is called -------------------------------------------------------------------------------------------


def words(tx: WriteTx, x: float, y: float, accuracy_m: float = 3.0) -> str:
    (located,) = network.locate(tx, [point_at(tx, x, y, accuracy_m)], RULES)
    return gazetteer.at(tx, located).words


def test_a_spot_is_named_by_street_side_and_junction(tx: WriteTx) -> None:
    assert words(tx, 60, 5) == "Fishergate, north side, near Lune Street"
    assert words(tx, -190, -5) == "Fishergate, south side, near Fishergate Hill"
    assert words(tx, 5, 200) == "Lune Street, east side"


def test_the_side_is_not_named_where_the_accuracy_cannot_tell(tx: WriteTx) -> None:
    assert words(tx, 60, 5, accuracy_m=30) == "Fishergate, near Lune Street"


def test_off_every_street_the_nearest_is_named(tx: WriteTx) -> None:
    assert words(tx, 60, 100) == "Away from every street on our map, in City Centre, near Lune Street"
    assert words(tx, 5000, 5000) == "Away from every street on our map"
