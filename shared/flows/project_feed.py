"""Turns events into lines of the live feed."""

from collections.abc import Sequence
from datetime import datetime

from shared.store import feed
from shared.store.deliveries import Delivery
from shared.store.engine import WriteTx


def run(tx: WriteTx, due: Sequence[Delivery], now: datetime) -> None:  # noqa: ARG001 (every consumer's flow has this form)
    """Project a batch of events. An event that has its line already gets no second one."""
    feed.project(tx, due)
