"""Positions on the network: area, street and side from PostGIS, for one position and for thousands alike."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import shapely
from sqlalchemy import text

from infra.native.layout import ROOT
from services.cli.draft_network import AREA_FIELDS, AreaReader
from services.cli.sources import MapFile, mapping
from shared.domain.place import InCounty, Located, Point, Refer, Refuse, judge
from shared.domain.policy_sections import PlaceRules
from shared.flows import load_network
from shared.settings import settings
from shared.store import network
from shared.store.engine import WriteTx
from shared.store.loads import AreaRow, PostcodeRow, StreetRow

RULES = PlaceRules()
GRID = settings().grid_epsg
DATA = ROOT.parent / "shared" / "data"
E, N = 353_000.0, 430_000.0
"""A crossroads near Preston, on the grid."""


def a_street(
    tx: WriteTx, name: str, *corners: tuple[float, float], maintainer: str = "council", level: int = 0
) -> None:
    """A street drawn from corner to corner, in metres from the crossroads."""
    line = shapely.LineString([(E + x, N + y) for x, y in corners])
    row = StreetRow(1, f"id {name}", None, name, "", "4b", maintainer, level, False, shapely.to_wkb(line))
    load_network.streets(tx, [row], GRID)
    load_network.finish(tx, load_network.Stretch("streets", name, 1, 0), datetime.now(UTC))


def an_area(tx: WriteTx, code: str, west: float, east: float, *, kind: str = "authority", served: bool = True) -> None:
    """A box from 1 km south to 1 km north of the crossroads."""
    shape = shapely.box(E + west, N - 1000, E + east, N + 1000)
    load_network.areas(tx, [AreaRow(1, code, f"{code} name", kind, served, None, None, shapely.to_wkb(shape))], GRID)


def at(tx: WriteTx, x: float, y: float, accuracy_m: float = 3.0) -> Located:
    """What is known of a place so many metres east and north of the crossroads."""
    return network.locate(tx, [point_at(tx, x, y, accuracy_m)], RULES)[0]


def point_at(tx: WriteTx, x: float, y: float, accuracy_m: float = 3.0) -> Point:
    place = text("SELECT ST_Y(p), ST_X(p) FROM ST_Transform(ST_SetSRID(ST_MakePoint(:x, :y), :grid), 4326) AS p")
    lat, lon = tx.execute(place, {"x": E + x, "y": N + y, "grid": GRID}).one()
    return Point(lat, lon, accuracy_m)


# --- the grid --------------------------------------------------------------------------------------------------------


def test_the_server_puts_published_points_where_they_are(tx: WriteTx) -> None:
    error = network.require_grid(tx)

    assert error is not None
    assert error < network.WITHIN_M


def test_a_database_of_another_grid_is_refused_with_what_to_set(tx: WriteTx) -> None:
    tx.execute(text("UPDATE deployment SET grid_epsg = 29902"))

    with pytest.raises(network.GridUnfit, match="made on the grid EPSG:29902"):
        network.require_grid(tx)


def test_eastings_come_before_northings_and_longitude_before_latitude(tx: WriteTx) -> None:
    located = network.locate(tx, [Point(53.749097, -2.459938, 5)], RULES)[0]

    assert located.x == pytest.approx(369_767, abs=3)
    assert located.y == pytest.approx(428_178, abs=3)


# --- areas -----------------------------------------------------------------------------------------------------------


def test_a_place_is_in_its_authority_and_its_district(tx: WriteTx) -> None:
    an_area(tx, "county", -1000, 1000)
    an_area(tx, "district", -1000, 0, kind="district", served=False)

    located = at(tx, -100, 0)

    assert located.authority is not None
    assert (located.authority.code, located.authority.served, located.area_code) == ("county", True, "district")


def test_a_place_over_the_border_is_the_neighbours_to_the_metre(tx: WriteTx) -> None:
    an_area(tx, "ours", -1000, 0)
    an_area(tx, "theirs", 0, 1000, served=False)

    ours, theirs = judge(at(tx, -2, 0), RULES), judge(at(tx, 2, 0), RULES)

    assert ours == InCounty()
    assert isinstance(theirs, Refer)
    assert theirs.target == "theirs name"


def test_a_promenade_just_off_the_drawn_coast_is_still_ours_and_the_open_sea_is_not(tx: WriteTx) -> None:
    an_area(tx, "ours", 0, 1000)

    assert judge(at(tx, -network.EDGE_M + 5, 0), RULES) == InCounty()
    assert isinstance(judge(at(tx, -network.EDGE_M - 50, 0), RULES), Refuse)


def test_an_area_that_is_loaded_again_replaces_what_it_was(tx: WriteTx) -> None:
    an_area(tx, "ours", -1000, 0)
    an_area(tx, "ours", 200, 1000)

    assert at(tx, -100, 0).authority is None
    assert at(tx, 300, 0).authority is not None


# --- streets ---------------------------------------------------------------------------------------------------------


def test_a_place_is_snapped_to_the_nearest_street_and_its_side(tx: WriteTx) -> None:
    a_street(tx, "East Road", (-100, 0), (100, 0))
    a_street(tx, "North Road", (60, -100), (60, 100))

    north, south, elsewhere = (at(tx, 10, 4).street, at(tx, 10, -4).street, at(tx, 62.5, 50).street)

    assert north is not None
    assert south is not None
    assert elsewhere is not None
    assert (north.name, north.side, round(north.distance_m)) == ("East Road", "left", 4)
    assert (south.name, south.side) == ("East Road", "right")
    assert (elsewhere.name, elsewhere.side) == ("North Road", "right")


def test_the_side_is_not_said_when_the_accuracy_cannot_tell(tx: WriteTx) -> None:
    a_street(tx, "East Road", (-100, 0), (100, 0))

    near = at(tx, 10, 4, accuracy_m=6.5).street

    assert near is not None
    assert near.side is None


def test_the_side_is_right_along_a_bend_and_in_a_street_of_several_lines(tx: WriteTx) -> None:
    lines = shapely.MultiLineString(
        [[(E, N), (E + 50, N)], [(E + 80, N), (E + 100, N), (E + 100, N + 50), (E + 80, N + 50)]]
    )
    row = StreetRow(1, "id", None, "Horseshoe", "", "4b", "council", 0, False, shapely.to_wkb(lines))
    load_network.streets(tx, [row], GRID)

    sides = [at(tx, x, y, 1.0).street for x, y in ((90, 5), (95, 20), (105, 20), (90, 45), (90, 55), (20, -3))]

    assert [street.side for street in sides if street] == ["left", "left", "right", "left", "right", "right"]


def test_a_street_beyond_reach_is_none(tx: WriteTx) -> None:
    a_street(tx, "East Road", (-100, 0), (100, 0))

    assert at(tx, 0, RULES.snap_m - 1).street is not None
    assert at(tx, 0, RULES.snap_m + 1).street is None


def test_a_trunk_road_must_be_nearer_than_ours_by_more_than_the_accuracy(tx: WriteTx) -> None:
    a_street(tx, "M6", (-100, 0), (100, 0), maintainer="trunk")
    a_street(tx, "Service Road", (-100, 12), (100, 12))

    sure, unsure = at(tx, 0, 2, accuracy_m=3), at(tx, 0, 2, accuracy_m=15)

    assert isinstance(judge(sure, RULES), Refer)
    assert judge(unsure, RULES) == InCounty()


def test_a_bridge_keeps_its_level(tx: WriteTx) -> None:
    a_street(tx, "Bridge Road", (-100, 0), (100, 0), level=1)

    street = at(tx, 0, 3).street

    assert street is not None
    assert street.level == 1


def test_pieces_of_one_name_are_one_street_and_the_next_towns_are_another(tx: WriteTx) -> None:
    def piece(line: int, x: float) -> StreetRow:
        shape = shapely.LineString([(E + x, N), (E + x + 90, N)])
        wkb = shapely.to_wkb(shape)
        return StreetRow(line, f"piece {line}", None, "High Street", "", "4b", "council", 0, False, wkb)

    load_network.streets(tx, [piece(1, 0), piece(2, 100), piece(3, 3000)], GRID)
    load_network.finish(tx, load_network.Stretch("streets", "x", 3, 0), datetime.now(UTC))

    first, second, other = (at(tx, x, 3).street for x in (50, 150, 3050))
    assert first is not None
    assert second is not None
    assert other is not None
    assert first.key == second.key
    assert other.key != first.key


def test_a_street_keeps_its_key_when_its_file_is_loaded_again_with_more_pieces(tx: WriteTx) -> None:
    a_street(tx, "East Road", (0, 0), (90, 0))
    before = at(tx, 50, 3).street
    shape = shapely.to_wkb(shapely.LineString([(E + 100, N), (E + 190, N)]))
    earlier_id = StreetRow(1, "a", None, "East Road", "", "4b", "council", 0, False, shape)
    load_network.streets(tx, [earlier_id], GRID)
    load_network.finish(tx, load_network.Stretch("streets", "y", 1, 0), datetime.now(UTC))

    after, added = at(tx, 50, 3).street, at(tx, 150, 3).street

    assert before is not None
    assert after is not None
    assert added is not None
    assert before.key == after.key == added.key


# --- many ------------------------------------------------------------------------------------------------------------


def test_many_are_placed_as_one_by_one_and_in_their_order(tx: WriteTx) -> None:
    a_street(tx, "East Road", (-100, 0), (100, 0))
    an_area(tx, "ours", -1000, 0)
    points = [point_at(tx, x, y) for x in range(-120, 121, 30) for y in (-40, -5, 0, 7)]
    points += [Point(-2.7, 53.7, 5), Point(0, 0, 5)]

    together = network.locate(tx, points, RULES)

    assert together == [network.locate(tx, [point], RULES)[0] for point in points]
    assert [located.point for located in together] == points


def test_off_the_grid_nothing_is_known_but_whether_it_was_swapped(tx: WriteTx) -> None:
    swapped, nowhere = network.locate(tx, [Point(-2.7, 53.7, 5), Point(0, 0, 5)], RULES)

    assert (swapped.x, swapped.swapped, swapped.street) == (None, True, None)
    assert (nowhere.x, nowhere.swapped) == (None, False)


# --- by name ---------------------------------------------------------------------------------------------------------


def test_a_postcode_is_found_however_it_is_typed(tx: WriteTx) -> None:
    load_network.postcodes(tx, [PostcodeRow(1, "PR12NL", 10, E, N)], GRID)

    found = network.postcode_at(tx, "pr1 2nl")

    assert found is not None
    assert found.name == "PR1 2NL"
    assert network.postcode_at(tx, "PR1 9ZZ") is None


def test_lancashires_own_map_tells_blackpool_and_blackburn_from_the_county(tx: WriteTx) -> None:
    places = {
        "Preston": Point(53.7580, -2.7020, 5),
        "Blackpool": Point(53.8175, -3.0500, 5),
        "Blackburn": Point(53.7480, -2.4830, 5),
        "sea": Point(53.80, -3.50, 5),
        "Manchester": Point(53.4808, -2.2426, 5),
    }
    load_the_map(tx, DATA / "lancashire_boundaries" / "authorities.geojson")

    judged = dict(
        zip(places, (judge(one, RULES) for one in network.locate(tx, list(places.values()), RULES)), strict=True)
    )

    assert judged["Preston"] == InCounty()
    assert isinstance(judged["Blackpool"], Refer)
    assert judged["Blackpool"].target == "Blackpool"
    assert isinstance(judged["Blackburn"], Refer)
    assert judged["Blackburn"].target == "Blackburn with Darwen"
    assert isinstance(judged["sea"], Refuse)
    assert isinstance(judged["Manchester"], Refuse)


def load_the_map(tx: WriteTx, file: Path) -> None:
    """The areas of a GeoJSON file in the shape of ONS, in the test's own transaction."""
    source = MapFile(file, None, None)
    read = AreaReader(mapping([], AREA_FIELDS, source.columns), ["E10000017"], None, source.srid)
    for rows in source.batches(0):
        load_network.areas(tx, [read(row) for row in rows], source.srid)
