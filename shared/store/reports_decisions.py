"""What people decide about reports: the locked row, what was asked and answered, and what has nothing left open."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Text, bindparam, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY

from shared.domain.public_words import Shown
from shared.domain.terms import ENDED_DEFECT, DefectId, ReportId, ReportState
from shared.domain.verdicts import Candidate
from shared.errors import NotFound
from shared.store import references
from shared.store.engine import ReadTx, WriteTx
from shared.store.tables import event, question, report, report_note


@dataclass(frozen=True, slots=True)
class ReportRow:
    """A report that is locked to be decided about."""

    id: ReportId
    reference: str
    state: ReportState
    class_code: str


@dataclass(frozen=True, slots=True)
class Standing:
    """A linked or resolved report: `open_defect` is one of its defects that has not ended, None when all have."""

    id: ReportId
    state: ReportState
    open_defect: DefectId | None


@dataclass(frozen=True, slots=True)
class Question:
    """An open question to an operator. `candidates` are defects, likeliest first."""

    id: int
    report_id: ReportId
    candidates: tuple[Candidate, ...]


def lock(tx: WriteTx, reference: str, mine: int | None = None) -> ReportRow:
    """The report of this reference, locked. With `mine`, only the report of that id.

    Raises:
        NotFound: there is none, or it is another's.
    """
    wanted = select(report.c.id, report.c.reference, report.c.state, report.c.class_code)
    row = tx.execute(wanted.where(report.c.reference == references.read(reference)).with_for_update()).one_or_none()
    if row is None or mine not in (None, row.id):
        raise NotFound(f"There is no report {reference}.")
    return ReportRow(ReportId(row.id), row.reference, ReportState(row.state), row.class_code)


def look_at(tx: ReadTx, reference: str) -> ReportRow:
    """The report of this reference, unlocked: to be read, not to be decided about.

    Raises:
        NotFound: there is none.
    """
    wanted = select(report.c.id, report.c.reference, report.c.state, report.c.class_code)
    row = tx.execute(wanted.where(report.c.reference == references.read(reference))).one_or_none()
    if row is None:
        raise NotFound(f"There is no report {reference}.")
    return ReportRow(ReportId(row.id), row.reference, ReportState(row.state), row.class_code)


def lock_ids(tx: WriteTx, ids: Sequence[int]) -> list[ReportRow]:
    """The reports of these ids, locked in the order of their ids."""
    wanted = select(report.c.id, report.c.reference, report.c.state, report.c.class_code)
    rows = tx.execute(wanted.where(report.c.id == func.any(list(ids))).order_by(report.c.id).with_for_update())
    return [ReportRow(ReportId(row.id), row.reference, ReportState(row.state), row.class_code) for row in rows]


_STANDING = text(
    """
    WITH locked AS MATERIALIZED (
        SELECT id, state FROM report
        WHERE state IN ('linked', 'resolved') AND id IN (
            SELECT report_id FROM sighting
            WHERE defect_id = ANY(:defects) AND report_id IS NOT NULL AND unlinked_at IS NULL
        )
        ORDER BY id
        FOR UPDATE
    )
    SELECT locked.id, locked.state,
           min(shown.id) FILTER (
               WHERE shown.state <> ALL(:ended)
                  OR (shown.state = 'monitor' AND (
                      sighting.linked_at > coalesce(shown.assessed_at, '-infinity')
                      OR EXISTS (
                          SELECT FROM merge WHERE merge.defect_id = sighting.merged_from
                              AND merge.undone_at IS NULL AND merge.at >= coalesce(shown.assessed_at, '-infinity')
                      )
                  ))
           ) AS open_defect
    FROM locked
    JOIN sighting ON sighting.report_id = locked.id AND sighting.unlinked_at IS NULL
    JOIN defect ON defect.id = sighting.defect_id
    JOIN defect AS shown ON shown.id = coalesce(defect.merged_into, defect.id)
    GROUP BY locked.id, locked.state
    ORDER BY locked.id
    """
).bindparams(bindparam("defects", type_=ARRAY(BigInteger)), bindparam("ended", type_=ARRAY(Text)))


def standing(tx: WriteTx, defects: Sequence[int]) -> list[Standing]:
    """The linked and resolved reports of these defects, each with a defect of it that has not ended. Locks the reports.

    A watched defect has ended for those who told of it before somebody last looked, not for who told of it since, nor
    for whose report came by a merge since.
    """
    rows = tx.execute(_STANDING, {"defects": list(defects), "ended": sorted(ENDED_DEFECT)})
    return [Standing(ReportId(row.id), ReportState(row.state), row.open_defect) for row in rows]


def note(tx: WriteTx, report_id: int, kind: str, words: str, now: datetime) -> None:
    """Keep what was asked (`question`) or said (`answer`, `challenge`), as it came. It may hold personal data."""
    tx.execute(insert(report_note).values(report_id=report_id, kind=kind, words=words, actor=tx.actor, at=now))


def asked_before(tx: ReadTx, report_id: int) -> bool:
    """Whether the reporter was asked something already: it is done once."""
    told = select(report_note.c.id).where(report_note.c.report_id == report_id, report_note.c.kind == "question")
    return tx.scalar(told.limit(1)) is not None


def entered_at(tx: ReadTx, report_id: int, state: ReportState) -> datetime | None:
    """When the report last came into this state, by its events."""
    at: datetime | None = tx.scalar(
        select(func.max(event.c.at)).where(
            event.c.subject == "report", event.c.subject_id == report_id, event.c.after == state
        )
    )
    return at


def open_question(tx: WriteTx, report_id: int) -> Question | None:
    """The question that waits for an operator's answer, locked; None when there is none."""
    wanted = select(question.c.id, question.c.candidates).where(
        question.c.report_id == report_id, question.c.settled_at.is_(None)
    )
    row = tx.execute(wanted.with_for_update()).one_or_none()
    if row is None:
        return None
    return Question(row.id, ReportId(report_id), tuple(Candidate(**one) for one in row.candidates))


def settle_questions(tx: WriteTx, report_ids: Sequence[int], answer: str, now: datetime) -> None:
    """Close the open questions of these reports: somebody answered, or the report took another way."""
    tx.execute(
        update(question)
        .where(question.c.report_id == func.any(list(report_ids)), question.c.settled_at.is_(None))
        .values(settled_at=now, settled_by=tx.actor, answer=answer)
    )


def show_words(tx: WriteTx, report_ids: Sequence[int], shown: Shown) -> None:
    """How everybody sees the words of these reports from now on. Locks them."""
    told = {"words_released": shown is Shown.RELEASED, "words_withheld": shown is Shown.WITHHELD}
    tx.execute(update(report).where(report.c.id == func.any(list(report_ids))).values(told))
