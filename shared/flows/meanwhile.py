"""Refuses a save where somebody changed the thing since its author looked at it. Asked by each act after its lock.

`seen` is what a read gave: the newest event of the thing that its reader knew. Who sends none saves on what there is.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from shared.domain.meanwhile import Change, Happened, changes, in_words
from shared.errors import ChangedMeanwhile
from shared.store import meanwhile, reports_decisions
from shared.store.engine import WriteTx
from shared.store.reports_decisions import ReportRow


def refusals(tx: WriteTx, subject: str, seen: Mapping[int, int], now: datetime) -> dict[int, ChangedMeanwhile]:
    """Those of these (locked) things that were changed since the event that was seen of each, with what to say.

    `subject`: defect, report, works_order or recall.
    """
    if not seen:
        return {}
    told = meanwhile.happened_since(tx, subject, seen)
    judged = {one: _judged(happened, tx.actor, now) for one, happened in told.items()}
    return {one: refusal for one, refusal in judged.items() if refusal is not None}


def check(tx: WriteTx, subject: str, seen: Mapping[int, int | None], now: datetime) -> None:
    """Let an act on locked things go on, or not: by the id of each, what was seen of it. None lets it go on.

    Raises:
        ChangedMeanwhile: somebody else changed one of them since. Its `seen` holds for all of them.
    """
    known = {one: event_id for one, event_id in seen.items() if event_id is not None}
    if not known:
        return
    told = meanwhile.happened_since(tx, subject, known)
    refusal = _judged([one for happened in told.values() for one in happened], tx.actor, now)
    if refusal is not None:
        raise refusal


def _judged(happened: Sequence[Happened], actor: str, now: datetime) -> ChangedMeanwhile | None:
    found = changes(happened, actor)
    if not found:
        return None
    return ChangedMeanwhile(in_words(found, now), [_told(one) for one in found], max(one.id for one in happened))


def lock_report(tx: WriteTx, reference: str, seen: int | None, now: datetime) -> ReportRow:
    """The report of this reference, locked, as whoever decides about it has seen it.

    Raises:
        NotFound: there is none.
        ChangedMeanwhile: somebody else changed it since.
    """
    row = reports_decisions.lock(tx, reference)
    check(tx, "report", {row.id: seen}, now)
    return row


def _told(change: Change) -> Mapping[str, str]:
    return {"reference": change.reference, "by": change.by, "did": change.did, "at": change.at.isoformat()}
