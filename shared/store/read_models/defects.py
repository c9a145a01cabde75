"""One defect as it is read: by anybody in plain words, by staff with all that is on record of it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.orm import aliased

from shared.domain.public import PublicStatus, public_status
from shared.domain.terms import DefectState
from shared.domain.timeline import Link, Moment, of_defect, of_duplicate
from shared.errors import NotFound
from shared.store import meanwhile
from shared.store.engine import ReadTx
from shared.store.public_photos import is_public
from shared.store.read_models import history
from shared.store.tables import (
    contractor,
    defect,
    detection,
    event,
    photo,
    recall,
    report,
    sighting,
    street,
    visit,
    warranty,
    works_order,
    works_order_defect,
)


@dataclass(frozen=True, slots=True)
class Told:
    """A defect with what anybody may know of it. `row` has more, which is for staff."""

    row: Row[Any]
    status: PublicStatus
    timeline: list[Moment]


_original = aliased(defect)
_earlier = aliased(defect)
_sender = report.alias("sender")
_ROW = (
    select(
        defect,
        street.c.name.label("street"),
        _original.c.reference.label("same_as"),
        _original.c.state.label("original_state"),
        _earlier.c.reference.label("recurs"),
    )
    .outerjoin(street, street.c.id == defect.c.street_id)
    .outerjoin(_original, _original.c.id == defect.c.merged_into)
    .outerjoin(_earlier, _earlier.c.id == defect.c.recurrence_of)
)


def told(tx: ReadTx, reference: str) -> Told:
    """A defect, where it stands, and what happened, in plain words.

    Raises:
        NotFound: there is no such defect.
    """
    row = tx.execute(_ROW.where(defect.c.reference == reference)).one_or_none()
    if row is None:
        raise NotFound("There is no defect with this reference. Letters and digits as in D-7K3M-9QXF.")
    original = [] if row.original_state is None else [DefectState(row.original_state)]
    return Told(row, public_status(DefectState(row.state), original), _timeline(tx, row))


def _timeline(tx: ReadTx, row: Row[Any]) -> list[Moment]:
    """Its own; a duplicate's goes on with its original's from when it was found to be one."""
    ids = [row.id] if row.merged_into is None else [row.id, row.merged_into]
    steps, facts = history.steps(tx, "defect", ids), history.facts(tx, "defect", ids)
    if row.merged_into is None:
        return of_defect(steps[row.id], facts[row.id])
    since = max(step.at for step in steps[row.id] if step.state is DefectState.DUPLICATE)
    original = Link(since, steps[row.merged_into], facts[row.merged_into])
    return of_duplicate(steps[row.id], facts[row.id], original)


def whole(tx: ReadTx, defect_id: int) -> dict[str, Any]:
    """All that is on record of a defect, for staff: who saw it and why it was joined, orders, visits, warranties."""
    return {
        "seen": meanwhile.newest(tx, "defect", [defect_id])[defect_id],
        "sightings": _sightings(tx, defect_id),
        "orders": _orders(tx, defect_id),
        "visits": _visits(tx, defect_id),
        "warranties": _warranties(tx, defect_id),
        "recalls": _recalls(tx, defect_id),
        "photos": _photos(tx, defect_id),
        "events": history.events(tx, "defect", defect_id),
    }


def _listed(tx: ReadTx, rows: Any) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in tx.execute(rows)]


def _sightings(tx: ReadTx, defect_id: int) -> list[dict[str, Any]]:
    columns: list[ColumnElement[Any]] = [
        sighting.c[name] for name in ("verdict", "why", "survey_pass", "class_code", "lat", "lon", "accuracy_m")
    ]
    columns += [sighting.c[name] for name in ("seen_at", "known_at", "danger", "linked_at", "unlinked_at")]
    columns += [sighting.c.detection_id.label("detection"), report.c.state.label("report_state")]
    columns += [report.c.description.label("words"), report.c.channel]
    columns.append(detection.c.more["image_url"].astext.label("image_url"))
    seen_by = (sighting.c.detection_id.is_not(None)).label("by_machine")
    return _listed(
        tx,
        select(report.c.reference.label("report"), seen_by, *columns)
        .outerjoin(report, report.c.id == sighting.c.report_id)
        .outerjoin(detection, detection.c.id == sighting.c.detection_id)
        .where(sighting.c.defect_id == defect_id)
        .order_by(sighting.c.id)
        .limit(500),
    )


def _orders(tx: ReadTx, defect_id: int) -> list[dict[str, Any]]:
    columns: list[ColumnElement[Any]] = [
        works_order.c[name] for name in ("reference", "state", "kind", "band", "charge_to", "issued_at")
    ]
    columns += [works_order.c[name] for name in ("scheduled_for", "completed_at", "verified_at", "verifier")]
    columns.append(works_order.c.missing)
    issued = select(event.c.data["why"].astext).where(
        event.c.subject == "works_order", event.c.subject_id == works_order.c.id, event.c.kind == "OrderIssued"
    )
    columns.append(issued.order_by(event.c.id).limit(1).scalar_subquery().label("issued_why"))
    orders = _listed(
        tx,
        select(works_order.c.id, contractor.c.code.label("contractor"), works_order_defect.c.ended_at, *columns)
        .join(works_order_defect, works_order_defect.c.works_order_id == works_order.c.id)
        .join(contractor, contractor.c.id == works_order.c.contractor_id)
        .where(works_order_defect.c.defect_id == defect_id)
        .order_by(works_order.c.id),
    )
    known = meanwhile.newest(tx, "works_order", [one["id"] for one in orders])
    for one in orders:
        one["seen"] = known[one.pop("id")]
    return orders


def _visits(tx: ReadTx, defect_id: int) -> list[dict[str, Any]]:
    names = ("outcome", "reason", "note", "repair_type", "started_at", "ended_at", "received_at", "evidence", "applied")
    return _listed(
        tx,
        select(works_order.c.reference.label("order"), *(visit.c[name] for name in names))
        .join(works_order, works_order.c.id == visit.c.works_order_id)
        .join(works_order_defect, works_order_defect.c.works_order_id == works_order.c.id)
        .where(works_order_defect.c.defect_id == defect_id)
        .order_by(visit.c.ended_at, visit.c.id),
    )


def _warranties(tx: ReadTx, defect_id: int) -> list[dict[str, Any]]:
    names = ("state", "repair_type", "repaired_at", "starts_on", "ends_on", "void_reason")
    return _listed(
        tx,
        select(works_order.c.reference.label("order"), contractor.c.code.label("contractor"))
        .add_columns(*(warranty.c[name] for name in names))
        .join(works_order, works_order.c.id == warranty.c.works_order_id)
        .join(contractor, contractor.c.id == warranty.c.contractor_id)
        .where(warranty.c.defect_id == defect_id)
        .order_by(warranty.c.id),
    )


def _recalls(tx: ReadTx, defect_id: int) -> list[dict[str, Any]]:
    names = ("reference", "state", "why", "proposed_at", "decided_at", "decision_why", "disputed_at", "ruled_at")
    rows = select(*(recall.c[name] for name in names)).where(recall.c.defect_id == defect_id)
    return _listed(tx, rows.order_by(recall.c.id))


def _photos(tx: ReadTx, defect_id: int) -> list[dict[str, Any]]:
    """Photos of its reports, of passers-by, and of the visits to its orders."""
    of_reports = select(sighting.c.report_id).where(
        sighting.c.defect_id == defect_id, sighting.c.report_id.is_not(None), sighting.c.unlinked_at.is_(None)
    )
    of_passers_by = select(sighting.c.id).where(
        sighting.c.defect_id == defect_id,
        func.num_nonnulls(sighting.c.report_id, sighting.c.detection_id) == 0,
        sighting.c.unlinked_at.is_(None),
    )
    of_visits = (
        select(visit.c.client_id)
        .join(works_order_defect, works_order_defect.c.works_order_id == visit.c.works_order_id)
        .where(works_order_defect.c.defect_id == defect_id)
    )
    columns = [photo.c[name] for name in ("reference", "role", "taken_at", "received_at", "width_px", "height_px")]
    order = (
        select(works_order.c.reference)
        .join(visit, visit.c.works_order_id == works_order.c.id)
        .where(visit.c.client_id == photo.c.visit_client_id, visit.c.contractor_id == photo.c.contractor_id)
        .limit(1)
        .scalar_subquery()
    )
    wanted = (
        select(*columns, is_public().label("public"), photo.c.released_by.label("said_by"))
        .add_columns(_sender.c.reference.label("report"), order.label("order"))
        .outerjoin(_sender, _sender.c.id == photo.c.report_id)
    )
    of_people = photo.c.report_id.in_(of_reports) | photo.c.sighting_id.in_(of_passers_by)
    return _listed(tx, wanted.where(of_people | photo.c.visit_client_id.in_(of_visits)).order_by(photo.c.id))
