"""The months' partitions of events and detections, made before they are needed."""

from sqlalchemy import func, select, text

from shared.store.engine import WriteTx


def make_ahead(tx: WriteTx, months: int) -> None:
    """Make those that are missing, from this month to so many ahead.

    Raises:
        OperationalError: another transaction held the tables for two seconds; waiting longer would hold up others.
    """
    tx.execute(text("SET LOCAL lock_timeout = '2s'"))
    tx.execute(select(func.make_partitions(months)))
