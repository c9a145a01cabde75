"""Many at once about one repair: one recall, one decision, and nobody's report lost."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import URL, func, select, text

from shared.domain.terms import ReportId
from shared.errors import Conflict
from shared.flows import assign_works, decide_report, recall_repair, report_to_defect
from shared.flows.recall_repair import Decision
from shared.store import defects, recalls
from shared.store.engine import WriteTx, transaction
from shared.store.tables import defect, recall, recall_sighting, report, sighting, warranty
from tests.factories import a_defect, a_report, a_verified_repair, adopt_default_policy, an_order
from tests.waiting import until

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
MANY = 12


@pytest.fixture
def told(own_db: URL) -> list[int]:
    """A repair under warranty, and reports of its failure that nobody has read."""
    del own_db
    with transaction("test") as tx:
        adopt_default_policy(tx)
        defect_id = a_defect(tx, known_at=NOW - 2 * DAY)
        an_order(tx, defect_id, now=NOW - DAY)
        a_verified_repair(tx, defect_id, NOW)
    with transaction("test") as tx:
        return [a_report(tx, received_at=NOW) for _ in range(MANY)]


def together(acts: list[Callable[[WriteTx], object]]) -> list[Exception | None]:
    """Each in a transaction and a thread of its own; what each was refused with."""

    def run(act: Callable[[WriteTx], object]) -> Exception | None:
        try:
            with transaction("test") as tx:
                act(tx)
        except Conflict as refusal:
            return refusal
        return None

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(run, acts))


def triage(report_id: int) -> Callable[[WriteTx], object]:
    return lambda tx: report_to_defect.triage(tx, [ReportId(report_id)], NOW)


def decide(reference: str, decision: Decision) -> Callable[[WriteTx], object]:
    return lambda tx: recall_repair.decide(tx, reference, decision, "Looked at on site.", NOW)


def test_twelve_reports_of_one_failure_at_once_propose_one_recall(told: list[int]) -> None:
    refused = together([triage(one) for one in told])

    assert refused == [None] * MANY
    with transaction("test") as tx:
        assert tx.scalar(select(func.count()).select_from(recall)) == 1
        assert tx.scalar(select(func.count()).select_from(recall_sighting)) == MANY
        assert set(tx.scalars(select(report.c.state))) == {"triage"}


def test_two_who_decide_at_once_decide_once(told: list[int]) -> None:
    together([triage(told[0])])
    with transaction("test") as tx:
        reference = str(tx.scalar(select(recall.c.reference)))

    refused = together([decide(reference, Decision.ATTRIBUTABLE), decide(reference, Decision.NOT_ATTRIBUTABLE)])

    assert sum(isinstance(one, Conflict) for one in refused) == 1
    with transaction("test") as tx:
        assert tx.scalar(select(recall.c.state)) in set(Decision)


def test_reports_that_come_during_the_decision_are_linked_or_wait_never_lost(told: list[int]) -> None:
    together([triage(told[0])])
    with transaction("test") as tx:
        reference = str(tx.scalar(select(recall.c.reference)))

    together([decide(reference, Decision.ATTRIBUTABLE), *(triage(one) for one in told[1:])])

    with transaction("test") as tx:
        linked = set(tx.scalars(select(sighting.c.report_id)))
        waiting = set(tx.scalars(select(recall_sighting.c.report_id)))
        assert linked | waiting == set(told)
        assert set(tx.scalars(select(report.c.state))) == {"linked"}
        assert tx.scalar(select(func.count()).select_from(defect)) == 1
        assert tx.scalar(select(warranty.c.state)) == "attributable"


def test_a_withdrawal_and_the_decision_at_once_leave_no_report_between(told: list[int]) -> None:
    together([triage(one) for one in told[:2]])
    with transaction("test") as tx:
        reference = str(tx.scalar(select(recall.c.reference)))
        mine = str(tx.scalar(select(report.c.reference).where(report.c.id == told[0])))

    together([decide(reference, Decision.ATTRIBUTABLE), lambda tx: decide_report.withdraw(tx, mine, told[0], NOW)])

    with transaction("test") as tx:
        states = {row.id: row.state for row in tx.execute(select(report.c.id, report.c.state))}
        assert states[told[0]] == "withdrawn"
        assert states[told[1]] == "linked"


def _waits_for_a_lock() -> bool:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with transaction("test") as tx:
        return bool(tx.scalar(text(waiting)))


def test_whoever_decides_a_recall_and_the_worker_that_orders_its_repair_wait_for_each_other(told: list[int]) -> None:
    together([triage(told[0])])
    with transaction("test") as tx:
        row = tx.execute(select(recall.c.reference, recall.c.defect_id)).one()
        recall_repair.decide(tx, row.reference, Decision.ATTRIBUTABLE, "Looked at on site.", NOW)

    def order() -> int:
        with transaction("worker:assign") as tx:
            return len(assign_works.assign(tx, [row.defect_id], NOW))

    with ThreadPoolExecutor(1) as threads:
        with transaction("test") as tx:
            recalls.lock(tx, row.reference)
            ordering = threads.submit(order)
            until(_waits_for_a_lock, 10, "the worker to come to what is locked")
            # The other way round, PostgreSQL ended one of the two here.
            defects.lock(tx, [row.defect_id])

        assert ordering.result(10) == 1
