"""The map's page and its list over HTTP: what is listed, in which order, how it is sent."""

import re

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from services.api import assets
from services.api.map_query import choices
from shared.domain.public import public_status
from shared.domain.terms import DefectState
from shared.store.engine import transaction
from shared.store.read_models.defect_map import HIDDEN
from shared.store.tables import defect
from tests.factories import PLACE, a_defect


def _made(**facts: object) -> str:
    with transaction("test") as tx:
        defect_id = a_defect(tx, **facts)  # type: ignore[arg-type]
        return str(tx.scalar(select(defect.c.reference).where(defect.c.id == defect_id)))


def _listed(api: TestClient, path: str = "/map/list", **query: object) -> list[str]:
    answer = api.get(path, params=query)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    return re.findall(r'data-reference="([^"]+)"', answer.text)


def test_the_list_is_what_is_to_be_done_nearest_first(api: TestClient) -> None:
    far, near = _made(northing=432_000.0), _made(northing=430_100.0)
    fixed = _made(state="closed")
    _made(state="no_defect")

    assert _listed(api, lat=PLACE[0], lon=PLACE[1]) == [near, far]
    assert _listed(api, lat=PLACE[0], lon=PLACE[1], status="fixed") == [fixed]


def test_the_page_and_its_list_are_one_list(api: TestClient) -> None:
    _made()
    _made(class_code="edge_damage", easting=353_100.0)
    query = {"class": "edge_damage", "lat": PLACE[0], "lon": PLACE[1]}

    assert _listed(api, "/map", **query) == _listed(api, **query)
    assert len(_listed(api, **query)) == 1


def test_a_box_bounds_the_list(api: TestClient) -> None:
    inside, _ = _made(), _made(northing=440_000.0)
    lat, lon = PLACE

    assert _listed(api, bbox=f"{lon - 0.01},{lat - 0.01},{lon + 0.01},{lat + 0.01}") == [inside]
    assert api.get("/map/list", params={"bbox": "3,2,1,0"}).status_code == 422


def test_one_defect_is_told_alone_and_only_if_the_public_may_see_it(api: TestClient) -> None:
    waits, hidden = _made(), _made(state="duplicate")

    assert _listed(api, defect=waits) == [waits]
    assert _listed(api, defect=hidden) == _listed(api, defect="D-0000-0000") == []


def test_every_status_of_the_map_can_be_chosen_in_the_order_of_progress() -> None:
    codes = [one.code for one in choices()]

    assert set(codes) == {public_status(state).code for state in set(DefectState) - HIDDEN}
    assert (codes[0], codes[-2]) == ("investigating", "fixed")


@pytest.mark.parametrize("path", ["/map", "/map/list"])
def test_the_page_is_packed_for_those_who_can_unpack_it(api: TestClient, path: str) -> None:
    _made()

    packed, plain = (api.get(path, headers={"Accept-Encoding": coding}) for coding in ("gzip", "identity"))

    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(plain.content)
    assert packed.text == plain.text
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"


def test_the_maps_worker_may_ask_us_for_tiles(api: TestClient) -> None:
    (name,) = (file.name for file in assets.FOLDER.glob("maplibre-gl-worker-*.mjs"))

    answer = api.get(f"/assets/{name}", headers={"Accept-Encoding": "br"})

    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["content-encoding"] == "br"
    assert "connect-src 'self'" in answer.headers["content-security-policy"]
