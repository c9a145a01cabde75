"""What people say of sameness is kept beside what the machine had said: once, exactly, and as it was said last."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from shared.domain.agreement import Line
from shared.domain.events import Consumer
from shared.domain.kpi import Period
from shared.errors import Conflict
from shared.flows import answer_question, detections_to_defects, merge_defects, take_back_answer
from shared.flows.answer_question import Answer
from shared.store.engine import WriteTx
from shared.store.read_models import dedupe, questions
from shared.store.tables import apart, defect, label, question, report, sighting
from tests.factories import a_defect, a_verified_repair, adopt_default_policy, an_order, hear, triaged
from tests.flows.test_matching_detections import a_batch

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EASTING = 353_000.0
TODAY = Period((NOW - DAY).date(), (NOW + DAY).date())
WHY = "I looked at the photos."


@pytest.fixture(autouse=True)
def _policy(tx: WriteTx) -> None:
    adopt_default_policy(tx)


def told(tx: WriteTx, metres_east: float, **more: Any) -> int:
    return triaged(tx, NOW, easting=EASTING + metres_east, **more)


def name(tx: WriteTx, table: Any, row_id: int) -> str:
    return str(tx.scalar(select(table.c.reference).where(table.c.id == row_id)))


def answer(tx: WriteTx, report_id: int, said: Answer, which: int | None = None, at: datetime = NOW) -> str | None:
    named = None if which is None else name(tx, defect, which)
    return answer_question.answer(tx, name(tx, report, report_id), said, named, WHY, at)


def take_back(tx: WriteTx, report_id: int, at: datetime = NOW + HOUR) -> None:
    take_back_answer.take_back(tx, name(tx, report, report_id), at)


def as_another(tx: WriteTx) -> WriteTx:
    return WriteTx(tx.connection, "person:77")


def defects_of(tx: WriteTx, *reports: int) -> list[int]:
    standing = select(sighting.c.defect_id).where(sighting.c.report_id.in_(reports), sighting.c.unlinked_at.is_(None))
    return list(tx.scalars(standing.order_by(sighting.c.id)))


def asked_about(tx: WriteTx, report_id: int) -> list[int] | None:
    rows = select(question.c.candidates).where(question.c.report_id == report_id, question.c.settled_at.is_(None))
    candidates = tx.scalar(rows)
    return None if candidates is None else [one["defect_id"] for one in candidates]


def labels(tx: WriteTx) -> list[tuple[int | None, int, str, str]]:
    """Report or detection, defect, what was said, and what the machine had said; in the order in which it was said."""
    rows = tx.execute(select(label).order_by(label.c.id))
    return [(row.report_id or row.detection_id, row.defect_id, row.answer, row.machine) for row in rows]


def only(tx: WriteTx, **wanted: Any) -> Line:
    (line,) = dedupe.agreement(tx, TODAY, UTC).lines
    assert {key: getattr(line, key) for key in wanted} == wanted
    return line


def between_two(tx: WriteTx) -> tuple[int, int, int]:
    """A report that may be of either of two defects, nearer to the first."""
    first = a_defect(tx, easting=EASTING)
    second = a_defect(tx, easting=EASTING + 70)
    unsure = told(tx, 33)
    assert asked_about(tx, unsure) == [first, second]
    return unsure, first, second


# --- answers ---------------------------------------------------------------------------------------------------------


def test_each_candidate_has_its_label_with_all_that_the_machine_knew(tx: WriteTx) -> None:
    unsure, first, second = between_two(tx)

    answer(tx, unsure, Answer.SAME, second)

    assert labels(tx) == [(unsure, first, "different", "unsure"), (unsure, second, "same", "unsure")]
    kept = tx.execute(select(label).where(label.c.defect_id == second)).one()
    assert (kept.source, kept.model, kept.actor, kept.at) == ("web", None, "test", NOW)
    assert kept.distance_m == pytest.approx(37, abs=0.1)
    assert kept.machine_why.startswith("37 m away, same street")
    assert kept.policy_id is not None
    assert kept.question_id is not None


@pytest.mark.parametrize("said", [Answer.DIFFERENT, Answer.CANNOT_TELL])
def test_none_of_them_is_said_of_each(tx: WriteTx, said: Answer) -> None:
    unsure, first, second = between_two(tx)

    answer(tx, unsure, said)

    assert labels(tx) == [(unsure, first, said, "unsure"), (unsure, second, said, "unsure")]


def test_a_candidate_that_was_merged_is_what_its_original_is(tx: WriteTx) -> None:
    unsure, first, second = between_two(tx)
    merge_defects.merge(tx, name(tx, defect, second), name(tx, defect, first), WHY, NOW)

    answer(tx, unsure, Answer.SAME, first)

    assert labels(tx) == [(unsure, first, "same", "unsure"), (unsure, second, "same", "unsure")]


def test_who_links_by_hand_or_records_a_defect_answers_the_question_too(tx: WriteTx) -> None:
    unsure, first, second = between_two(tx)
    other = told(tx, 34)

    merge_defects.link(tx, name(tx, report, unsure), name(tx, defect, first), WHY, NOW)
    merge_defects.found(tx, name(tx, report, other), WHY, NOW)

    assert labels(tx) == [
        (unsure, first, "same", "unsure"),
        (other, first, "different", "unsure"),
        (other, second, "different", "unsure"),
    ]


# --- two operators ---------------------------------------------------------------------------------------------------


def test_the_second_of_two_answers_is_refused_and_leaves_no_label(tx: WriteTx) -> None:
    unsure, _, second = between_two(tx)
    answer(tx, unsure, Answer.SAME, second)
    before = labels(tx)

    with pytest.raises(Conflict, match=r"has answered the question about R-\S+: the same\."):
        answer(as_another(tx), unsure, Answer.DIFFERENT)

    assert labels(tx) == before


def test_a_question_that_was_asked_anew_is_not_answered_by_who_saw_the_old_one(tx: WriteTx) -> None:
    unsure, first, _ = between_two(tx)
    (seen,) = questions.page(tx, after=None, most=1).rows
    a_defect(tx, easting=EASTING + 45, state="candidate")
    assert answer(tx, unsure, Answer.DIFFERENT) is None

    with pytest.raises(Conflict, match="asked about anew"):
        answer_question.answer(
            tx, name(tx, report, unsure), Answer.SAME, name(tx, defect, first), WHY, NOW, question=seen["id"]
        )

    assert len(asked_about(tx, unsure) or ()) == 3


# --- taken back ------------------------------------------------------------------------------------------------------


def test_a_link_is_taken_back_and_its_labels_count_no_longer(tx: WriteTx) -> None:
    unsure, first, second = between_two(tx)
    answer(tx, unsure, Answer.SAME, second)

    take_back(tx, unsure)

    assert (defects_of(tx, unsure), asked_about(tx, unsure)) == ([], [first, second])
    assert labels(tx)[2:] == [(unsure, first, "taken_back", "unsure"), (unsure, second, "taken_back", "unsure")]
    only(tx, unsure=1, answered=0, open=1)


def test_what_is_answered_again_counts_once(tx: WriteTx) -> None:
    unsure, first, _ = between_two(tx)
    answer(tx, unsure, Answer.DIFFERENT)
    take_back(tx, unsure)

    answer(tx, unsure, Answer.SAME, first, NOW + 2 * HOUR)

    assert defects_of(tx, unsure) == [first]
    only(tx, unsure=1, said_same=1, said_first=1, said_different=0, open=0)


def test_what_the_answer_recorded_is_gone_and_the_question_can_be_answered_with_same(tx: WriteTx) -> None:
    unsure, first, second = between_two(tx)
    answer(tx, unsure, Answer.DIFFERENT)
    (founded,) = defects_of(tx, unsure)

    take_back(tx, unsure)

    assert tx.scalar(select(defect.c.state).where(defect.c.id == founded)) == "no_defect"
    pairs = select(apart.c.defect_id).where(apart.c.other_id == founded, apart.c.undone_at.is_(None))
    assert {first, second}.isdisjoint(tx.scalars(pairs))
    assert tx.scalar(select(report.c.state).where(report.c.id == unsure)) == "triage"


def test_an_answer_that_led_to_another_question_is_taken_back_with_both_their_candidates(tx: WriteTx) -> None:
    unsure, first, second = between_two(tx)
    since = a_defect(tx, easting=EASTING + 45, state="candidate")
    assert answer(tx, unsure, Answer.DIFFERENT) is None

    take_back(tx, unsure)

    assert asked_about(tx, unsure) == [first, second, since]
    only(tx, unsure=1, answered=0, open=1)


def test_only_who_gave_an_answer_takes_it_back(tx: WriteTx) -> None:
    unsure, _, second = between_two(tx)
    answer(tx, unsure, Answer.SAME, second)

    with pytest.raises(Conflict, match="ask them to take it back"):
        take_back(as_another(tx), unsure)

    assert defects_of(tx, unsure) == [second]


def test_what_others_have_built_on_an_answer_stays_and_it_is_said_what_to_do(tx: WriteTx) -> None:
    unsure, _, _ = between_two(tx)
    answer(tx, unsure, Answer.DIFFERENT)
    (founded,) = defects_of(tx, unsure)
    tx.execute(update(defect).where(defect.c.id == founded).values(state="confirmed"))

    with pytest.raises(Conflict, match="is confirmed by now: merge it"):
        take_back(tx, unsure)

    assert defects_of(tx, unsure) == [founded]


def test_an_answer_that_proposed_a_recall_is_decided_with_the_recall(tx: WriteTx) -> None:
    standing = a_defect(tx, known_at=NOW - 2 * DAY)
    an_order(tx, standing, now=NOW - DAY)
    unsure = told(tx, 30)
    a_verified_repair(tx, standing, NOW - HOUR)
    assert answer(tx, unsure, Answer.SAME, standing) is None

    with pytest.raises(Conflict, match="a recall that it waits with is decided"):
        take_back(tx, unsure)


# --- against the machine ---------------------------------------------------------------------------------------------


def joined(tx: WriteTx) -> tuple[int, int, int]:
    """A defect that a report founded, and the report that the machine joined to it."""
    founder, joiner = told(tx, 0), told(tx, 4)
    (one,) = set(defects_of(tx, founder, joiner))
    return founder, joiner, one


def test_a_report_that_is_unlinked_was_joined_wrongly(tx: WriteTx) -> None:
    _, joiner, one = joined(tx)

    merge_defects.unlink(tx, name(tx, report, joiner), name(tx, defect, one), WHY, NOW)

    assert labels(tx) == [(joiner, one, "different", "same")]
    only(tx, same=1, same_against=1, new=1, new_against=0)


def test_linked_again_it_was_joined_rightly(tx: WriteTx) -> None:
    _, joiner, one = joined(tx)
    merge_defects.unlink(tx, name(tx, report, joiner), name(tx, defect, one), WHY, NOW)

    merge_defects.link(tx, name(tx, report, joiner), name(tx, defect, one), WHY, NOW + HOUR)

    assert labels(tx)[1:] == [(joiner, one, "same", "same")]
    only(tx, same=1, same_looked=1, same_against=0)


def test_of_a_split_those_were_joined_wrongly_who_are_not_with_the_first(tx: WriteTx) -> None:
    founder, joiner, one = joined(tx)
    also = told(tx, 2)

    merge_defects.split(tx, name(tx, defect, one), [name(tx, report, founder)], WHY, NOW)

    (part,) = defects_of(tx, founder)
    assert labels(tx) == [(joiner, part, "different", "same"), (also, part, "different", "same")]


def test_a_split_that_is_merged_back_says_that_the_machine_was_right(tx: WriteTx) -> None:
    _, joiner, one = joined(tx)
    part = merge_defects.split(tx, name(tx, defect, one), [name(tx, report, joiner)], WHY, NOW)

    merge_defects.merge(tx, part, name(tx, defect, one), WHY, NOW + HOUR)

    assert labels(tx) == [(joiner, one, "different", "same"), (joiner, one, "same", "same")]
    only(tx, same=1, same_looked=1, same_against=0)


def test_of_two_that_are_merged_the_later_was_parted_wrongly_and_an_unmerge_takes_that_back(tx: WriteTx) -> None:
    founder = told(tx, 0)
    later = told(tx, 200)
    (one,), (other,) = defects_of(tx, founder), defects_of(tx, later)

    merge_defects.merge(tx, name(tx, defect, one), name(tx, defect, other), WHY, NOW)
    merged = labels(tx)
    against = only(tx, new=2).new_against
    merge_defects.unmerge(tx, name(tx, defect, one), WHY, NOW + HOUR)

    assert merged == [(later, one, "same", "different")]
    assert against == 1
    assert labels(tx)[1:] == [(later, one, "different", "different")]
    only(tx, new=2, new_looked=1, new_against=0)


def test_what_a_person_said_of_a_question_stays_the_machines_doubt_when_it_is_merged(tx: WriteTx) -> None:
    unsure, first, _ = between_two(tx)
    answer(tx, unsure, Answer.DIFFERENT)
    (founded,) = defects_of(tx, unsure)

    merge_defects.merge(tx, name(tx, defect, founded), name(tx, defect, first), WHY, NOW + HOUR)

    assert labels(tx)[2:] == [(unsure, first, "same", "unsure")]


def test_a_report_that_tells_of_two_holes_contradicts_nobody(tx: WriteTx) -> None:
    _, joiner, _ = joined(tx)
    elsewhere = a_defect(tx, easting=EASTING + 300)

    merge_defects.link(tx, name(tx, report, joiner), name(tx, defect, elsewhere), WHY, NOW)

    assert labels(tx) == []


def test_detections_are_labelled_by_their_fleet_and_model(tx: WriteTx) -> None:
    model = {"model_name": "holes", "model_version": "3"}
    one, other = a_batch(tx, {"more": model}, {"easting": EASTING + 3, "survey_pass_id": "tuesday", "more": model})
    hear(tx, Consumer.DETECTIONS, detections_to_defects.run, datetime.now(UTC))
    (whole,) = set(tx.scalars(select(sighting.c.defect_id).where(sighting.c.detection_id.in_([one, other]))))

    merge_defects.split(tx, name(tx, defect, whole), [], WHY, NOW, detections=[other])

    assert labels(tx) == [(other, whole, "different", "same")]
    kept = tx.execute(select(label)).one()
    assert (kept.source, kept.model, kept.report_id) == ("van", "holes 3", None)
    line = only(tx, source="van", model="holes 3", same=1, same_against=1, new=1)
    assert line.shares["same_against"] == 1.0


def test_what_was_said_this_month_is_counted_from_what_was_said_alone(tx: WriteTx) -> None:
    _, joiner, one = joined(tx)
    merge_defects.unlink(tx, name(tx, report, joiner), name(tx, defect, one), WHY, NOW)
    unsure = told(tx, 30)
    answer(tx, unsure, Answer.CANNOT_TELL)

    said = dedupe.answers(tx, NOW - HOUR)
    before = dedupe.answers(tx, NOW + HOUR)

    assert (said.cannot_tell, said.joined_wrongly, said.parted_wrongly) == (1, 1, 0)
    assert (before.answered, before.joined_wrongly) == (0, 0)
