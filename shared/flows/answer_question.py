"""An operator answers what matching was unsure of: is the report of one of these defects, or of another?

Whoever says "of none of these" was shown these only. What was recorded since is weighed before the report founds a
defect: two reports of one hole may wait side by side, each asked whether it is the hole across the road.

What is said of each candidate is kept as a label, beside the machine's reason for asking.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from shared.domain.terms import ReportState
from shared.domain.verdicts import Candidate, New, Same
from shared.errors import Conflict, Invalid
from shared.flows import meanwhile, merge_defects, recall_repair, report_to_defect
from shared.flows.link_report import lock_around, lock_where_seen, through_triage
from shared.store import labels, merges, questions, relinks, reports_decisions, warranties
from shared.store.engine import WriteTx
from shared.store.recalls import Claim
from shared.store.reports_decisions import Question, ReportRow


class Answer(StrEnum):
    """`cannot_tell`: nobody can from here, so that it is inspected as one of its own; merging it later is easy."""

    SAME = "same"
    DIFFERENT = "different"
    CANNOT_TELL = "cannot_tell"


SPELT = {Answer.SAME: "the same", Answer.DIFFERENT: "different from all of them", Answer.CANNOT_TELL: "cannot tell"}


def answer(
    tx: WriteTx,
    reference: str,
    said: Answer,
    defect: str | None,
    why: str,
    now: datetime,
    *,
    question: int | None = None,
    seen: int | None = None,
) -> str | None:
    """Settle the question about a report: it is linked to `defect`, to one that came since, or founds one.

    Said to be of a repair under warranty, it proposes a recall. `question` is the one that was looked at: another one,
    which asks about other defects, is not answered by that.

    Returns that defect's reference; None while the report waits again, for another question or for a recall.

    Raises:
        NotFound: there is no such report or defect.
        ChangedMeanwhile: somebody changed the report since it was `seen` (`flows/meanwhile.py`).
        Conflict: no question about it is open, or another one; or the defect cannot take it now.
        Invalid: "same" as which one is not said.
    """
    if (said is Answer.SAME) != (defect is not None):
        raise Invalid("Name the defect with `same`, and with nothing else.", {"defect": "is needed with same only"})
    if defect is None:
        lock_where_seen(tx, reference, now)
    else:
        lock_around(tx, defect, now)
    row = meanwhile.lock_report(tx, reference, seen, now)
    asked = reports_decisions.open_question(tx, row.id)
    if asked is None:
        raise Conflict(_closed(tx, row))
    if question not in (None, asked.id):
        raise Conflict(f"{row.reference} was asked about anew, with other defects: look at it again.")
    reports_decisions.settle_questions(tx, [row.id], said, now)
    labels.answered(tx, asked, _of_each(tx, asked, said, defect), now)
    if defect is None:
        return _none_of_those(tx, row, asked, said, why, now)
    return _that_one(tx, row, defect, why, now)


def _closed(tx: WriteTx, row: ReportRow) -> str:
    last = questions.last_settled(tx, row.id)
    if last is None:
        return f"No question about {row.reference} is open."
    words = SPELT[Answer(last.answer)] if last.answer in set(Answer) else last.answer.replace("_", " ")
    return f"{last.by or 'Somebody'} has answered the question about {row.reference}: {words}."


def _of_each(tx: WriteTx, asked: Question, said: Answer, defect: str | None) -> dict[int, str]:
    """What the answer says of each candidate. A duplicate is what its original is."""
    each = [one.defect_id for one in asked.candidates]
    if defect is None:
        return {one: said for one in each}
    (chosen,) = merges.ids(tx, defect)
    original = merges.originals(tx, {chosen, *each})
    return {one: Answer.SAME if original[one] == original[chosen] else Answer.DIFFERENT for one in each}


def _that_one(tx: WriteTx, row: ReportRow, defect: str, why: str, now: datetime) -> str | None:
    """Linked; but a repair under warranty never absorbs what was seen since: it is said to have failed."""
    seen_at = relinks.observed_at(tx, row.id)
    (defect_id,) = merges.ids(tx, defect)
    promise = warranties.standing(tx, merges.holder_of(tx, defect_id) or defect_id, seen_at)
    if promise is None:
        merge_defects.link(tx, row.reference, defect, why, now)
        return defect
    through_triage(tx, row, now)
    recall_repair.propose(tx, [Claim(promise, row.id, None, why, seen_at)], now)
    return None


def _none_of_those(tx: WriteTx, row: ReportRow, asked: Question, said: Answer, why: str, now: datetime) -> str | None:
    row = through_triage(tx, row, now)
    if row.state is not ReportState.TRIAGE:
        raise Conflict(f"{row.reference} is {row.state} already: nothing is asked about it.")
    match report_to_defect.triage_again(tx, row.id, asked.candidates, now):
        case Same(defect_id):
            return merges.parties(tx, [defect_id])[defect_id].reference
        case New():
            denied = asked.candidates if said is Answer.DIFFERENT else ()
            return _another(tx, row, denied, why, now)
        case _:
            return None


def _another(tx: WriteTx, row: ReportRow, denied: Sequence[Candidate], why: str, now: datetime) -> str:
    """It founds a defect that no machine joins with those that a person said it is not, should one be open again."""
    founded = merge_defects.found(tx, row.reference, why, now)
    (defect_id,) = merges.ids(tx, founded)
    for one in denied:
        relinks.tell_apart(tx, defect_id, one.defect_id, now)
    return founded
