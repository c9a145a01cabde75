"""By one click of a mail program: no more messages, of a follow or of a report. By a page it is undone."""

from datetime import datetime

from shared.errors import NotFound
from shared.flows import follow_place
from shared.flows.send_messages import report_of
from shared.store import contacts, reports_decisions
from shared.store.engine import ReadTx, WriteTx


def stop(tx: WriteTx, token: str, now: datetime) -> None:
    """Stop what a link stops. Safe to repeat.

    Raises:
        NotFound: the link was cut short, or what it was for is forgotten.
    """
    report = report_of(token)
    if report is None:
        follow_place.end(tx, token, now)
    else:
        _hear(tx, report, now, hears=False)


def tell_again(tx: WriteTx, report: str, now: datetime) -> None:
    """Tell the reporter of a report again.

    Raises:
        NotFound: nobody can be reached about it any more.
    """
    _hear(tx, report, now, hears=True)


def _hear(tx: WriteTx, report: str, now: datetime, *, hears: bool) -> None:
    row = reports_decisions.lock(tx, report)
    if is_told(tx, report) != hears:
        contacts.hear(tx, row.id, hears=hears, now=now)


def is_told(tx: ReadTx, report: str) -> bool:
    """Whether the reporter of a report is told of it now.

    Raises:
        NotFound: nobody can be reached about it any more.
    """
    known = contacts.of_report(tx, report)
    if known is None:
        raise NotFound("We have no address for this report any more, so there is nothing to stop.")
    return known
