"""Repairs that wait for a person's verdict, each with all that it is about: photos, visit, evidence, drawing."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Select, func, select, text, tuple_

from shared.domain.evidence import SEEN_AGAIN
from shared.domain.terms import OrderState
from shared.errors import NotFound
from shared.store import meanwhile
from shared.store.engine import ReadTx
from shared.store.read_models import drawn, list_place, names, repair_photos
from shared.store.tables import contractor, defect, sighting, street, visit, works_order, works_order_defect

Row = Mapping[str, Any]

WAITING = (OrderState.EVIDENCE_OK, OrderState.EVIDENCE_FAILED)
"""A person has to look, or the evidence is lacking: then the crew may still send it, or a person goes there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which of them; None and (): whichever they are."""

    states: Sequence[str] = ()
    contractor: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Repairs, and where the next page begins; None when there is no more."""

    rows: list[Row]
    next: str | None


# What has no clock comes after all that has one, the oldest first.
_DUE = func.coalesce(
    works_order.c.verify_due_at,
    func.coalesce(works_order.c.completed_at, works_order.c.updated_at) + text("interval '100 years'"),
)
_ORDER = [
    works_order.c[name]
    for name in (
        "id",
        "reference",
        "state",
        "kind",
        "band",
        "charge_to",
        "issued_at",
        "permanent_due_at",
        "completed_at",
        "sampled",
        "verify_due_at",
        "verified_at",
        "missing",
        "updated_at",
        "visit_id",
    )
]
_VISIT = [
    visit.c[name].label(name)
    for name in (
        "client_id",
        "outcome",
        "note",
        "repair_type",
        "started_at",
        "received_at",
        "accuracy_m",
        "length_m",
        "width_m",
        "evidence",
    )
]


def _repairs() -> Select[Any]:
    nearest = (
        select(func.min(func.ST_Distance(visit.c.geom, defect.c.geom)))
        .join(works_order_defect, works_order_defect.c.defect_id == defect.c.id)
        .where(works_order_defect.c.works_order_id == works_order.c.id)
        .correlate(works_order, visit)
    )
    seen_again = (
        select(sighting.c.id)
        .join(works_order_defect, works_order_defect.c.defect_id == sighting.c.defect_id)
        .where(
            works_order_defect.c.works_order_id == works_order.c.id,
            works_order_defect.c.ended_at.is_(None),
            sighting.c.unlinked_at.is_(None),
            sighting.c.seen_at > works_order.c.completed_at,
        )
        .correlate(works_order)
    )
    return (
        select(
            *_ORDER,
            *_VISIT,
            visit.c.ended_at.label("left_at"),
            visit.c.person.label("completer"),
            names.of_actor(visit.c.person).label("completed_by"),
            names.of_actor(works_order.c.verifier).label("verifier"),
            nearest.scalar_subquery().label("distance_m"),
            seen_again.exists().label("seen_again"),
            contractor.c.id.label("contractor_id"),
            contractor.c.code.label("contractor"),
            contractor.c.name.label("contractor_name"),
            _DUE.label("due"),
        )
        .join(contractor, contractor.c.id == works_order.c.contractor_id)
        .outerjoin(visit, visit.c.id == works_order.c.visit_id)
    )


def waiting(tx: ReadTx, wanted: Wanted, *, after: str | None, most: int) -> Page:
    """Repairs that wait for a soonest due first; those without a clock, whose evidence is lacking, at the end.

    Raises:
        Invalid: `after` is not from an answer of ours.
    """
    tx.plan_for_values()
    rows = _repairs().where(works_order.c.state == func.any(list(wanted.states or WAITING)))
    if wanted.contractor is not None:
        rows = rows.where(contractor.c.code == wanted.contractor)
    if after is not None:
        rows = rows.where(tuple_(_DUE, works_order.c.reference) > tuple_(*list_place.read(after)))
    found = tx.execute(rows.order_by(_DUE, works_order.c.reference).limit(most + 1)).all()
    shown = _whole(tx, [dict(row._mapping) for row in found[:most]])
    last = shown[-1] if len(found) > most else None
    return Page([*shown], None if last is None else list_place.written(last["due"], last["reference"]))


def one(tx: ReadTx, reference: str) -> Row:
    """One repair in the same form, whether it waits or not.

    Raises:
        NotFound: there is no such order, or nobody has said that it is done.
    """
    row = tx.execute(_repairs().where(works_order.c.reference == reference)).one_or_none()
    if row is None or row.visit_id is None:
        raise NotFound(f"There is no works order {reference} that a crew has completed.")
    (whole,) = _whole(tx, [dict(row._mapping)])
    return whole


def how_many(tx: ReadTx) -> dict[str, int]:
    """Of each state that waits, how many there are."""
    states = select(works_order.c.state, func.count().label("many")).where(
        works_order.c.state == func.any(list(WAITING))
    )
    return {str(state): 0 for state in WAITING} | {
        row.state: row.many for row in tx.execute(states.group_by(works_order.c.state))
    }


def _whole(tx: ReadTx, orders: list[dict[str, Any]]) -> list[dict[str, Any]]:
    ids = [order["id"] for order in orders]
    defects, drawings = _defects(tx, ids), drawn.of_orders(tx, ids)
    known = meanwhile.newest(tx, "works_order", ids)
    photos = repair_photos.of_visits(tx, [order["visit_id"] for order in orders if order["visit_id"]])
    reported = repair_photos.as_reported(tx, [one["id"] for covered in defects.values() for one in covered])
    for order in orders:
        order["evidence"] = _as_of_now(order["evidence"], order["seen_again"])
        covered = order["defects"] = defects.get(order["id"], [])
        order["street"] = next((one["street"] for one in covered if one["street"]), None)
        order["drawing"], order["seen"] = drawings.get(order["id"]), known[order["id"]]
        seen = [photo for one in covered for photo in reported.get(one["id"], ())]
        order["photos"] = repair_photos.labelled([*seen, *photos.get(order["visit_id"], ())])
    return orders


def _as_of_now(evidence: Row | None, seen_again: bool) -> Row | None:
    """What was seen again after the evidence was judged is flagged as if it had been seen before."""
    if evidence is None or not seen_again or any(one["code"] == SEEN_AGAIN.code for one in evidence["flags"]):
        return evidence
    return {**evidence, "flags": [*evidence["flags"], asdict(SEEN_AGAIN)]}


def _defects(tx: ReadTx, order_ids: Sequence[int]) -> dict[int, list[Row]]:
    rows = (
        select(
            works_order_defect.c.works_order_id,
            *(defect.c[name] for name in ("id", "reference", "class_code", "state", "lat", "lon", "danger", "reports")),
            *(defect.c[name] for name in ("depth_mm", "width_mm", "street_side")),
            street.c.name.label("street"),
        )
        .join(defect, defect.c.id == works_order_defect.c.defect_id)
        .outerjoin(street, street.c.id == defect.c.street_id)
        .where(works_order_defect.c.works_order_id == func.any(list(order_ids)))
        .order_by(defect.c.id)
    )
    found: dict[int, list[Row]] = {}
    for row in tx.execute(rows):
        found.setdefault(row.works_order_id, []).append(dict(row._mapping))
    return found
