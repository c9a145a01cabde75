"""An operator takes an answer back: the question is open again, and nothing stays of what the answer had done.

Only whoever gave the answer, and only while nobody has built on it: what came of it is otherwise undone by itself
(unlink, merge, split), where what was built on it is seen.
"""

from datetime import datetime

from shared.domain.terms import DefectId, DefectState, ReportState
from shared.domain.verdicts import Candidate
from shared.errors import Conflict
from shared.flows import assess_defect
from shared.flows.answer_question import Answer
from shared.flows.link_report import cut
from shared.flows.weigh_finding import Decision, Finding
from shared.store import labels, merges, questions, relinks, reports_decisions
from shared.store.engine import WriteTx
from shared.store.merges import Party
from shared.store.questions import Became, Settled
from shared.store.reports_decisions import ReportRow

WHY = "The answer was taken back."


def take_back(tx: WriteTx, reference: str, now: datetime) -> None:
    """Undo the answer that the asker gave last about a report. Its labels count no longer.

    Raises:
        NotFound: there is no such report.
        Conflict: it was answered by another, or something was built on the answer; what to do instead is said.
    """
    row = reports_decisions.lock(tx, reference)
    last = questions.last_settled(tx, row.id)
    if last is None or last.answer not in set(Answer):
        raise Conflict(f"No answer about {row.reference} can be taken back: nothing of it was settled by one.")
    if last.actor != tx.actor:
        raise Conflict(f"{last.by or 'Somebody else'} gave the answer about {row.reference}: ask them to take it back.")
    candidates = _asked_since(tx, row, last, now) or last.candidates
    labels.taken_back(tx, last.id, now)
    questions.ask_again(tx, last, candidates)


def _asked_since(tx: WriteTx, row: ReportRow, last: Settled, now: datetime) -> tuple[Candidate, ...]:
    """The candidates of the question that the answer led to, with its own; else what it did is undone."""
    open_now = reports_decisions.open_question(tx, row.id)
    if open_now is None:
        _undo(tx, row, last, now)
        return ()
    reports_decisions.settle_questions(tx, [row.id], "asked_anew", now)
    old = {one.defect_id for one in last.candidates}
    return (*last.candidates, *(one for one in open_now.candidates if one.defect_id not in old))


def _undo(tx: WriteTx, row: ReportRow, last: Settled, now: datetime) -> None:
    made = questions.became(tx, last)
    if made is None or row.state is not ReportState.LINKED:
        raise Conflict(
            f"{row.reference} has gone on since ({row.state.replace('_', ' ')}): a recall that it waits with is "
            "decided on the recall's page, and a link is undone on the defect's."
        )
    party = merges.parties(tx, [made.defect_id])[made.defect_id]
    _check(tx, party, made)
    cut(tx, row.reference, party.reference, WHY, now)
    if made.founded:
        _drop(tx, party, last, now)


def _check(tx: WriteTx, party: Party, made: Became) -> None:
    """What the answer founded, others may have seen, graded or ordered since."""
    if not made.founded:
        return
    if party.merged_into is not None or party.state is not DefectState.CANDIDATE or party.ordered:
        raise Conflict(
            f"{party.reference}, which the answer recorded, is {party.state.replace('_', ' ')} by now: "
            "merge it with the right one on its page instead."
        )
    if relinks.standing(tx, party.id) > 1:
        raise Conflict(f"Others have seen {party.reference} since: merge it with the right one on its page instead.")


def _drop(tx: WriteTx, party: Party, last: Settled, now: datetime) -> None:
    """Nobody has seen what the answer recorded: there is no such defect, and it is told apart from none."""
    finding = Finding(decision=Decision.NO_DEFECT, why=WHY)
    assess_defect.assess(tx, party.reference, finding, now, supervises=False)
    for one in last.candidates:
        relinks.tell_together(tx, DefectId(party.id), one.defect_id, now)
