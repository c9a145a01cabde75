"""What a search shows of each thing that it found: enough to tell it from the others."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, func, select

from shared.store.engine import ReadTx
from shared.store.tables import (
    contractor,
    defect,
    recall,
    report,
    sighting,
    street,
    warranty,
    works_order,
    works_order_defect,
)

Shown = dict[str, Any]


def reports(tx: ReadTx, found: Mapping[int, str]) -> list[Shown]:
    """Reports with their words, and the defects that they are of; `found` maps each id to the way it was found."""
    of_defects = (
        select(func.array_agg(defect.c.reference))
        .join(sighting, sighting.c.defect_id == defect.c.id)
        .where(sighting.c.report_id == report.c.id, sighting.c.unlinked_at.is_(None))
        .correlate(report)
        .scalar_subquery()
    )
    names = ("id", "reference", "class_code", "state", "lat", "lon", "description", "danger", "received_at")
    rows = select(
        *(report.c[name] for name in names),
        street.c.name.label("street"),
        func.coalesce(of_defects, []).label("defects"),
    ).outerjoin(street, street.c.id == report.c.street_id)
    return _in_order(tx, rows.where(report.c.id == func.any(list(found))), found)


def defects(tx: ReadTx, found: Mapping[int, str]) -> list[Shown]:
    """Defects with state, band and clock."""
    names = ("id", "reference", "class_code", "state", "band", "lat", "lon", "overdue", "reports", "opened_at")
    rows = select(*(defect.c[name] for name in names), defect.c.permanent_due_at, street.c.name.label("street"))
    rows = rows.outerjoin(street, street.c.id == defect.c.street_id)
    return _in_order(tx, rows.where(defect.c.id == func.any(list(found))), found)


def orders(tx: ReadTx, found: Mapping[int, str]) -> list[Shown]:
    """Works orders with whose they are, and the defects that they cover, or covered."""
    names = ("id", "reference", "state", "kind", "band", "issued_at", "permanent_due_at", "ended_at")
    named = (
        select(func.min(street.c.name)).where(street.c.street_key == works_order.c.street_key).correlate(works_order)
    )
    covered = (
        select(func.array_agg(defect.c.reference))
        .join(works_order_defect, works_order_defect.c.defect_id == defect.c.id)
        .where(works_order_defect.c.works_order_id == works_order.c.id)
        .correlate(works_order)
    )
    rows = select(
        *(works_order.c[name] for name in names),
        contractor.c.code.label("contractor"),
        named.scalar_subquery().label("street"),
        func.coalesce(covered.scalar_subquery(), []).label("defects"),
    ).join(contractor, contractor.c.id == works_order.c.contractor_id)
    return _in_order(tx, rows.where(works_order.c.id == func.any(list(found))), found)


def recalls(tx: ReadTx, found: Mapping[int, str]) -> list[Shown]:
    """Recalls with the defect whose repair is in question, and whose repair it is."""
    rows = (
        select(
            *(recall.c[name] for name in ("id", "reference", "state", "proposed_at")),
            defect.c.reference.label("defect"),
            warranty.c.class_code,
            warranty.c.ends_on,
            contractor.c.code.label("contractor"),
            street.c.name.label("street"),
        )
        .join(defect, defect.c.id == recall.c.defect_id)
        .join(warranty, warranty.c.id == recall.c.warranty_id)
        .join(contractor, contractor.c.id == warranty.c.contractor_id)
        .outerjoin(street, street.c.id == defect.c.street_id)
    )
    return _in_order(tx, rows.where(recall.c.id == func.any(list(found))), found)


def _in_order(tx: ReadTx, rows: Select[Any], found: Mapping[int, str]) -> list[Shown]:
    """The rows in the order in which they were found."""
    if not found:
        return []
    known = {row.id: {**row._mapping, "found_by": found[row.id]} for row in tx.execute(rows)}
    return [known[one] for one in found if one in known]
