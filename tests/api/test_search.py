"""Search: by whatever is known of a report, a defect, a works order or a recall, and by nothing that is known of a
person."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, insert, select

from shared.domain.events import Consumer
from shared.domain.terms import Role
from shared.flows import detections_to_defects
from shared.store.engine import transaction
from shared.store.tables import (
    GRID,
    contact,
    defect,
    postcode,
    recall,
    report,
    street,
)
from tests.api.conftest import MakeKey
from tests.api.test_detections import a_detection, a_fleet, lines, send
from tests.factories import a_defect, a_report, a_verified_repair, an_order, hear, triaged

NOW = datetime.now(UTC)
KINDS = ("reports", "defects", "works_orders", "recalls")


@pytest.fixture
def staff(a_key: MakeKey) -> dict[str, str]:
    return a_key(Role.OPERATOR).headers


def _report(**facts: Any) -> str:
    with transaction("test") as tx:
        report_id = a_report(tx, **facts)
        return str(tx.scalar(select(report.c.reference).where(report.c.id == report_id)))


def _defect(**facts: Any) -> str:
    with transaction("test") as tx:
        defect_id = a_defect(tx, **facts)
        return str(tx.scalar(select(defect.c.reference).where(defect.c.id == defect_id)))


def _a_street(name: str, key: str, easting: float = 353_000.0) -> None:
    line = f"SRID={GRID};MULTILINESTRING(({easting} 430000, {easting + 100} 430000))"
    with transaction("test") as tx:
        tx.execute(insert(street).values(network_id=key, street_key=key, name=name, geom=func.ST_GeomFromEWKT(line)))


def _hits(api: TestClient, staff: dict[str, str], q: str, **more: Any) -> dict[str, Any]:
    answer = api.get("/api/v1/search", params={"q": q, **more}, headers=staff)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def _found(api: TestClient, staff: dict[str, str], q: str, **more: Any) -> set[str]:
    hits = _hits(api, staff, q, **more)
    return {one["reference"] for kind in KINDS for one in hits[kind]}


@pytest.mark.parametrize(
    "typed", ["R-7K3M-9QXF", "r7k3m9qxf", "r 7k3m 9qxf", "7K3M-9QXF", "R-7K3M", "7k3m", "9qxf", "R7K3M9", "r-7k3m 9qxf"]
)
def test_a_reference_is_found_whole_and_in_part_however_it_is_typed(
    api: TestClient, staff: dict[str, str], typed: str
) -> None:
    _report(reference="R-7K3M-9QXF")
    _report(reference="R-1111-2222")

    hits = _hits(api, staff, typed)

    assert [(one["reference"], one["found_by"]) for one in hits["reports"]] == [("R-7K3M-9QXF", "reference")]


@pytest.mark.parametrize("typed", ["dkrhdpmqq", "d krhd pmqq", "krhdpmqq", "D-KRHD-PMQQ"])
def test_a_reference_of_letters_alone_is_found(api: TestClient, staff: dict[str, str], typed: str) -> None:
    with transaction("test") as tx:
        a_defect(tx, reference="D-KRHD-PMQQ")

    assert _found(api, staff, typed) == {"D-KRHD-PMQQ"}


def test_letters_that_are_read_wrongly_are_read_as_what_they_stand_for(api: TestClient, staff: dict[str, str]) -> None:
    _report(reference="R-10V0-1QXF")

    assert _found(api, staff, "R-IOUO-LQXF") == {"R-10V0-1QXF"}


def test_defects_and_orders_are_found_by_reference(api: TestClient, staff: dict[str, str]) -> None:
    with transaction("test") as tx:
        defect_id = a_defect(tx)
        order = an_order(tx, defect_id)
        reference = tx.scalar(select(defect.c.reference).where(defect.c.id == defect_id))

    assert _found(api, staff, reference.lower().replace("-", "")) == {reference}
    assert _found(api, staff, order.reference.lower()) == {order.reference}


def test_a_recall_is_found_by_its_reference_and_with_its_defect(api: TestClient, staff: dict[str, str]) -> None:
    with transaction("test") as tx:
        defect_id = a_defect(tx, known_at=NOW - timedelta(days=2))
        order = an_order(tx, defect_id, now=NOW - timedelta(days=1))
        a_verified_repair(tx, defect_id, NOW)
        triaged(tx, NOW)
        there = tx.scalar(select(defect.c.reference).where(defect.c.id == defect_id))
        named = str(tx.scalar(select(recall.c.reference)))

    hits = _hits(api, staff, there)

    assert _found(api, staff, named.lower().replace("-", "")) == {named}
    assert [(one["reference"], one["defect"], one["contractor"]) for one in hits["recalls"]] == [
        (named, there, "alder")
    ]
    assert _hits(api, staff, order.reference)["works_orders"][0]["defects"] == [there]


def test_what_is_half_typed_is_asked_for_in_a_body(api: TestClient, staff: dict[str, str]) -> None:
    reference = _report(description="Shopping trolleys fell into a deep hole")

    answer = api.post("/api/v1/search", json={"q": "trolley", "limit": 5}, headers=staff)

    assert answer.status_code == 200
    assert answer.json() == _hits(api, staff, "trolley")
    assert [one["reference"] for one in answer.json()["reports"]] == [reference]


def test_a_plain_word_is_no_reference(api: TestClient, staff: dict[str, str]) -> None:
    _report(reference="R-0AD0-0000")

    assert _found(api, staff, "road") == set()


def test_an_older_systems_number_finds_its_report(api: TestClient, staff: dict[str, str]) -> None:
    reference = _report(external_id="historic:ENQ/2015/778")

    hits = _hits(api, staff, "ENQ/2015/778")

    assert [(one["reference"], one["found_by"]) for one in hits["reports"]] == [(reference, "external id")]


def test_a_vendors_number_finds_the_defect_that_the_detection_is_of(
    api: TestClient, staff: dict[str, str], a_key: MakeKey
) -> None:
    assert send(api, a_fleet(a_key, "fleet"), lines(a_detection("cam-7"))).status_code == 202
    with transaction("test") as tx:
        hear(tx, Consumer.DETECTIONS, detections_to_defects.run, datetime.now(UTC))

    hits = _hits(api, staff, "cam-7")

    assert [one["found_by"] for one in hits["defects"]] == ["external id"]


@pytest.mark.parametrize("typed", ["Fishergate", "fisherg", "Fishergte", "fishergate hill"])
def test_a_street_finds_what_lies_on_it_also_when_it_is_mistyped(
    api: TestClient, staff: dict[str, str], typed: str
) -> None:
    _a_street("Fishergate Hill", "usrn-1")
    _a_street("London Road", "usrn-2", 360_000.0)
    with transaction("test") as tx:
        mine = a_defect(tx, street_key="usrn-1")
        a_defect(tx, street_key="usrn-2")
        order = an_order(tx, mine)
        there = tx.scalar(select(defect.c.reference).where(defect.c.id == mine))
    said = _report(street_key="usrn-1")

    hits = _hits(api, staff, typed)

    assert _found(api, staff, typed) == {there, said, order.reference}
    assert {one["found_by"] for kind in KINDS for one in hits[kind]} == {"street"}
    assert hits["works_orders"][0]["street"] == "Fishergate Hill"


def test_a_postcode_finds_what_lies_near_it_nearest_first(api: TestClient, staff: dict[str, str]) -> None:
    middle = func.ST_SetSRID(func.ST_MakePoint(353_000.0, 430_000.0), GRID)
    with transaction("test") as tx:
        tx.execute(insert(postcode).values(postcode="PR12AB", geom=middle))
        linked = triaged(tx, NOW, easting=353_040.0)
        near = tx.scalar(select(defect.c.reference))
        said = tx.scalar(select(report.c.reference).where(report.c.id == linked))
    nearest, _ = _defect(easting=353_010.0), _defect(easting=354_000.0)
    waits = _report(state="triage", easting=353_100.0)

    hits = _hits(api, staff, "pr1 2ab")

    assert [one["reference"] for one in hits["defects"]] == [nearest, near]
    assert [one["reference"] for one in hits["reports"]] == [said, waits]
    assert hits["reports"][0]["defects"] == [near]


def test_words_of_a_description_or_an_address_find_a_report_in_any_form_of_theirs(
    api: TestClient, staff: dict[str, str]
) -> None:
    trolley = _report(description="Shopping trolleys fell into a deep hole")
    here = _report(description="Deep hole", address="14 Corn Exchange")

    assert _found(api, staff, "trolley falling") == set()
    assert _found(api, staff, "trolley holes") == {trolley}
    assert _found(api, staff, "corn exchange") == {here}
    assert _found(api, staff, '"deep hole" -trolley') == {here}
    assert _found(api, staff, "trolley or exchange") == {trolley, here}


def test_a_common_word_finds_the_newest_and_a_rare_old_one_is_found_too(api: TestClient, staff: dict[str, str]) -> None:
    old = _report(description="A zebra in the hole", received_at=NOW - timedelta(days=400))
    with transaction("test") as tx:
        for _ in range(600):
            newest = a_report(tx, description="A hole", street_key=None)

    hits = _hits(api, staff, "hole", limit=5)

    with transaction("test") as tx:
        named = tx.scalar(select(report.c.reference).where(report.c.id == newest))
    assert hits["reports"][0]["reference"] == named
    assert len(hits["reports"]) == 5
    assert _found(api, staff, "zebra") == {old}


def test_no_way_leads_through_who_reported(api: TestClient, staff: dict[str, str]) -> None:
    with transaction("test") as tx:
        report_id = a_report(tx, description="A hole")
        told = {"name": "Zachary Quill", "email": "zachary@quill.example", "phone": "07700900123"}
        tx.execute(insert(contact).values(report_id=report_id, **told))

    for sought in ("Zachary", "zachary@quill.example", "07700900123", "0123", "Quill"):
        assert _found(api, staff, sought) == set()


def test_what_was_searched_for_is_in_no_log(
    api: TestClient, staff: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    capfd.readouterr()

    _hits(api, staff, "Mrs Featherstonehaugh")

    ours = [line for line in capfd.readouterr().err.splitlines() if "HTTP Request" not in line]
    assert any("/api/v1/search" in line for line in ours)
    assert not any("Featherstonehaugh" in line for line in ours)


@pytest.mark.parametrize("role", [Role.PUBLIC, Role.CONTRACTOR, Role.VENDOR])
def test_search_is_for_staff(api: TestClient, a_key: MakeKey, role: Role) -> None:
    own = {Role.CONTRACTOR: {"contractor": "alder"}, Role.VENDOR: {"source": "fleet"}}.get(role, {})
    headers = {} if role is Role.PUBLIC else a_key(role, **own).headers

    assert api.get("/api/v1/search", params={"q": "hole"}, headers=headers).status_code in (401, 403)


@pytest.mark.parametrize("q", ["", "a", "x" * 101, "nul\x00"])
def test_what_cannot_be_searched_for_is_a_problem(api: TestClient, staff: dict[str, str], q: str) -> None:
    answer = api.get("/api/v1/search", params={"q": q}, headers=staff)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("q", ["'; DROP TABLE report; --", "%%%%", "____", '"unclosed', "& | !", "<->", "\\\\", "   "])
def test_signs_mean_nothing_harmful(api: TestClient, staff: dict[str, str], q: str) -> None:
    _report(description="A hole")

    assert _found(api, staff, q) == set()
