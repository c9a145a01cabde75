"""However many streets and defects there are, gazetteer and map go through indexes: the plans carried out."""

from collections.abc import Iterator

import mapbox_vector_tile
import pytest
from sqlalchemy import URL, Engine, create_engine, text

from shared.store import gazetteer, loads
from shared.store.engine import WriteTx
from shared.store.read_models import defect_map, defect_tiles, street_tiles
from shared.store.read_models.defect_map import Wanted
from shared.store.read_models.defect_tiles import Tile
from tests import databases
from tests.flows.test_matching_plans import Plans, _brought_up, _nodes, _told

MANY = 20_000
_FILL = f"""
INSERT INTO street (network_id, street_key, name, hierarchy, geom)
SELECT i::text, 'k' || i, substr(md5(i::text), 1, 8) || ' Road', CASE WHEN i % 20 < 4 THEN '3a' ELSE '4b' END,
       ST_Multi(ST_SetSRID(ST_MakeLine(ST_MakePoint(x, y), ST_MakePoint(x + 99, y)), 27700))
FROM generate_series(1, {MANY}) AS i, LATERAL (SELECT 340000 + i % 200 * 100 AS x, 420000 + i / 200 * 200 AS y) AS put;
INSERT INTO street_name SELECT DISTINCT lower(name) FROM street;
INSERT INTO postcode (postcode, geom)
SELECT chr(65 + i / 1000 % 20) || 'R' || i / 100 % 10 || i % 10 || chr(65 + i / 10 % 10) || 'A',
       ST_SetSRID(ST_MakePoint(340000 + i, 420000), 27700)
FROM generate_series(1, {MANY}) AS i ON CONFLICT DO NOTHING;
INSERT INTO defect (reference, class_code, state, lat, lon, accuracy_m, geom, known_at, clock_from, opened_at,
                    last_seen_at, updated_at)
SELECT 'D-' || i, 'pothole', CASE WHEN i % 4 = 0 THEN 'closed' ELSE 'confirmed' END, ST_Y(wgs), ST_X(wgs), 4,
       ST_Transform(wgs, 27700), now(), now(), now(), now(), now()
FROM generate_series(1, {MANY}) AS i, LATERAL (SELECT ST_Transform(
    ST_SetSRID(ST_MakePoint(340000 + i % 200 * 100, 420000 + i / 200 * 200), 27700), 4326) AS wgs) AS put;
ANALYZE street, street_name, postcode, defect
"""


@pytest.fixture(scope="module")
def filled(template: URL) -> Iterator[Engine]:
    """A network of so many streets, drawn; and postcodes."""
    url = databases.create(template, str(template.database))
    engine = create_engine(databases.as_setting(url), connect_args={"options": "-c timezone=UTC -c jit=off"})
    with engine.begin() as connection:
        tx = WriteTx(connection, "test")
        for statement in _FILL.split(";\n"):
            tx.raw().execute(statement.encode())
        loads.draw_map(tx)
    yield engine
    engine.dispose()
    databases.drop(url)


@pytest.fixture
def tx(filled: Engine) -> Iterator[WriteTx]:
    with filled.connect() as connection:
        yield WriteTx(connection, "test")
        connection.rollback()


def _read_through(plans: Plans) -> set[str]:
    """Tables of these that were read from end to end."""
    grows = {"street", "street_name", "postcode", "map_shape", "defect"}
    nodes = [node for told in plans for node in _nodes(told["Plan"])]
    return {node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan" and node["Actual Loops"]} & grows


@pytest.mark.parametrize(
    "typed", ["PR1 1AA", "pr1", "pr1 2", "c4", "c4ca4238 road", "road", "c4ca road", "c4ca4328 raod"]
)
def test_places_are_found_through_indexes(tx: WriteTx, typed: str) -> None:
    plans = _told(tx, lambda: gazetteer.find(tx, typed))

    assert len(plans) >= 2
    assert _read_through(plans) == set()


def _square(tx: WriteTx, zoom: int) -> Tile:
    """A tile in the midst of them."""
    east, north = tx.execute(
        text("SELECT ST_X(p), ST_Y(p) FROM ST_Transform(ST_SetSRID(ST_MakePoint(350050, 430000), 27700), 3857) AS p")
    ).one()
    side = 40_075_016.686 / 2**zoom
    return Tile(zoom, int((east + 20_037_508.343) / side), int((20_037_508.343 - north) / side))


@pytest.mark.parametrize("zoom", [10, 12, 13, 14])
def test_a_tile_is_drawn_through_the_index_of_its_level(tx: WriteTx, zoom: int) -> None:
    square = _square(tx, zoom)

    plans = _told(tx, lambda: street_tiles.tile(tx, square))

    assert _read_through(plans) == set()
    assert street_tiles.tile(tx, square) != b""


@pytest.mark.parametrize("zoom", [11, 12, 13])
def test_a_tile_from_afar_reads_the_open_defects_that_lie_in_it_and_no_others(tx: WriteTx, zoom: int) -> None:
    square, wanted = _square(tx, zoom), Wanted(states=defect_map.TO_BE_DONE)

    plans = _told(tx, lambda: defect_tiles.tile(tx, square, wanted, staff=True))

    looks = [one for told in plans for one in _nodes(told["Plan"]) if one.get("Index Name") == "ix_defect_open_square"]
    body = defect_tiles.tile(tx, square, wanted, staff=True)
    counts = [one["properties"]["count"] for one in mapbox_vector_tile.decode(body)["defects"]["features"]]
    assert sum(_brought_up(one) for one in looks) == sum(counts) > 0
    assert _read_through(plans) == set()
