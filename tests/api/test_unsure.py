"""The matching queue over HTTP: what a question shows, two who answer one, and an answer that is taken back."""

from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import insert, select

from shared.domain.terms import Role
from shared.store import references
from shared.store.engine import transaction
from shared.store.tables import photo, report, street
from tests.api.conftest import MakeKey
from tests.api.test_recalls import As, as_
from tests.factories import a_defect, triaged

__all__ = ["as_"]

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)


def a_photo(tx: Any, report_id: int) -> str:
    named: str = references.fresh("P")
    tx.execute(
        insert(photo).values(
            reference=named,
            report_id=report_id,
            role="report",
            sha256=named.encode(),
            phash="0" * 16,
            media_type="image/jpeg",
            width_px=800,
            height_px=600,
            size_bytes=1,
            received_at=NOW,
        )
    )
    return named


def a_question(metres: float = 30, **more: Any) -> str:
    """A report of which matching is unsure, beside one that founded a defect. Its reference."""
    with transaction("test") as tx:
        triaged(tx, NOW - 5 * HOUR, easting=353_000.0, description="By the bakery.", **more)
        unsure = triaged(tx, NOW, easting=353_000.0 + metres, description="A hole.", **more)
        return str(tx.scalar(select(report.c.reference).where(report.c.id == unsure)))


def test_a_question_shows_what_tells_of_both(as_: As) -> None:
    with transaction("test") as tx:
        road = insert(street).values(
            network_id="n1", street_key="b77", name="Fishergate", geom="SRID=27700;MULTILINESTRING((0 0, 1 1))"
        )
        on = {"street_key": "b77", "street_id": tx.scalar(road.returning(street.c.id))}
        founder = triaged(tx, NOW - 5 * HOUR, description="By the bakery.", street_side="left", **on)
        unsure = triaged(tx, NOW, easting=353_030.0, street_side="left", **on)
        mine, its = a_photo(tx, unsure), a_photo(tx, founder)

    page = as_(Role.OPERATOR).get("/questions").json()

    (asked,) = page["questions"]
    (one,) = asked["candidates"]
    assert (page["waiting"], page["next"]) == (1, None)
    assert (asked["street"], asked["street_side"], one["street"]) == ("Fishergate", "left", "Fishergate")
    assert [shot["url"] for shot in asked["photos"]] == [f"/api/v1/photos/{mine}"]
    assert [shot["url"] for shot in one["photos"]] == [f"/api/v1/photos/{its}"]
    assert [told["description"] for told in one["words"]] == ["By the bakery."]
    assert {fact["what"]: fact["words"] for fact in one["facts"]} == {
        "Distance": "30 m apart, ± 10 m",
        "Street": "Same street: Fishergate",
        "Side": "Same side",
        "Class": "Same class: pothole",
        "Time": "Seen 5 hours after this was last seen",
    }
    assert one["why"].startswith("30 m away, same street and side")


def test_one_report_is_asked_for_by_its_reference_and_pages_follow_on(as_: As) -> None:
    first = a_question()
    with transaction("test") as tx:
        triaged(tx, NOW + HOUR, easting=353_031.0)
    operator = as_(Role.OPERATOR)

    one = operator.get("/questions", report=first).json()
    page = operator.get("/questions", limit=1).json()
    rest = operator.get("/questions", limit=1, after=page["next"]).json()

    assert [asked["reference"] for asked in one["questions"]] == [first]
    assert page["questions"][0]["reference"] == first
    assert [asked["reference"] == first for asked in rest["questions"]] == [False]
    assert (page["waiting"], rest["next"]) == (2, None)


def test_the_second_of_two_operators_is_told_who_answered_and_how(as_: As) -> None:
    asked = a_question()
    (question,) = as_(Role.OPERATOR).get("/questions").json()["questions"]
    body = {"why": "Looked at both.", "question": question["id"]}
    as_(Role.OPERATOR).post(f"/questions/{asked}/answer", answer="different", **body)

    second = as_(Role.SUPERVISOR).post(f"/questions/{asked}/answer", answer="cannot_tell", **body)

    assert second.status_code == 409
    assert second.json()["detail"].endswith(f"has answered the question about {asked}: different from all of them.")


def test_an_answer_is_taken_back_by_who_gave_it(as_: As) -> None:
    asked = a_question()
    operator = as_(Role.OPERATOR)
    said = operator.post(f"/questions/{asked}/answer", answer="different", why="Another hole.").json()
    other = as_(Role.SUPERVISOR).post(f"/questions/{asked}/take-back")

    again = operator.post(f"/questions/{asked}/take-back")

    assert said["defect"]
    assert other.status_code == 409
    assert again.json() == {"report": asked, "waiting": 1}
    assert [one["reference"] for one in operator.get("/questions").json()["questions"]] == [asked]


def test_a_candidate_that_was_merged_is_shown_as_its_original(as_: As) -> None:
    a_question()
    operator = as_(Role.OPERATOR)
    (asked,) = operator.get("/questions").json()["questions"]
    with transaction("test") as tx:
        a_defect(tx, easting=353_500.0, reference="D-0000-0009")
    operator.post(f"/defects/{asked['candidates'][0]['reference']}/merge", into="D-0000-0009", why="One hole.")

    (shown,) = operator.get("/questions").json()["questions"]

    assert [one["reference"] for one in shown["candidates"]] == ["D-0000-0009"]


def test_agreement_is_told_with_what_it_leaves_out(as_: As) -> None:
    asked = a_question()
    operator = as_(Role.OPERATOR)
    operator.post(f"/questions/{asked}/answer", answer="cannot_tell", why="Nobody can from here.")

    told = operator.get("/dedupe/report").json()
    wrong = operator.get("/dedupe/report", **{"from": "2026-11-02", "to": "2026-11-01"})

    assert (told["total"]["unsure"], told["total"]["cannot_tell"], told["total"]["new"]) == (1, 1, 1)
    assert told["total"]["shares"]["cannot_tell"] == 1.0
    assert "nobody looked" in told["cautions"][0]
    assert wrong.status_code == 422


def test_only_staff_read_it(api: TestClient, a_key: MakeKey) -> None:
    crew = a_key(Role.CONTRACTOR, contractor="alder").headers

    assert api.get("/hub/unsure", follow_redirects=False, headers={"Accept": "text/html"}).status_code == 303
    assert api.get("/api/v1/dedupe/report", headers=crew).status_code == 403
