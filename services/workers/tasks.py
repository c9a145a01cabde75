"""What Celery runs: consumer to flow, and the sweeps that beat calls."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from services.workers import outbound
from services.workers.app import SWEEPS, app
from services.workers.consumer import Flow, drain
from shared import bus
from shared.domain.events import Consumer
from shared.flows import (
    assign_works,
    bulk_acts,
    detections_to_defects,
    grade_defects,
    project_feed,
    report_to_defect,
    sweeps,
    tell_people,
    verify_repair,
)
from shared.logs import correlated, logger
from shared.store.engine import LOST, WriteTx, transaction

log = logger(__name__)

FLOWS: Mapping[Consumer, Flow] = {
    Consumer.TRIAGE: report_to_defect.run,
    Consumer.DETECTIONS: detections_to_defects.run,
    Consumer.GRADE: grade_defects.run,
    Consumer.ASSIGN: assign_works.run,
    Consumer.VERIFY: verify_repair.run,
    Consumer.FEED: project_feed.run,
    Consumer.TELL: tell_people.run,
    Consumer.ACTS: bulk_acts.run,
}


@app.task(name="roadmend.drain")
def drain_consumer(consumer: str) -> None:
    """A nudge arrived: deliveries may be due for this consumer."""
    with correlated(None):
        _tolerating(lambda: drain(Consumer(consumer), FLOWS[Consumer(consumer)]))


@app.task(name="roadmend.send_messages")
def send_messages() -> None:
    """Messages may be due to leave."""
    with correlated(None):
        _tolerating(outbound.send_due)


def _tolerating(act: Callable[[], Any]) -> None:
    """A lost database is not an error of the task: the work stays due and beat nudges again in a second.

    Tried twice: where only a connection was cut, the first failure clears the pool, and the second finds a fresh one.
    """
    for again in (True, False):
        try:
            act()
        except LOST as error:
            log.warning("database_lost", error=type(error).__name__, again=again)
        else:
            return


def _sweep(name: str) -> Callable[[], None]:
    run: Callable[[WriteTx, datetime], None] = getattr(sweeps, name)

    def swept() -> None:
        with correlated(None), transaction(f"worker:{name}") as tx:
            run(tx, datetime.now(UTC))
        bus.nudge(tx.woken)

    def sweep() -> None:
        _tolerating(swept)

    return sweep


for _name in SWEEPS:
    app.task(name=f"roadmend.{_name}")(_sweep(_name))
