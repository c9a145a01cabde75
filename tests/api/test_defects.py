"""The map of defects and each defect's history: the public in plain words, staff with all of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select, update

from shared.domain.terms import Role, VisitOutcome
from shared.store.engine import reading, transaction
from shared.store.read_models import as_of
from shared.store.tables import defect
from tests.api.conftest import MakeKey
from tests.factories import PLACE, a_defect, a_repair, a_verified_repair, an_order, triaged

NOW = datetime.now(UTC)


def _reference(defect_id: int) -> str:
    with reading() as tx:
        return str(tx.scalar(select(defect.c.reference).where(defect.c.id == defect_id)))


def _made(**facts: Any) -> str:
    with transaction("test") as tx:
        defect_id = a_defect(tx, **facts)
    return _reference(defect_id)


def _listed(api: TestClient, headers: dict[str, str] | None = None, **query: Any) -> list[str]:
    answer = api.get("/api/v1/defects", params=query, headers=headers)
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["features"]]


def test_the_public_map_is_geojson_in_plain_words(api: TestClient) -> None:
    reference = _made()

    answer = api.get("/api/v1/defects")

    (feature,) = answer.json()["features"]
    assert answer.headers["content-type"] == "application/geo+json"
    assert feature["geometry"]["coordinates"] == pytest.approx([PLACE[1], PLACE[0]], abs=1e-4)
    assert feature["properties"]["status"]["label"] == "Investigating"
    assert feature["id"] == reference
    assert {"band", "state", "danger", "overdue", "known_at"}.isdisjoint(feature["properties"])


def test_staff_see_state_band_and_clocks(api: TestClient, a_key: MakeKey) -> None:
    _made(band="P2")

    answer = api.get("/api/v1/defects", headers=a_key(Role.OPERATOR).headers).json()

    assert answer["features"][0]["properties"]["band"] == "P2"
    assert answer["features"][0]["properties"]["permanent_due_at"]


@pytest.mark.parametrize("query", [{"state": "confirmed"}, {"band": "E"}, {"overdue": True}])
def test_what_is_for_staff_is_no_filter_of_the_public(api: TestClient, query: dict[str, Any]) -> None:
    assert api.get("/api/v1/defects", params=query).status_code == 403


def test_the_map_is_filtered(api: TestClient, a_key: MakeKey) -> None:
    near = _made(area_code="north", street_key="a")
    far = _made(easting=360_000.0, class_code="edge_damage", band="P2", area_code="south", street_key="b", overdue=True)
    fixed = _made(state="closed", northing=431_000.0, area_code="west")
    staff = a_key(Role.OPERATOR).headers

    assert _listed(api, bbox=f"{PLACE[1] - 0.001},{PLACE[0] - 0.001},{PLACE[1] + 0.001},{PLACE[0] + 0.001}") == [near]
    assert _listed(api, **{"class": "edge_damage"}) == [far]
    assert _listed(api, area="south") == _listed(api, street="b") == [far]
    assert _listed(api, status="fixed") == _listed(api, open=False) == [fixed]
    assert set(_listed(api, open=True)) == {near, far}
    assert _listed(api, staff, band="P2") == _listed(api, staff, overdue=True) == [far]
    assert _listed(api, staff, state=["closed"]) == [fixed]


def test_a_box_may_be_wider_than_the_grid(api: TestClient) -> None:
    west, east = _made(easting=353_000.0), _made(easting=420_000.0)

    assert set(_listed(api, bbox="-180,-90,180,90")) == {west, east}
    assert _listed(api, bbox="150,-30,151,-29") == []


@pytest.mark.parametrize("bbox", ["1,2,3", "a,b,c,d", "3,0,1,1", "nan,0,1,1", "-181,0,1,1"])
def test_a_box_that_is_none_is_refused(api: TestClient, bbox: str) -> None:
    answer = api.get("/api/v1/defects", params={"bbox": bbox})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "bbox"


def test_pages_follow_each_other_without_gap_or_repeat(api: TestClient) -> None:
    made = [_made(easting=353_000.0 + 100 * n) for n in range(7)]
    seen: list[str] = []
    page = api.get("/api/v1/defects", params={"limit": 3}).json()
    while True:
        seen += [one["id"] for one in page["features"]]
        if page["next"] is None:
            break
        page = api.get("/api/v1/defects", params={"limit": 3, "after": page["next"]}).json()

    assert sorted(seen) == sorted(made)


def test_a_place_in_the_list_that_no_answer_gave_is_refused(api: TestClient) -> None:
    assert api.get("/api/v1/defects", params={"after": "somewhere"}).status_code == 422


def test_what_changed_since_is_asked_for(api: TestClient) -> None:
    _made()
    changed = _made(easting=360_000.0)
    with transaction("test") as tx:
        tx.execute(update(defect).where(defect.c.reference == changed).values(updated_at=NOW + timedelta(hours=1)))

    assert _listed(api, updated_since=NOW.isoformat()) == [changed]


def test_a_change_that_commits_late_comes_with_what_is_asked_for_next(api: TestClient) -> None:
    reference = _made()
    with transaction("test") as writing:
        began = writing.scalar(select(func.now()))
        writing.execute(update(defect).values(updated_at=datetime.now(UTC)))

        said = api.get("/api/v1/defects").json()["as_of"]

    assert datetime.fromisoformat(said) <= began - as_of.MARGIN
    assert _listed(api, updated_since=said) == [reference]


def test_the_public_is_not_shown_what_is_not_there(api: TestClient, a_key: MakeKey) -> None:
    gone = _made(state="no_defect")

    assert _listed(api) == []
    assert _listed(api, a_key(Role.OPERATOR).headers) == [gone]


def test_a_duplicate_shows_the_status_of_its_original(api: TestClient, a_key: MakeKey) -> None:
    with transaction("test") as tx:
        original = a_defect(tx, state="closed")
        duplicate = a_defect(tx, state="duplicate", merged_into=original)

    told = api.get(f"/api/v1/defects/{_reference(duplicate)}").json()
    (feature,) = [
        one
        for one in api.get("/api/v1/defects", headers=a_key(Role.OPERATOR).headers).json()["features"]
        if one["id"] == _reference(duplicate)
    ]

    assert told["same_as"] == feature["properties"]["same_as"] == _reference(original)
    assert told["status"]["label"] == feature["properties"]["status"]["label"] == "Fixed"


def test_a_defect_tells_the_public_what_happened_in_plain_words(api: TestClient) -> None:
    with transaction("test") as tx:
        defect_id = a_defect(tx)
        an_order(tx, defect_id)
        a_repair(tx, defect_id, NOW + timedelta(hours=5), outcome=VisitOutcome.MADE_SAFE)

    told = api.get(f"/api/v1/defects/{_reference(defect_id)}").json()

    assert [one["label"] for one in told["timeline"]] == ["Investigating", "Action scheduled", "In progress"]
    assert "still to come" in told["timeline"][-1]["words"]
    assert told["staff"] is None


def test_staff_see_the_whole_history_of_a_defect(api: TestClient, a_key: MakeKey) -> None:
    with transaction("test") as tx:
        triaged(tx, NOW)
        defect_id = tx.scalar(select(defect.c.id))
        tx.execute(update(defect).values(state="confirmed", band="P10", permanent_due_at=NOW + timedelta(days=9)))
        an_order(tx, defect_id)
        a_verified_repair(tx, defect_id, NOW + timedelta(hours=5))

    staff = api.get(f"/api/v1/defects/{_reference(defect_id)}", headers=a_key(Role.OPERATOR).headers).json()["staff"]

    assert [one["verdict"] for one in staff["sightings"]] == ["new"]
    assert [one["outcome"] for one in staff["visits"]] == ["permanent"]
    assert [one["state"] for one in staff["warranties"]] == ["active"]
    assert len(staff["photos"]) == 2
    assert staff["events"][0]["kind"] == "DefectRecorded"
    assert "_id" not in str([list(one["data"]) for one in staff["events"]])
