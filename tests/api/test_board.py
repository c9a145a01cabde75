"""What the board counts, where what waits lies, and a past day from the record, over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import insert, select, update

from shared.domain.events import DefectDetected, DefectGraded, DefectRecorded, DefectStepped
from shared.domain.terms import Role
from shared.store import deliveries, event_log, feed, references
from shared.store.engine import WriteTx, transaction
from shared.store.tables import defect, delivery, question, report
from tests.api.conftest import MakeKey
from tests.factories import a_defect, a_report

NOW = datetime.now(UTC)


@pytest.fixture
def staff(a_key: MakeKey) -> dict[str, str]:
    return a_key(Role.OPERATOR).headers


def _board(api: TestClient, headers: dict[str, str]) -> dict[str, Any]:
    answer = api.get("/api/v1/board", headers=headers)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def _on_the_map(api: TestClient, headers: dict[str, str], **query: Any) -> int:
    """How many open defects the map's own filter finds."""
    answer = api.get("/api/v1/defects", headers=headers, params={"limit": 1000, **query})
    assert answer.status_code == 200, answer.text
    return len(answer.json()["features"])


def test_open_defects_are_counted_by_band_and_whether_they_are_late(api: TestClient, staff: dict[str, str]) -> None:
    with transaction("test") as tx:
        for facts in ({"band": "E", "overdue": True}, {"band": "E"}, {"band": None}, {"band": "P2", "state": "closed"}):
            a_defect(tx, **facts)

    told = _board(api, staff)

    counted = {one["band"]: (one["open"], one["overdue"]) for one in told["bands"]}
    assert list(counted) == ["E", "P2", "P5", "P10", "G", "R", "P20", "T", "M", None]
    assert (counted["E"], counted["P2"], counted[None]) == ((2, 1), (0, 0), (1, 0))
    assert (told["open"], told["overdue"]) == (3, 1)


def test_what_is_due_today_is_what_the_map_and_the_queue_show_as_due_today(
    api: TestClient, staff: dict[str, str]
) -> None:
    today = _board(api, staff)["today"]
    noon = datetime.fromisoformat(today["from"]) + timedelta(hours=12)
    later = noon + timedelta(days=3)
    with transaction("test") as tx:
        a_defect(tx, permanent_due_at=noon)
        a_defect(tx, permanent_due_at=later, make_safe_due_at=noon)
        a_defect(tx, permanent_due_at=later, make_safe_due_at=noon, made_safe_at=NOW)
        a_defect(tx, permanent_due_at=noon, state="repair_claimed")
        a_defect(tx, permanent_due_at=noon, make_safe_due_at=noon - timedelta(days=1))
        a_defect(tx, permanent_due_at=later)

    assert _board(api, staff)["due_today"] == 2

    assert _on_the_map(api, staff, due_from=today["from"], due_before=today["before"]) == 2
    assert api.get("/api/v1/queue?due=repair", headers=staff).json()["total"] == 2
    assert _on_the_map(api, staff, graded=False) == 0


def test_what_waits_for_a_person_is_counted_and_located(api: TestClient, staff: dict[str, str]) -> None:
    with transaction("test") as tx:
        unread = a_report(tx, danger=True)
        a_report(tx, danger=True, taken_at=NOW)
        a_report(tx, danger=True, external_id="old-1")
        tx.execute(update(report).where(report.c.id == a_report(tx, danger=True)).values(state="resolved"))
        asked = a_report(tx)
        tx.execute(question.insert().values(report_id=asked, asked_at=NOW))
        tx.execute(update(delivery).where(delivery.c.subject_id == unread).values(parked_at=NOW))
        parked = len(deliveries.listed(tx))
        names = dict(map(tuple, tx.execute(select(report.c.id, report.c.reference))))

    told = _board(api, staff)
    located = {
        what: [one["reference"] for one in api.get(f"/api/v1/board/points/{what}", headers=staff).json()["points"]]
        for what in ("danger", "unsure", "recalls")
    }

    assert (told["danger"], told["unsure"], told["parked"], told["recalls"]) == (1, 1, parked, 0)
    assert parked > 0
    assert located == {"danger": [names[unread]], "unsure": [names[asked]], "recalls": []}


def test_the_months_share_of_repairs_is_told_with_its_cohort(api: TestClient, staff: dict[str, str]) -> None:
    told = _board(api, staff)["right_first_time"]

    assert (told["counted"], told["of"], told["value"]) == (0, 0, None)
    assert "this month" in told["definition"]


def test_a_page_of_the_feed_is_the_newest_or_what_follows_a_number(api: TestClient, staff: dict[str, str]) -> None:
    with transaction("test") as tx:
        for _ in range(7):
            a_defect(tx)
        due = deliveries.take(tx, "feed", NOW + timedelta(days=1), 100)
        feed.project(tx, due)
        deliveries.done(tx, due)

    def numbers(**query: int) -> tuple[list[int], int | None]:
        told = api.get("/api/v1/feed/lines", headers=staff, params=query).json()
        return [one["number"] for one in told["lines"]], told["next"]

    assert numbers(limit=3) == ([5, 6, 7], None)
    assert numbers(limit=3, before=5) == ([2, 3, 4], None)
    assert numbers(limit=3, after=0) == ([1, 2, 3], 3)
    assert numbers(limit=9, after=3) == ([4, 5, 6, 7], None)
    assert numbers(limit=9, before=1) == ([], None)
    assert numbers(limit=9) == ([1, 2, 3, 4, 5, 6, 7], None)


def _copied(tx: WriteTx, defect_id: int) -> int:
    """The same row once more, of which the record says nothing yet."""
    row = dict(tx.execute(select(defect).where(defect.c.id == defect_id)).one()._mapping)
    values = {**row, "reference": references.fresh("D")}
    del values["id"]
    copied: int = tx.scalar(insert(defect).values(values).returning(defect.c.id))
    return copied


def _graded(defect_id: int, band: str, was: str | None, due: datetime | None) -> DefectGraded:
    return DefectGraded(
        defect_id=defect_id, band=band, was=was, why=(), permanent_due=None if due is None else due.isoformat()
    )


def test_a_day_begins_with_what_was_open_then_as_it_was_then(api: TestClient, staff: dict[str, str]) -> None:
    """The day is tomorrow, what is so far is before it, and what happens in it is told already."""
    midnight = datetime.fromisoformat(_board(api, staff)["today"]["before"])
    path, within = f"/api/v1/board/days/{midnight:%Y-%m-%d}/defects", midnight + timedelta(hours=3)
    with transaction("test") as tx:
        same, mended, regraded = a_defect(tx), a_defect(tx, state="closed"), a_defect(tx, band="E")
        event_log.append(tx, DefectStepped(defect_id=mended, before="confirmed", after="ordered", why="-"), NOW)
        event_log.append(tx, _graded(regraded, "P20", None, NOW), NOW)
        founded, new = _copied(tx, same), _copied(tx, same)
        later = [
            DefectStepped(defect_id=mended, before="ordered", after="closed", why="-"),
            _graded(regraded, "E", "P20", None),
            DefectDetected(defect_id=founded, before=None, after="candidate", class_code="pothole", batch_id=1),
            DefectRecorded(defect_id=new, before=None, after="candidate", class_code="pothole"),
        ]
        event_log.append(tx, later, within)
        names = dict(map(tuple, tx.execute(select(defect.c.id, defect.c.reference))))

    told = api.get(path, headers=staff).json()

    assert {row[0]: row[4:7] for row in told["defects"]} == {
        names[same]: ["confirmed", "P10", False],
        names[mended]: ["ordered", "P10", False],
        names[regraded]: ["confirmed", "P20", True],
        names[founded]: ["candidate", None, False],
    }
    came = {row[0]: row[7] for row in told["defects"] if row[7] is not None}
    assert {name: datetime.fromisoformat(at) for name, at in came.items()} == {names[founded]: within}
    first = api.get(path, headers=staff, params={"limit": 3}).json()
    rest = api.get(path, headers=staff, params={"limit": 3, "after": first["next"]}).json()
    assert ([*first["defects"], *rest["defects"]], rest["next"]) == (told["defects"], None)


def test_a_day_knows_which_lines_it_has(api: TestClient, staff: dict[str, str]) -> None:
    today = datetime.fromisoformat(_board(api, staff)["today"]["from"])
    with transaction("test") as tx:
        for days in (-1, 0, 0, 1):
            event_log.append(tx, _graded(1, "P2", None, None), today + timedelta(days=days, hours=2))
        feed.project(tx, deliveries.take(tx, "feed", NOW + timedelta(days=2), 100))

    told = api.get(f"/api/v1/board/days/{today:%Y-%m-%d}", headers=staff).json()
    quiet = api.get("/api/v1/board/days/2001-05-01", headers=staff).json()

    assert (told["first"], told["last"]) == (2, 3)
    assert datetime.fromisoformat(told["before"]) - datetime.fromisoformat(told["from"]) >= timedelta(hours=23)
    assert (quiet["first"], quiet["last"]) == (None, None)
