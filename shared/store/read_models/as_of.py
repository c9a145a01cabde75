"""Up to when a list by last change is complete: a change is stamped before it is written, and seen when it commits."""

from datetime import datetime, timedelta

from sqlalchemy import text

from shared.store.engine import ReadTx

MARGIN = timedelta(seconds=30)
"""Between the time that a request stamps its changes with and the start of its transaction lies its wait for a thread;
and the clocks of two machines differ."""

_OLDEST = text(
    """
    SELECT least(statement_timestamp(), min(xact_start)) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
    """
)
"""One that has not written yet may still do so, with the time of its beginning: all are asked for, readers too. Of a
role that is not ours (and without pg_read_all_stats) PostgreSQL hides when it began."""


def as_of(tx: ReadTx) -> datetime:
    """A time (aware) such that a transaction that begins after this one has ended sees every change stamped before it.

    Asked for in a transaction of its own: in the one that reads the list, whose view is taken at its first statement, a
    change that was committed in between would be in neither.
    """
    oldest: datetime = tx.scalar(_OLDEST)
    return oldest - MARGIN
