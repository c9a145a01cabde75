"""What people said of sameness, beside what the machine had said of it: labels, from which agreement is counted.

A label is of a pair: a report or a detection, and a defect. What was said last of a pair counts; an answer that was
taken back says so itself. Labels are added, never changed.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import text

from shared.domain.verdicts import Candidate
from shared.store.engine import WriteTx
from shared.store.reports_decisions import Question

_ADD = (Path(__file__).parent / "sql" / "add_labels.sql").read_text()

_OF_QUESTION = text(
    _ADD.format(
        told="""
    SELECT question.id AS question_id, question.report_id, NULL::bigint AS detection_id, NULL::timestamptz AS known_at,
           given.defect_id, given.answer, 'unsure' AS machine, given.why, given.distance_m, question.policy_id
    FROM question
    CROSS JOIN unnest(CAST(:defects AS bigint[]), CAST(:answers AS text[]), CAST(:whys AS text[]),
                      CAST(:distances AS float8[])) AS given(defect_id, answer, why, distance_m)
    WHERE question.id = :question"""
    )
)


def answered(tx: WriteTx, asked: Question, answers: Mapping[int, str], now: datetime) -> None:
    """An operator answered a question: `answers` are of its candidates, by their defects."""
    given: list[Candidate] = [one for one in asked.candidates if one.defect_id in answers]
    params = {
        "question": asked.id,
        "defects": [one.defect_id for one in given],
        "answers": [answers[one.defect_id] for one in given],
        "whys": [one.why for one in given],
        "distances": [one.distance_m for one in given],
    }
    tx.execute(_OF_QUESTION, {**params, "actor": tx.actor, "now": now})


_TAKEN_BACK = text(
    """
    INSERT INTO label (question_id, report_id, detection_id, defect_id, answer, machine, machine_why, distance_m,
        source, model, policy_id, actor, at)
    SELECT question_id, report_id, detection_id, defect_id, 'taken_back', machine, machine_why, distance_m,
           source, model, policy_id, :actor, :now
    FROM label WHERE question_id = :question AND answer <> 'taken_back' ORDER BY id
    """
)


def taken_back(tx: WriteTx, question_id: int, now: datetime) -> None:
    """The answer to a question counts no longer."""
    tx.execute(_TAKEN_BACK, {"question": question_id, "actor": tx.actor, "now": now})


_OF_LINK = """
    SELECT NULL::bigint AS question_id, CAST(:report AS bigint) AS report_id, NULL::bigint AS detection_id,
           NULL::timestamptz AS known_at, CAST(:defect AS bigint) AS defect_id, CAST(:answer AS text) AS answer,
           judged.machine, judged.why, NULL::float8 AS distance_m, judged.policy_id
    FROM (SELECT) AS one
    LEFT JOIN LATERAL (
        SELECT CASE WHEN defect_id = :defect THEN 'same' ELSE 'different' END AS machine, why, policy_id
        FROM sighting
        WHERE report_id = :report AND merged_from IS NULL AND {judged}
        ORDER BY defect_id = :defect DESC, id DESC LIMIT 1
    ) AS judged ON true"""
_ANY = "(verdict = 'same' OR verdict = 'new' AND defect_id <> :defect) AND :alone"
_LINKED = text(_ADD.format(told=_OF_LINK.format(judged=_ANY)))
_UNLINKED = text(_ADD.format(told=_OF_LINK.format(judged="verdict = 'same' AND defect_id = :defect")))


def linked(tx: WriteTx, report_id: int, defect_id: int, now: datetime, *, alone: bool) -> None:
    """A person says that a report is of a defect; `alone`: of no other (who tells of two holes contradicts nobody)."""
    pair = {"report": report_id, "defect": defect_id, "answer": "same", "alone": alone}
    tx.execute(_LINKED, {**pair, "actor": tx.actor, "now": now})


def unlinked(tx: WriteTx, report_id: int, defect_id: int, now: datetime) -> None:
    """A person says that a report is not of a defect that it was linked to."""
    pair = {"report": report_id, "defect": defect_id, "answer": "different"}
    tx.execute(_UNLINKED, {**pair, "actor": tx.actor, "now": now})


# The machine said "another one" of what founded the later of the two, and only of that.
_OF_TWO = text(
    _ADD.format(
        told="""
    SELECT NULL::bigint AS question_id, seer.report_id, seer.detection_id, seer.known_at,
           CASE WHEN seer.defect_id = :one THEN CAST(:other AS bigint) ELSE :one END AS defect_id,
           CAST(:answer AS text) AS answer,
           CASE WHEN seer.id = founder.id AND seer.verdict = 'new' THEN 'different' END AS machine,
           seer.why, NULL::float8 AS distance_m, seer.policy_id
    FROM sighting AS seer
    LEFT JOIN LATERAL (
        SELECT id FROM sighting
        WHERE defect_id = greatest(CAST(:one AS bigint), :other) AND merged_from IS NULL
          AND num_nonnulls(report_id, detection_id) = 1
        ORDER BY verdict = 'new' DESC, id LIMIT 1
    ) AS founder ON true
    WHERE seer.defect_id IN (:one, :other) AND seer.unlinked_at IS NULL
      AND num_nonnulls(seer.report_id, seer.detection_id) = 1"""
    )
)


def of_two(tx: WriteTx, one: int, other: int, answer: str, now: datetime) -> None:
    """A person says that two defects are one, or two after all, while each holds what saw it."""
    tx.execute(_OF_TWO, {"one": one, "other": other, "answer": answer, "actor": tx.actor, "now": now})


# Who joined what the other half's first had founded was joined wrongly; what founded it was not.
_OF_SPLIT = text(
    _ADD.format(
        told="""
    SELECT NULL::bigint AS question_id, seer.report_id, seer.detection_id, seer.known_at,
           CASE WHEN first.goes THEN CAST(:part AS bigint) ELSE :whole END AS defect_id, 'different' AS answer,
           CASE WHEN seer.verdict = 'same' AND seer.merged_from IS NULL THEN 'same' END AS machine,
           seer.why, NULL::float8 AS distance_m, seer.policy_id
    FROM (
        SELECT *, coalesce(report_id = ANY(CAST(:reports AS bigint[])), false)
               OR coalesce(detection_id = ANY(CAST(:detections AS bigint[])), false) AS goes
        FROM sighting
        WHERE defect_id = :whole AND unlinked_at IS NULL AND num_nonnulls(report_id, detection_id) = 1
    ) AS seer
    CROSS JOIN LATERAL (
        SELECT coalesce(report_id = ANY(CAST(:reports AS bigint[])), false)
               OR coalesce(detection_id = ANY(CAST(:detections AS bigint[])), false) AS goes
        FROM sighting
        WHERE defect_id = :whole AND unlinked_at IS NULL AND merged_from IS NULL
          AND num_nonnulls(report_id, detection_id) = 1
        ORDER BY verdict = 'new' DESC, id LIMIT 1
    ) AS first
    WHERE seer.goes <> first.goes"""
    )
)


def of_split(
    tx: WriteTx, whole: int, part: int, reports: Sequence[int], detections: Sequence[int], now: datetime
) -> None:
    """A person says that these saw another defect, `part`, while they still stand with the whole."""
    params = {"whole": whole, "part": part, "reports": list(reports), "detections": list(detections)}
    tx.execute(_OF_SPLIT, {**params, "actor": tx.actor, "now": now})
