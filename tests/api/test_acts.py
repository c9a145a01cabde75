"""Acts and previews over HTTP, what a merge may be made with, and the hub's pages of a defect and a report."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, insert, select, update

from shared.domain.terms import DefectState, Role
from shared.flows import manage_access
from shared.store.engine import transaction
from shared.store.tables import defect, event, report, sighting
from tests.api.test_recalls import As, as_
from tests.factories import a_defect, a_report, an_order

__all__ = ["as_"]

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)
EASTING = 353_000.0


def a_known(reports: int = 0, **more: Any) -> tuple[str, list[str]]:
    """A defect with so many linked reports; their references."""
    with transaction("test") as tx:
        made, named = a_defect(tx, reports=reports, **more), []
        for number in range(reports):
            one = a_report(tx, state="linked", easting=more.get("easting", EASTING) + number)
            where = select(report.c.reference, report.c.lat, report.c.lon, report.c.geom).where(report.c.id == one)
            reference, lat, lon, geom = tx.execute(where).one()
            row = {"class_code": "pothole", "lat": lat, "lon": lon, "geom": geom, "accuracy_m": 5.0, "why": "Near."}
            row |= {"defect_id": made, "report_id": one, "seen_at": NOW, "known_at": NOW, "linked_at": NOW - HOUR}
            tx.execute(insert(sighting).values(**row, verdict="same"))
            named.append(reference)
        return str(tx.scalar(select(defect.c.reference).where(defect.c.id == made))), named


def events() -> int:
    with transaction("test") as tx:
        return int(tx.scalar(select(func.count()).select_from(event)))


def test_acts_tell_what_is_lawful_for_the_asker_and_why_the_rest_is_not(as_: As) -> None:
    reference, _ = a_known()

    def told(role: Role) -> dict[str, Any]:
        answer = as_(role).get(f"/defects/{reference}/acts")
        assert answer.status_code == 200
        return {one["name"]: one for one in answer.json()["acts"]}

    operator, supervisor = told(Role.OPERATOR), told(Role.SUPERVISOR)

    assert operator["merge"] == {"name": "merge", "lawful": True, "why_not": None}
    assert operator["no_defect"]["lawful"] is False
    assert "supervisor" in operator["no_defect"]["why_not"]
    assert supervisor["no_defect"]["lawful"] is True
    assert as_(Role.OPERATOR).get("/defects/D-0000-0000/acts").status_code == 404


def test_acts_on_a_report_are_told(as_: As) -> None:
    _, (mine,) = a_known(1)

    acts = {one["name"]: one for one in as_(Role.OPERATOR).get(f"/reports/{mine}/acts").json()["acts"]}

    assert (acts["unlink"]["lawful"], acts["refer"]["lawful"]) == (True, False)
    assert "cannot become referred" in acts["refer"]["why_not"]


def test_previews_tell_what_would_follow_and_write_nothing(as_: As) -> None:
    gone, moving = a_known(2)
    stays, _ = a_known(1, easting=EASTING + 10, band="P2")
    operator, before = as_(Role.OPERATOR), events()

    merged = operator.post(f"/defects/{gone}/merge/preview", into=stays)
    split = operator.post(f"/defects/{gone}/split/preview", reports=moving[:1])
    nothing = operator.post(f"/defects/{gone}/split/preview", reports=moving)
    undone = operator.post(f"/defects/{gone}/unmerge/preview")

    assert (merged.status_code, split.status_code) == (200, 200)
    after = {one["after"]["reference"]: one["after"] for one in merged.json()["changes"]}
    assert (after[gone]["state"], after[gone]["same_as"], after[stays]["reports"]) == ("duplicate", stays, 3)
    assert sorted(merged.json()["moving"]["reports"]) == sorted(moving)
    assert split.json()["changes"][1]["before"] is None
    assert (nothing.status_code, undone.status_code) == (422, 409)
    assert events() == before
    assert operator.get(f"/defects/{gone}").json()["staff"]["state"] == "confirmed"


def test_what_may_be_merged_with_is_told_nearest_first(as_: As) -> None:
    mine, _ = a_known()
    far, _ = a_known(easting=EASTING + 60)
    near, _ = a_known(easting=EASTING - 20)
    a_known(easting=EASTING + 5, state="closed")
    a_known(easting=EASTING + 400)
    with transaction("test") as tx:
        order = an_order(tx, tx.scalar(select(defect.c.id).where(defect.c.reference == far)))

    found = as_(Role.OPERATOR).get(f"/defects/{mine}/neighbours").json()["defects"]

    assert [(one["reference"], round(one["distance_m"])) for one in found] == [(near, 20), (far, 60)]
    assert (found[0]["works_order"], found[1]["works_order"]) == (None, order.reference)
    assert found[0]["told_apart"] is False


def test_two_that_were_split_are_told_apart_among_neighbours(as_: As) -> None:
    whole, reports = a_known(2)
    operator = as_(Role.OPERATOR)

    part = operator.post(f"/defects/{whole}/split", reports=reports[:1], why="Two holes.").json()["stands"]

    (other,) = operator.get(f"/defects/{whole}/neighbours").json()["defects"]
    assert (other["reference"], other["told_apart"]) == (part, True)


@pytest.fixture
def hub(api: TestClient) -> TestClient:
    """A browser of somebody who is signed in."""
    with transaction("test") as tx:
        manage_access.add_person(
            tx, "ada@roads.example", "Ada Fell", Role.OPERATOR, NOW, password="a long password here"
        )
    form = {"email": "ada@roads.example", "password": "a long password here", "next": "/hub/settings"}
    assert api.post("/hub/sign-in", data=form).status_code == 200
    return api


def test_the_page_of_a_defect_shows_every_act_and_what_forbids_it_in_every_state(hub: TestClient) -> None:
    reference, (mine, _) = a_known(2, facts={"wheel_path": True, "owner": "Water Co"}, band_why=["Deep <enough>."])

    for state in DefectState:
        with transaction("test") as tx:
            tx.execute(update(defect).where(defect.c.reference == reference).values(state=state))
        page = hub.get(f"/hub/defects/{reference}").text

        assert page.count("data-act=") + page.count("data-act-not=") == 16, state
        assert f"/hub/reports/{mine}" in page
        assert "Deep &lt;enough&gt;." in page
        assert "Recorded as pothole" in page


def test_a_reference_as_people_type_it_leads_to_the_page(hub: TestClient) -> None:
    reference, (mine,) = a_known(1)

    assert hub.get(f"/hub/defects/{reference.lower().replace('-', '')}").url.path == f"/hub/defects/{reference}"
    assert hub.get(f"/hub/reports/{mine.lower()}").url.path == f"/hub/reports/{mine}"
    assert hub.get("/hub/defects/D-0000-0000").status_code == 404


def test_the_page_of_a_report_shows_no_contact(hub: TestClient) -> None:
    body = {"category": "pothole", "location": {"lat": 53.7642, "lon": -2.7145}, "description": "By the kerb"}
    sent = hub.post("/api/v1/reports", json={**body, "contact": {"email": "sam@example.org"}}).json()

    page = hub.get(f"/hub/reports/{sent['reference']}").text

    assert "By the kerb" in page
    assert "Show how to reach the reporter" in page
    assert "sam@example.org" not in page
