"""Assessing, merging and splitting over HTTP, and what operators and reporters do with reports."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from shared.domain.terms import Role
from shared.store.engine import transaction
from shared.store.references import digest
from shared.store.tables import defect, event, report
from tests.api.conftest import MakeKey
from tests.api.test_recalls import As, as_
from tests.factories import a_defect, triaged

__all__ = ["as_"]

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)
SECRET = "the-secret-of-a-tracking-link-0000"


def reference_of(table: Any, row_id: int) -> str:
    with transaction("test") as tx:
        return str(tx.scalar(select(table.c.reference).where(table.c.id == row_id)))


def a_candidate(**more: Any) -> str:
    with transaction("test") as tx:
        made = a_defect(tx, state="candidate", band=None, reports=0, known_at=NOW - HOUR, **more)
    return reference_of(defect, made)


def a_told(state: str | None = None, **more: Any) -> str:
    """A report that was triaged an hour ago, whose reporter holds SECRET."""
    with transaction("test") as tx:
        made = triaged(tx, NOW - HOUR, tracking_hash=digest(SECRET), **more)
        if state is not None:
            tx.execute(update(report).where(report.c.id == made).values(state=state))
    return reference_of(report, made)


@pytest.fixture
def reporter(api: TestClient) -> Any:
    def post(path: str, **body: Any) -> Any:
        return api.post(f"/api/v1{path}", json=body or None, headers={"Authorization": f"Bearer {SECRET}"})

    return post


def test_an_operator_confirms_and_sees_band_and_due_times_with_reasons(as_: As) -> None:
    operator, reference = as_(Role.OPERATOR), a_candidate(hierarchy="3a")

    said = operator.post(
        f"/defects/{reference}/assess",
        decision="confirm",
        why="Measured.",
        depth_mm=50,
        width_mm=300,
        impact=2,
        likelihood=2,
    )

    assert said.status_code == 200
    body = said.json()
    assert (body["state"], body["band"], body["make_safe_due_at"]) == ("confirmed", "P5", None)
    assert body["permanent_due_at"] is not None
    assert body["why"]
    assert body["due_why"]


def test_a_downgrade_says_that_a_second_person_is_needed(as_: As) -> None:
    operator, reference = as_(Role.OPERATOR), a_candidate()
    path = f"/defects/{reference}/assess"
    operator.post(path, decision="confirm", why="Seen.", impact=3, likelihood=3)

    refused = operator.post(path, decision="confirm", why="Not so bad.", impact=1, likelihood=2)
    agreed = as_(Role.SUPERVISOR).post(path, decision="confirm", why="Not so bad.", impact=1, likelihood=2)

    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/needs-second")
    assert agreed.json()["band"] == "P20"


def test_many_are_assessed_with_a_result_for_each(as_: As) -> None:
    operator = as_(Role.OPERATOR)
    named = [a_candidate(street_key=str(n)) for n in range(3)]

    said = operator.post(
        "/defects/assess",
        references=[*named, "D-0000-0000"],
        decision="confirm",
        why="On the round.",
        impact=2,
        likelihood=2,
    ).json()

    assert [one["reference"] for one in said["results"]] == [*named, "D-0000-0000"]
    assert [one["problem"] for one in said["results"]] == [None, None, None, "not-found"]
    assert said["results"][0]["defect"]["state"] == "confirmed"


@pytest.mark.parametrize(
    ("body", "field"),
    [({"facts": {"on_fire": True}}, "facts.on_fire"), ({"impact": 5}, "impact"), ({"colour": "red"}, "colour")],
)
def test_what_is_wrong_in_an_assessment_is_named(as_: As, body: dict[str, Any], field: str) -> None:
    said = as_(Role.OPERATOR).post(f"/defects/{a_candidate()}/assess", decision="confirm", why="Seen.", **body)

    assert said.status_code == 422
    assert [one["field"] for one in said.json()["errors"]] == [field]


def test_only_staff_assess(api: TestClient, as_: As) -> None:
    reference = a_candidate()
    body = {"decision": "confirm", "why": "I say so."}

    public = api.post(f"/api/v1/defects/{reference}/assess", json=body).status_code
    contractor = as_(Role.CONTRACTOR, contractor="alder").post(f"/defects/{reference}/assess", **body).status_code

    assert (public, contractor) == (401, 403)


def test_two_defects_are_merged_and_told_apart_again(as_: As) -> None:
    operator, one, other = as_(Role.OPERATOR), a_candidate(), a_candidate(easting=353_004.0)

    merged = operator.post(f"/defects/{one}/merge", into=other, why="One hole.").json()
    undone = operator.post(f"/defects/{one}/unmerge", why="Two after all.").json()

    assert (merged["stands"], undone["stands"]) == (other, one)
    with transaction("test") as tx:
        assert set(tx.scalars(select(defect.c.state))) == {"candidate"}


def test_a_defect_is_split_by_the_reports_that_saw_the_other(as_: As, api: TestClient) -> None:
    first, second = a_told(), a_told_again()
    with transaction("test") as tx:
        (whole,) = tx.scalars(select(defect.c.reference))

    said = as_(Role.OPERATOR).post(f"/defects/{whole}/split", reports=[second], why="Two holes.")

    assert (said.status_code, said.json()["reference"]) == (201, whole)
    assert said.json()["stands"] != whole
    assert first != second
    assert api


def a_told_again() -> str:
    with transaction("test") as tx:
        made = triaged(tx, NOW - HOUR)
    return reference_of(report, made)


def test_a_report_is_unlinked_and_linked_again(as_: As, api: TestClient) -> None:
    told, operator = a_told(), as_(Role.OPERATOR)
    with transaction("test") as tx:
        (known,) = tx.scalars(select(defect.c.reference))

    unlinked = operator.post(f"/reports/{told}/unlink", defect=known, why="Another hole.").json()
    linked = operator.post(f"/reports/{told}/decide", decision="link", defect=known, why="It was this one.").json()

    assert (unlinked["state"], linked["state"], linked["defect"]) == ("triage", "linked", known)
    assert api


@pytest.mark.parametrize(
    ("decision", "state"),
    [
        ({"decision": "refer", "target": "National Highways", "why": "Their road."}, "referred"),
        ({"decision": "reject", "reason": "not_highways", "why": "A broken bin."}, "rejected"),
        ({"decision": "no_defect", "why": "Nothing there.", "evidence": "Photo 12."}, "no_defect_found"),
        ({"decision": "ask", "question": "Which lane?"}, "needs_info"),
        ({"decision": "new_defect", "why": "On the bridge."}, "linked"),
    ],
)
def test_an_operator_decides_about_a_report(as_: As, decision: dict[str, Any], state: str) -> None:
    told = a_told("triage")

    said = as_(Role.OPERATOR).post(f"/reports/{told}/decide", **decision)

    assert (said.status_code, said.json()["state"]) == (200, state)


def test_a_question_is_answered_and_leaves_the_queue(as_: As, api: TestClient) -> None:
    with transaction("test") as tx:
        known = triaged(tx, NOW - HOUR)
        unsure = triaged(tx, NOW, easting=353_030.0)
        assert known != unsure
    operator = as_(Role.OPERATOR)
    (asked,) = operator.get("/questions").json()["questions"]
    (candidate,) = asked["candidates"]

    said = operator.post(
        f"/questions/{asked['reference']}/answer", answer="same", defect=candidate["reference"], why="Same cover."
    )
    again = operator.post(f"/questions/{asked['reference']}/answer", answer="different", why="No.")

    assert candidate["distance_m"] == pytest.approx(30, abs=1)
    assert said.json() == {"report": asked["reference"], "defect": candidate["reference"]}
    assert again.status_code == 409
    assert operator.get("/questions").json()["questions"] == []
    assert api


@pytest.mark.parametrize("answer", ["different", "cannot_tell"])
def test_what_is_not_the_same_is_a_defect_of_its_own(as_: As, answer: str) -> None:
    with transaction("test") as tx:
        triaged(tx, NOW - HOUR)
        triaged(tx, NOW, easting=353_030.0)
    operator = as_(Role.OPERATOR)
    (asked,) = operator.get("/questions").json()["questions"]

    said = operator.post(f"/questions/{asked['reference']}/answer", answer=answer, why="Looked at the map.").json()

    assert said["defect"] != asked["candidates"][0]["reference"]
    with transaction("test") as tx:
        assert len(tx.execute(select(defect.c.id)).all()) == 2


def test_same_needs_a_defect_and_different_takes_none(as_: As) -> None:
    told = a_told("triage")
    operator = as_(Role.OPERATOR)

    without = operator.post(f"/questions/{told}/answer", answer="same", why="Because.")
    withal = operator.post(f"/questions/{told}/answer", answer="different", defect="D-0000-0000", why="Because.")

    assert (without.status_code, withal.status_code) == (422, 422)


def test_a_reporter_answers_withdraws_and_opens_no_other_report(as_: As, reporter: Any) -> None:
    mine = a_told("triage")
    other = a_told_again()
    as_(Role.OPERATOR).post(f"/reports/{mine}/decide", decision="ask", question="Which lane?")

    answered = reporter(f"/reports/{mine}/answer", words="The left one.")
    elsewhere = reporter(f"/reports/{other}/withdraw")
    withdrawn = reporter(f"/reports/{mine}/withdraw")

    assert (answered.json()["state"], elsewhere.status_code, withdrawn.json()["state"]) == ("triage", 404, "withdrawn")


def test_a_reporter_says_that_it_is_not_fixed(as_: As, reporter: Any) -> None:
    mine = a_told()
    with transaction("test") as tx:
        (known,) = tx.scalars(select(defect.c.reference))
    as_(Role.OPERATOR).post(f"/defects/{known}/assess", decision="no_defect", why="A shadow.")

    said = reporter(f"/reports/{mine}/challenge", words="It is no shadow, ring 07700 900123!")

    assert said.json() == {"reference": mine, "state": "triage", "defect": None}
    with transaction("test") as tx:
        assert "07700" not in str(tx.scalars(select(event.c.data)).all())


def test_an_unknown_secret_changes_nothing(api: TestClient, a_key: MakeKey) -> None:
    mine = a_told()

    said = api.post(f"/api/v1/reports/{mine}/withdraw", headers={"Authorization": "Bearer nobody-knows-this-one"})

    assert said.status_code == 401
    assert a_key
