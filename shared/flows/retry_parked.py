"""Tries again what was parked for a person: deliveries of events to their consumers, and messages to people."""

from datetime import datetime

from shared.domain.terms import EventId
from shared.logs import logger
from shared.store import deliveries as store_deliveries
from shared.store import messages as store_messages
from shared.store.engine import WriteTx

log = logger(__name__)


def deliveries(tx: WriteTx, now: datetime, *, consumer: str | None = None, event_id: int | None = None) -> int:
    """Make parked deliveries due again, all or those of a consumer or an event. Returns how many."""
    only = None if event_id is None else EventId(event_id)
    again = store_deliveries.retry(tx, now, consumer=consumer, event_id=only)
    log.info("deliveries_retried", actor=tx.actor, count=again, consumer=consumer, event_id=event_id)
    return again


def messages(tx: WriteTx, now: datetime, *, message_id: int | None = None) -> int:
    """Make parked messages due again, all or one. Returns how many."""
    again = store_messages.retry(tx, now, message_id)
    log.info("messages_retried", actor=tx.actor, count=again, message_id=message_id)
    return again
