"""Defects become works orders: the right contractor, shared orders, nothing twice, nothing left out of sight."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from shared.flows import assign_works
from shared.store.deliveries import Delivery
from shared.store.engine import WriteTx
from shared.store.tables import contractor, works_order, works_order_defect
from tests.factories import a_defect, adopt_default_policy

NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def _policy(tx: WriteTx) -> None:
    adopt_default_policy(tx)


def graded(*defect_ids: int) -> list[Delivery]:
    return [Delivery("assign", n, NOW, "DefectGraded", defect_id, 0) for n, defect_id in enumerate(defect_ids, 1)]


def orders(tx: WriteTx) -> list[tuple[str, str, str, str]]:
    rows = tx.execute(
        select(contractor.c.code, works_order.c.state, works_order.c.kind, works_order.c.band)
        .join(contractor, contractor.c.id == works_order.c.contractor_id)
        .order_by(works_order.c.id)
    )
    return [tuple(row) for row in rows]


def covers(tx: WriteTx, order_id: int) -> set[int]:
    rows = select(works_order_defect.c.defect_id).where(
        works_order_defect.c.works_order_id == order_id, works_order_defect.c.ended_at.is_(None)
    )
    return set(tx.scalars(rows))


def test_a_confirmed_defect_goes_to_the_contractor_whose_lot_covers_it(tx: WriteTx) -> None:
    in_the_north = a_defect(tx, area_code="E07000123", street_key="one")
    elsewhere = a_defect(tx, area_code="E07000117", street_key="two")

    assign_works.run(tx, graded(in_the_north, elsewhere), NOW)

    assert orders(tx) == [("alder", "issued", "repair", "P10"), ("birch", "issued", "repair", "P10")]
