"""What matching was unsure of is answered: by what is known then, which may be more than when it was asked."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from shared.flows import answer_question
from shared.flows.answer_question import Answer
from shared.store.engine import WriteTx
from shared.store.tables import defect, question, recall, recall_sighting, report, sighting
from tests.factories import a_defect, a_verified_repair, adopt_default_policy, an_order, triaged

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
EASTING = 353_000.0


@pytest.fixture(autouse=True)
def _policy(tx: WriteTx) -> None:
    adopt_default_policy(tx)


def told(tx: WriteTx, metres_east: float, **more: Any) -> int:
    return triaged(tx, NOW, easting=EASTING + metres_east, **more)


def name(tx: WriteTx, table: Any, row_id: int) -> str:
    return str(tx.scalar(select(table.c.reference).where(table.c.id == row_id)))


def answer(tx: WriteTx, report_id: int, said: Answer, which: int | None = None) -> str | None:
    named = None if which is None else name(tx, defect, which)
    return answer_question.answer(tx, name(tx, report, report_id), said, named, "I looked at the photos.", NOW)


def asked_about(tx: WriteTx, report_id: int) -> list[int] | None:
    """The candidates of the open question about a report; None when none is open."""
    rows = select(question.c.candidates).where(question.c.report_id == report_id, question.c.settled_at.is_(None))
    candidates = tx.scalar(rows)
    return None if candidates is None else [one["defect_id"] for one in candidates]


def defects_of(tx: WriteTx, *reports: int) -> list[int]:
    return list(
        tx.scalars(select(sighting.c.defect_id).where(sighting.c.report_id.in_(reports)).order_by(sighting.c.id))
    )


def state(tx: WriteTx, report_id: int) -> str:
    return str(tx.scalar(select(report.c.state).where(report.c.id == report_id)))


@pytest.mark.parametrize("said", [Answer.DIFFERENT, Answer.CANNOT_TELL])
def test_two_reports_of_one_hole_that_wait_side_by_side_found_one_defect(tx: WriteTx, said: Answer) -> None:
    neighbour = told(tx, 0)
    first, second = told(tx, 30), told(tx, 33)
    assert asked_about(tx, first) == asked_about(tx, second) == defects_of(tx, neighbour)

    answers = [answer(tx, one, said) for one in (first, second)]

    one, other = defects_of(tx, first, second)
    assert one == other != defects_of(tx, neighbour)[0]
    assert answers == [name(tx, defect, one)] * 2
    assert [state(tx, each) for each in (first, second)] == ["linked", "linked"]
    assert tx.scalar(select(defect.c.reports).where(defect.c.id == one)) == 2


def test_who_said_that_it_is_not_this_one_is_not_told_that_it_is_since_more_was_seen(tx: WriteTx) -> None:
    (neighbour,) = defects_of(tx, told(tx, 0))
    unsure = told(tx, 22)
    assert defects_of(tx, told(tx, 14, accuracy_m=8.0)) == [neighbour]

    answer(tx, unsure, Answer.DIFFERENT)

    assert defects_of(tx, unsure) not in ([], [neighbour])


def test_what_came_since_and_may_be_it_is_asked_about_and_what_was_denied_stays_denied(tx: WriteTx) -> None:
    (neighbour,) = defects_of(tx, told(tx, 0))
    unsure = told(tx, 30)
    since = a_defect(tx, easting=EASTING + 45, state="candidate")

    first = answer(tx, unsure, Answer.DIFFERENT)
    asked = asked_about(tx, unsure)
    second = answer(tx, unsure, Answer.DIFFERENT)

    assert (first, asked) == (None, [since, neighbour])
    assert asked_about(tx, unsure) is None
    assert [second] == [name(tx, defect, one) for one in defects_of(tx, unsure)]
    assert not {since, neighbour} & {*defects_of(tx, unsure)}


def test_a_repair_that_failed_since_is_recalled_not_doubled(tx: WriteTx) -> None:
    told(tx, 0)
    unsure = told(tx, 30)
    repaired = a_defect(tx, easting=EASTING + 30, known_at=NOW - 2 * DAY)
    an_order(tx, repaired, now=NOW - DAY)
    a_verified_repair(tx, repaired, NOW - HOUR)

    said = answer(tx, unsure, Answer.DIFFERENT)

    assert said is None
    assert tx.scalar(select(recall.c.defect_id)) == repaired
    assert list(tx.scalars(select(recall_sighting.c.report_id))) == [unsure]
    assert (state(tx, unsure), asked_about(tx, unsure), defects_of(tx, unsure)) == ("triage", None, [])


def test_of_a_repair_that_came_under_warranty_while_the_question_waited_it_proposes_a_recall(tx: WriteTx) -> None:
    standing = a_defect(tx, known_at=NOW - 2 * DAY)
    an_order(tx, standing, now=NOW - DAY)
    unsure = told(tx, 30)
    a_verified_repair(tx, standing, NOW - HOUR)

    said = answer(tx, unsure, Answer.SAME, standing)

    assert said is None
    assert tx.scalar(select(recall.c.defect_id)) == standing
    assert list(tx.scalars(select(recall_sighting.c.report_id))) == [unsure]
    assert (state(tx, unsure), asked_about(tx, unsure)) == ("triage", None)


def test_a_report_that_waited_for_its_reporter_and_waits_again_is_read_by_when_a_new_one_would_be(tx: WriteTx) -> None:
    told(tx, 0)
    unsure = told(tx, 30)
    a_defect(tx, easting=EASTING + 45, state="candidate")
    waited = {"state": "needs_info", "triage_due_at": NOW - 10 * DAY}
    tx.execute(update(report).where(report.c.id == unsure).values(waited))

    answer(tx, unsure, Answer.DIFFERENT)

    assert (state(tx, unsure), len(asked_about(tx, unsure) or [])) == ("triage", 2)
    assert tx.scalar(select(report.c.triage_due_at).where(report.c.id == unsure)) > NOW + HOUR


def test_of_what_was_seen_before_the_repair_it_is_linked(tx: WriteTx) -> None:
    standing = a_defect(tx, known_at=NOW - 2 * DAY)
    an_order(tx, standing, now=NOW - DAY)
    unsure = told(tx, 30)
    a_verified_repair(tx, standing, NOW + 3 * HOUR)

    said = answer(tx, unsure, Answer.SAME, standing)

    assert said == name(tx, defect, standing)
    assert (defects_of(tx, unsure), state(tx, unsure)) == ([standing], "resolved")
