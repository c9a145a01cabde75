"""Works orders as contractors and operators read them: lists paged by change, and one order whole."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, or_, select, tuple_

from shared.domain.lifecycle import ORDER
from shared.domain.terms import OrderState
from shared.errors import NotFound
from shared.store import meanwhile
from shared.store.engine import ReadTx
from shared.store.read_models import list_place, sides
from shared.store.read_models.photos import came_with_order
from shared.store.tables import (
    contractor,
    defect,
    event,
    photo,
    sighting,
    street,
    visit,
    works_order,
    works_order_defect,
)

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which orders a list shows; None: whatever it is. `contractor_id` limits it to that contractor's own."""

    contractor_id: int | None = None
    contractor: str | None = None
    states: Sequence[str] = ()
    bands: Sequence[str] = ()
    street: str | None = None
    area: str | None = None
    due_before: datetime | None = None
    updated_since: datetime | None = None
    open_only: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Orders, and where the next page begins; None when there is no more."""

    rows: list[Row]
    next: str | None


_HEAD: list[Any] = [
    works_order.c[name]
    for name in (
        "id",
        "reference",
        "state",
        "kind",
        "band",
        "charge_to",
        "lot",
        "street_key",
        "area_code",
        "issued_at",
        "accepted_at",
        "scheduled_for",
        "make_safe_due_at",
        "permanent_due_at",
        "completed_at",
        "sampled",
        "verify_due_at",
        "verified_at",
        "verifier",
        "missing",
        "ended_at",
        "updated_at",
    )
]
_HEAD += [contractor.c.code.label("contractor"), contractor.c.name.label("contractor_name")]


def page(tx: ReadTx, wanted: Wanted, *, after: str | None, most: int) -> Page:
    """Orders in the order of their last change. What changes later is asked for by `updated_since`: see `as_of.py`.

    Raises:
        Invalid: `after` is not from an answer of ours.
    """
    tx.plan_for_values()
    rows = select(*_HEAD).join(contractor, contractor.c.id == works_order.c.contractor_id).where(*_filters(wanted))
    if after is not None:
        rows = rows.where(tuple_(works_order.c.updated_at, works_order.c.reference) > tuple_(*list_place.read(after)))
    rows = rows.order_by(works_order.c.updated_at, works_order.c.reference).limit(most + 1)
    found = [dict(row._mapping) for row in tx.execute(rows)]
    shown = found[:most]
    _add_defects(tx, shown)
    _add_seen(tx, shown, wanted.contractor_id)
    last = shown[-1] if len(found) > most else None
    return Page([*shown], None if last is None else list_place.written(last["updated_at"], last["reference"]))


def _filters(wanted: Wanted) -> list[Any]:
    soonest = func.least(works_order.c.make_safe_due_at, works_order.c.permanent_due_at)
    rules: list[tuple[Any, Callable[[Any], Any]]] = [
        (wanted.contractor_id, lambda known: works_order.c.contractor_id == known),
        (wanted.contractor, lambda code: contractor.c.code == code),
        (list(wanted.states) or None, lambda states: works_order.c.state == func.any(states)),
        (list(wanted.bands) or None, lambda bands: works_order.c.band == func.any(bands)),
        (wanted.street, lambda key: works_order.c.street_key == key),
        (wanted.area, lambda code: works_order.c.area_code == code),
        (wanted.due_before, lambda at: soonest < at),
        (wanted.updated_since, lambda at: works_order.c.updated_at >= at),
        (wanted.open_only or None, lambda _: works_order.c.ended_at.is_(None)),
    ]
    return [rule(value) for value, rule in rules if value is not None]


def _add_seen(tx: ReadTx, orders: Sequence[dict[str, Any]], contractor_id: int | None) -> None:
    """For staff the newest event of each that may stand against an act; contractors' own acts rest on states alone."""
    staff = contractor_id is None
    seen = meanwhile.newest(tx, "works_order", [order["id"] for order in orders]) if staff else {}
    for order in orders:
        order["seen"] = seen.get(order["id"])


def _add_defects(tx: ReadTx, orders: Sequence[dict[str, Any]]) -> None:
    """What each order covers, or covered last: reference, class, place, and the street's name."""
    covered: dict[int, list[Row]] = {order["id"]: [] for order in orders}
    for row in tx.execute(_defects(list(covered))):
        covered[row.works_order_id].append(dict(row._mapping))
    for order in orders:
        order["defects"] = covered[order["id"]]
        order["street"] = next((row["street"] for row in order["defects"] if row["street"]), None)


def _defects(order_ids: Sequence[int]) -> Select[Any]:
    return (
        select(
            works_order_defect.c.works_order_id,
            works_order_defect.c.ended_at.label("left_at"),
            defect.c.id,
            defect.c.reference,
            defect.c.class_code,
            defect.c.state,
            defect.c.band,
            defect.c.lat,
            defect.c.lon,
            defect.c.accuracy_m,
            defect.c.street_side,
            defect.c.depth_mm,
            defect.c.width_mm,
            defect.c.danger,
            defect.c.make_safe_due_at,
            defect.c.permanent_due_at,
            defect.c.due_why,
            defect.c.made_safe_at,
            street.c.name.label("street"),
        )
        .join(defect, defect.c.id == works_order_defect.c.defect_id)
        .outerjoin(street, street.c.id == defect.c.street_id)
        .where(works_order_defect.c.works_order_id == func.any(list(order_ids)))
        .order_by(works_order_defect.c.works_order_id, defect.c.id)
    )


def whole(tx: ReadTx, reference: str, contractor_id: int | None) -> Row:
    """One order with its defects, photos, visits and history; with `contractor_id`, only that contractor's own.

    Raises:
        NotFound: there is none, or it is another's.
    """
    rows = (
        select(*_HEAD, works_order.c.contractor_id, works_order.c.follows)
        .join(contractor, contractor.c.id == works_order.c.contractor_id)
        .where(works_order.c.reference == reference)
    )
    row = tx.execute(rows).one_or_none()
    if row is None or contractor_id not in (None, row.contractor_id):
        raise NotFound(f"There is no works order {reference}.")
    order = dict(row._mapping)
    _add_defects(tx, [order])
    _add_seen(tx, [order], contractor_id)
    order["follows"] = _earlier(tx, order, contractor_id)
    order["report_photos"] = _report_photos(tx, order["id"], contractor_id)
    order["visits"] = _visits(tx, order["id"])
    order["history"] = _history(tx, order["id"])
    if contractor_id is not None:
        _name_no_staff(tx, order)
    order["next"] = next_steps(OrderState(order["state"]), contractor_id is not None)
    return order


def _earlier(tx: ReadTx, order: Row, contractor_id: int | None) -> str | None:
    """The order that this one took over from; a contractor is told of their own only."""
    rows = select(works_order.c.reference).where(works_order.c.id == order["follows"])
    if contractor_id is not None:
        rows = rows.where(works_order.c.contractor_id == contractor_id)
    earlier: str | None = tx.scalar(rows)
    return earlier


def _report_photos(tx: ReadTx, order_id: int, contractor_id: int | None) -> list[Row]:
    """Public copies of what residents sent, by defect; for a contractor those that came with the order."""
    rows = (
        select(defect.c.reference.label("defect"), photo.c.reference, photo.c.received_at)
        .join(sighting, or_(sighting.c.report_id == photo.c.report_id, sighting.c.id == photo.c.sighting_id))
        .join(defect, defect.c.id == sighting.c.defect_id)
        .join(works_order_defect, works_order_defect.c.defect_id == defect.c.id)
        .join(works_order, works_order.c.id == works_order_defect.c.works_order_id)
        .where(works_order.c.id == order_id, sighting.c.unlinked_at.is_(None))
        .order_by(photo.c.id)
    )
    if contractor_id is not None:
        rows = rows.where(came_with_order())
    return [dict(row._mapping) for row in tx.execute(rows)]


_VISIT = (
    "id",
    "client_id",
    "outcome",
    "reason",
    "note",
    "repair_type",
    "started_at",
    "ended_at",
    "received_at",
    "length_m",
    "width_m",
    "applied",
    "evidence",
)


def _visits(tx: ReadTx, order_id: int) -> list[Row]:
    rows = select(*(visit.c[name] for name in _VISIT), visit.c.contractor_id).where(visit.c.works_order_id == order_id)
    found = [dict(row._mapping) for row in tx.execute(rows.order_by(visit.c.ended_at, visit.c.id))]
    photos = tx.execute(
        select(photo.c.visit_client_id, photo.c.contractor_id, photo.c.reference, photo.c.role, photo.c.taken_at)
        .where(
            tuple_(photo.c.visit_client_id, photo.c.contractor_id).in_(
                [(one["client_id"], one["contractor_id"]) for one in found]
            )
        )
        .order_by(photo.c.id)
    ).all()
    for one in found:
        one["photos"] = [row._mapping for row in photos if row.visit_client_id == one["client_id"]]
    return [*found]


def _history(tx: ReadTx, order_id: int) -> list[Row]:
    """Every event of the order, in the order in which they were recorded."""
    rows = (
        select(
            event.c.at,
            event.c.occurred_at,
            event.c.kind,
            event.c.before,
            event.c.after,
            event.c.actor,
            event.c.data["why"].astext.label("why"),
        )
        .where(event.c.subject == "works_order", event.c.subject_id == order_id)
        .order_by(event.c.id)
    )
    return [dict(row._mapping) for row in tx.execute(rows)]


def _name_no_staff(tx: ReadTx, order: dict[str, Any]) -> None:
    """A contractor is told who acted as "us", "council" or the rule's name, not which person."""
    sides.tell(tx, order["history"], ("actor",), order["contractor_id"])
    sides.tell(tx, [order], ("verifier",), order["contractor_id"])


_BY_CONTRACTORS = {
    OrderState.ACCEPTED: "accept",
    OrderState.DECLINED: "decline",
    OrderState.SCHEDULED: "schedule",
    OrderState.ON_SITE: "start",
}
_BY_STAFF = {
    OrderState.CANCELLED: "cancel",
    OrderState.VERIFIED: "verify",
    OrderState.PAID: "pay",
}


def next_steps(state: OrderState, by_contractor: bool) -> list[dict[str, str]]:
    """The calls that may follow now, each with what it takes: {step, state, needs}."""
    calls = _BY_CONTRACTORS if by_contractor else _BY_STAFF
    lawful = ORDER.lawful_from(state)
    return [{"step": calls[after], "state": after, "needs": lawful[after]} for after in lawful if after in calls]
