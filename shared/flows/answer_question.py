"""An operator answers what matching was unsure of: is the report of one of these defects, or of another?"""

from datetime import datetime
from enum import StrEnum

from shared.errors import Conflict, Invalid
from shared.flows import merge_defects
from shared.store import reports_decisions
from shared.store.engine import WriteTx


class Answer(StrEnum):
    """`cannot_tell`: nobody can from here, so that it is inspected as one of its own; merging it later is easy."""

    SAME = "same"
    DIFFERENT = "different"
    CANNOT_TELL = "cannot_tell"


def answer(tx: WriteTx, reference: str, said: Answer, defect: str | None, why: str, now: datetime) -> str:
    """Settle the question about a report: it is linked to `defect`, or founds one. Returns that defect's reference.

    Raises:
        NotFound: there is no such report or defect.
        Conflict: no question about it is open, or the defect cannot take it.
        Invalid: "same" as which one is not said.
    """
    if (said is Answer.SAME) != (defect is not None):
        raise Invalid("Name the defect with `same`, and with nothing else.", {"defect": "is needed with same only"})
    row = reports_decisions.lock(tx, reference)
    if reports_decisions.open_question(tx, row.id) is None:
        raise Conflict(f"No question about {row.reference} is open: somebody has answered it.")
    reports_decisions.settle_questions(tx, [row.id], said, now)
    if defect is None:
        return merge_defects.found(tx, reference, why, now)
    merge_defects.link(tx, reference, defect, why, now)
    return defect
