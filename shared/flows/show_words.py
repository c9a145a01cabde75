"""A person says how a report's words are shown to everybody: screened, as they stand, or not at all."""

from datetime import datetime

from shared.domain.events import ReportWordsShown
from shared.domain.public_words import Shown
from shared.flows import meanwhile
from shared.store import event_log, reports_decisions
from shared.store.engine import WriteTx


def show_words(tx: WriteTx, reference: str, shown: Shown, why: str, now: datetime, seen: int | None = None) -> None:
    """Each way undoes the others; the words themselves stay as they came. Safe to repeat.

    Raises:
        NotFound: there is no such report.
        ChangedMeanwhile: somebody changed it since it was seen.
    """
    row = meanwhile.lock_report(tx, reference, seen, now)
    reports_decisions.show_words(tx, [row.id], shown)
    event_log.append(tx, ReportWordsShown(report_id=row.id, shown=shown, why=why), now)
