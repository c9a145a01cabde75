"""Verification as the hub reads it: what waits for a person, with all that the verdict is about; and the sample."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import insert, select, update

from services.api.routes.verification import Repair
from shared.domain.access import Asker
from shared.domain.evidence import draw
from shared.domain.terms import Role, VisitOutcome
from shared.store import policies
from shared.store.engine import transaction
from shared.store.read_models import verification
from shared.store.tables import contractor, person, photo, visit
from tests.api.conftest import MakeKey
from tests.factories import a_defect, a_repair, an_order, triaged

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def staff(api: TestClient, a_key: MakeKey) -> dict[str, str]:
    del api
    return a_key(Role.OPERATOR).headers


def _a_repair(band: str = "P2", *, place: int = 0, now: datetime | None = None, **visit: Any) -> str:
    """A permanent repair that a crew has told of, judged now. Returns its order."""
    now = now or datetime.now(UTC)
    with transaction("test") as tx:
        defect_id = a_defect(tx, band=band, street_key=f"s{place}", known_at=now - 2 * DAY)
        an_order(tx, defect_id, now=now - DAY)
        return a_repair(tx, defect_id, now, outcome=VisitOutcome.PERMANENT, **visit).reference


def _list(api: TestClient, staff: dict[str, str], path: str = "", **asked: Any) -> Any:
    answer = api.get(f"/api/v1/verification{path}", params=asked, headers=staff)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_repair_that_a_person_must_see_waits_with_photos_visit_and_why(
    api: TestClient, staff: dict[str, str]
) -> None:
    order = _a_repair(length_m=1.2, width_m=0.8)

    (one,) = _list(api, staff)["repairs"]

    assert (one["reference"], one["state"], one["contractor"]) == (order, "evidence_ok", "alder")
    assert [(photo["label"], photo["role"]) for photo in one["photos"]] == [
        ("Before 1", "before"),
        ("After 1", "after"),
    ]
    assert [photo["distance_m"] < 5 for photo in one["photos"]] == [True, True]
    assert (one["length_m"], one["distance_m"] < 5, one["evidence"]["verdict"]) == (1.2, True, "ok")
    assert one["drawing"]["checked"]
    assert one["drawing"]["why"].endswith("is checked.")
    assert "photos" not in one["drawing"]["why"]
    assert one["verify_due_at"] > one["received_at"]


def test_what_is_missing_is_named_by_the_photos_labels(api: TestClient, staff: dict[str, str]) -> None:
    with transaction("test") as tx:
        defect_id = a_defect(tx, known_at=NOW - 2 * DAY)
        order = an_order(tx, defect_id, now=NOW - DAY)
        told = a_repair(tx, defect_id, NOW, outcome=VisitOutcome.PERMANENT, lat=53.77, lon=-2.71)
        names = list(tx.scalars(select(photo.c.reference).order_by(photo.c.id)))
    assert told.reference == order.reference

    (one,) = _list(api, staff, state="evidence_failed")["repairs"]

    sentences = [finding["sentence"] for finding in one["evidence"]["missing"]]
    assert any(sentence.startswith("Photo before 1 was taken") for sentence in sentences)
    assert not any(name in sentence for name in names for sentence in sentences)
    assert {finding["code"] for finding in one["evidence"]["missing"]} >= {"photo_too_far", "too_far"}
    assert one["drawing"] is None
    assert _list(api, staff, state="evidence_ok")["repairs"] == []


def test_what_is_seen_again_while_a_person_is_awaited_is_shown_to_them(api: TestClient, staff: dict[str, str]) -> None:
    order = _a_repair()
    (before,) = _list(api, staff)["repairs"]
    with transaction("test") as tx:
        triaged(tx, datetime.now(UTC), street_key="s0")

    (after,) = _list(api, staff)["repairs"]
    page = api.get("/hub/verification", params={"order": order}, headers=staff)

    codes = [[flag["code"] for flag in one["evidence"]["flags"]] for one in (before, after)]
    assert codes == [[], ["seen_again"]]
    assert 'data-finding="seen_again"' in page.text


def test_the_soonest_due_comes_first_and_what_lacks_evidence_last(api: TestClient, staff: dict[str, str]) -> None:
    lacking = _a_repair("P2", place=0, lat=53.80)
    with transaction("test") as tx:
        tx.execute(update(contractor).values(since=(NOW - 2 * DAY).date()))
    later, sooner = _a_repair("P20", place=1, lat=None, lon=None), _a_repair("E", place=2, lat=None, lon=None)

    first = _list(api, staff, limit=2)
    rest = _list(api, staff, limit=2, after=first["next"])

    assert [one["reference"] for one in (*first["repairs"], *rest["repairs"])] == [sooner, later, lacking]
    assert first["waiting"] == {"evidence_ok": 2, "evidence_failed": 1}
    assert rest["next"] is None


def test_who_did_it_is_named_and_told_that_somebody_else_must_verify(api: TestClient) -> None:
    del api
    order = _a_repair()
    with transaction("test") as tx:
        firm = tx.scalar(select(contractor.c.id).where(contractor.c.code == "alder"))
        values = {"email": "jo@alder.example", "name": "Jo Reed", "role": "contractor", "made_at": NOW}
        who = f"person:{tx.scalar(insert(person).values(contractor_id=firm, **values).returning(person.c.id))}"
        tx.execute(update(visit).values(person=who))

    with transaction("test") as tx:
        row = verification.one(tx, order)
    by_themselves, by_another = (Repair.of(row, Asker(Role.OPERATOR, actor)) for actor in (who, "person:2"))

    assert by_another.completed_by == "Jo Reed"
    assert (by_themselves.may_verify, by_another.may_verify) == (False, True)


def test_the_sample_says_for_each_repair_whether_by_what_rule_and_by_what_number(
    api: TestClient, staff: dict[str, str]
) -> None:
    always = _a_repair("P2", place=0)
    with transaction("test") as tx:
        tx.execute(update(contractor).values(since=(NOW - 400 * DAY).date()))
        sha256 = policies.in_force(tx, datetime.now(UTC)).policy.sha256
    others = [_a_repair("P20", place=place) for place in range(1, 7)]

    lines = {one["reference"]: one for one in _list(api, staff, "/sample")["sample"]}
    by_rules = _list(api, staff, "/sample", checked=False)["sample"]

    assert lines.keys() == {always, *others}
    assert (lines[always]["checked"], lines[always]["why"]) == (True, "Every repair of band P2 is checked.")
    for order in others:
        assert lines[order]["number"] == pytest.approx(draw(order, sha256))
        assert lines[order]["checked"] == (draw(order, sha256) < lines[order]["share"] == 0.1)
    assert {one["reference"] for one in by_rules} == {one for one in others if not lines[one]["checked"]}


def test_the_sample_is_paged_by_when_evidence_passed_and_not_by_when_that_was_written(
    api: TestClient, staff: dict[str, str]
) -> None:
    late, early, middle = (_a_repair(place=place, now=NOW - ago * HOUR) for place, ago in enumerate((0, 2, 1)))
    seen, after = [], None
    while len(seen) < 9:
        page = _list(api, staff, "/sample", limit=1, **({"after": after} if after else {}))
        seen += [one["reference"] for one in page["sample"]]
        after = page["next"]
        if after is None:
            break

    assert seen == [late, middle, early]
    for wrong in ("nonsense", "2026-11-02T09:00:00+00:00~first"):
        answer = api.get("/api/v1/verification/sample", params={"after": wrong}, headers=staff)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "after")


def test_a_repair_is_shown_after_its_verdict_with_who_gave_it(api: TestClient, staff: dict[str, str]) -> None:
    order = _a_repair()
    body = {"verdict": "passed", "why": "Sound.", "site_check": False}
    assert api.post(f"/api/v1/works-orders/{order}/verify", json=body, headers=staff).status_code == 200

    one = _list(api, staff, f"/{order.lower()}")

    assert (one["state"], one["verifier"].startswith("key:")) == ("payable", True)
    assert _list(api, staff)["repairs"] == []
    assert api.get("/api/v1/verification/W-0000-0000", headers=staff).status_code == 404
    assert api.get("/api/v1/verification", params={"after": "nonsense"}, headers=staff).status_code == 422


def test_the_pages_show_what_waits_and_the_sample(api: TestClient, staff: dict[str, str]) -> None:
    order, other = _a_repair(place=0), _a_repair(place=1, lat=53.80)

    page = api.get("/hub/verification", params={"order": other}, headers=staff)
    sample = api.get("/hub/verification/sample", headers=staff)

    assert page.status_code == sample.status_code == 200
    assert order in page.text
    assert f'data-reference="{other}"' in page.text
    assert "was told from" in page.text
    assert order in sample.text
    assert api.get("/hub/verification", params={"order": "W-0000-0000"}, headers=staff).status_code == 200
