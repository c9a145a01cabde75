"""A reporter wants to hear nothing more of a report, or to be forgotten. The report stays: it is evidence."""

from datetime import datetime

from shared.domain.events import ContactForgotten
from shared.errors import Conflict
from shared.store import contacts, event_log, reports_decisions
from shared.store.engine import WriteTx


def stop_being_told(tx: WriteTx, reference: str, mine: int, now: datetime) -> None:
    """Send the reporter nothing more about this report. `be_told_again` undoes it.

    Raises:
        NotFound: `mine`, the report that the reporter's secret opens, is another.
    """
    row = reports_decisions.lock(tx, reference, mine)
    contacts.hear(tx, row.id, hears=False, now=now)


def be_told_again(tx: WriteTx, reference: str, mine: int, now: datetime) -> None:
    """Tell the reporter again from now on.

    Raises:
        NotFound: the secret opens another report.
        Conflict: no address is known (any more).
    """
    row = reports_decisions.lock(tx, reference, mine)
    if contacts.standing(tx, row.id) is None:
        raise Conflict("We have no contact details for this report.")
    contacts.hear(tx, row.id, hears=True, now=now)


def forget_me(tx: WriteTx, reference: str, mine: int, now: datetime) -> None:
    """Delete the reporter's name, e-mail address and telephone number at once, for good. Safe to repeat.

    Raises:
        NotFound: the secret opens another report.
    """
    row = reports_decisions.lock(tx, reference, mine)
    if contacts.forget(tx, [row.id], now):
        event_log.append(tx, ContactForgotten(report_id=row.id), now)
