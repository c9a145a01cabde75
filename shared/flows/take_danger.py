"""Somebody sees to a danger that was reported: from then on nobody else is called for it. It can be given back."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.events import ReportGivenBack, ReportTaken
from shared.errors import Conflict
from shared.store import dangers, event_log
from shared.store.engine import WriteTx


class AlreadyTaken(Conflict):
    """Somebody else sees to it."""

    code = "already-taken"
    title = "Already taken"

    def __init__(self, reference: str, by: str, at: datetime) -> None:
        super().__init__(f"{by} has taken {reference} already.")
        self.more = {"by": by, "at": at.isoformat()}


@dataclass(frozen=True, slots=True)
class Taken:
    """Who sees to the danger of a report, since when; both None: nobody."""

    reference: str
    by: str | None
    at: datetime | None


def take(tx: WriteTx, reference: str, now: datetime) -> Taken:
    """See to it. Of two who take it at once, one does. Taking it twice changes nothing. Locks the report.

    Raises:
        NotFound: there is no such report.
        AlreadyTaken: somebody else sees to it.
        Conflict: it told of no danger.
    """
    row = dangers.lock(tx, reference)
    if not row.danger:
        raise Conflict(f"{row.reference} told of no danger: there is nothing to take.")
    if row.taken_by is None:
        dangers.keep(tx, row.id, tx.actor, now)
        event_log.append(tx, ReportTaken(report_id=row.id), now)
    elif row.taken_by != tx.actor:
        raise AlreadyTaken(row.reference, dangers.name_of(tx, row.taken_by) or "Somebody", row.taken_at or now)
    return Taken(row.reference, dangers.name_of(tx, tx.actor), row.taken_at or now)


def give_back(tx: WriteTx, reference: str, now: datetime) -> Taken:
    """See to it no longer, oneself or whoever did: everybody is called again. Safe to repeat. Locks the report.

    Raises:
        NotFound: there is no such report.
    """
    row = dangers.lock(tx, reference)
    if row.taken_by is not None:
        dangers.keep(tx, row.id, None, now)
        event_log.append(tx, ReportGivenBack(report_id=row.id), now)
    return Taken(row.reference, None, None)
