"""Questions to operators that were closed: who said what, what came of it, and how one is asked again."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import String, cast, func, insert, select, update

from shared.domain.terms import DefectId, ReportId
from shared.domain.verdicts import Candidate
from shared.store.engine import ReadTx, WriteTx
from shared.store.tables import person, question, sighting


@dataclass(frozen=True, slots=True)
class Settled:
    """A question that is closed. `answer`: same, different, cannot_tell; else the way that the report took instead.

    `actor` closed it, called `by`: a person's name, else None.
    """

    id: int
    report_id: ReportId
    candidates: tuple[Candidate, ...]
    answer: str
    actor: str
    by: str | None
    at: datetime


def last_settled(tx: ReadTx, report_id: int) -> Settled | None:
    """The last question about a report that was closed; None when there is none."""
    rows = (
        select(
            *(question.c[name] for name in ("id", "candidates", "answer", "settled_by", "settled_at")),
            person.c.name,
        )
        .outerjoin(person, question.c.settled_by == func.concat("person:", cast(person.c.id, String)))
        .where(question.c.report_id == report_id, question.c.settled_at.is_not(None))
    )
    row = tx.execute(rows.order_by(question.c.settled_at.desc(), question.c.id.desc()).limit(1)).one_or_none()
    if row is None:
        return None
    candidates = tuple(Candidate(**one) for one in row.candidates)
    return Settled(
        row.id, ReportId(report_id), candidates, row.answer or "", row.settled_by or "", row.name, row.settled_at
    )


@dataclass(frozen=True, slots=True)
class Became:
    """The sighting that an answer made. `founded`: the defect was recorded by it, not joined."""

    defect_id: DefectId
    founded: bool


def became(tx: ReadTx, settled: Settled) -> Became | None:
    """What an answer made of its report, while that stands; None when it stands no longer or there was nothing."""
    stands = select(sighting.c.defect_id, sighting.c.verdict).where(
        sighting.c.report_id == settled.report_id,
        sighting.c.unlinked_at.is_(None),
        sighting.c.linked_at == settled.at,
        sighting.c.merged_from.is_(None),
    )
    row = tx.execute(stands.order_by(sighting.c.id.desc()).limit(1)).one_or_none()
    if row is None:
        return None
    return Became(DefectId(row.defect_id), founded=settled.answer != "same" and row.verdict == "person")


def ask_again(tx: WriteTx, settled: Settled, candidates: Sequence[Candidate]) -> None:
    """Note that an answer was taken back, and put its question again, as old as it was, about these defects."""
    tx.execute(update(question).where(question.c.id == settled.id).values(answer="taken_back"))
    asked = select(question.c.report_id, question.c.policy_id, question.c.asked_at).where(question.c.id == settled.id)
    again = {**tx.execute(asked).one()._mapping, "candidates": [asdict(one) for one in candidates]}
    tx.execute(insert(question).values(again))
