"""Somebody who works here looks at how a reporter is reached: on demand only, and it stands in the record who did."""

from datetime import datetime

from shared.domain.events import ContactShown
from shared.flows.receive_report import Contact
from shared.store import event_log, reports_decisions
from shared.store.engine import WriteTx
from shared.store.read_models import reports


def show_contact(tx: WriteTx, reference: str, now: datetime) -> Contact:
    """How the reporter is reached; all None when nothing is known (any more), which is not a look at anybody.

    Raises:
        NotFound: there is no such report.
    """
    row = reports_decisions.look_at(tx, reference)
    reach = reports.reach(tx, row.id)
    if reach is None:
        return Contact(None, None, None)
    event_log.append(tx, ContactShown(report_id=row.id), now)
    return Contact(reach.name, reach.email, reach.phone)
