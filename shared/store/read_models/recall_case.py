"""A recall as the person sees it who decides: the repair in question, what was seen since, and what was said of it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import JSON, cast, func, literal, null, select, union_all

from shared.store.engine import ReadTx
from shared.store.read_models import names, repair_photos
from shared.store.read_models.warranties import one_recall
from shared.store.tables import (
    contractor,
    defect,
    detection,
    event,
    recall,
    recall_sighting,
    report,
    street,
    visit,
    warranty,
    works_order,
)

Row = Mapping[str, Any]


def case(tx: ReadTx, reference: str) -> Row:
    """All of it, for staff.

    Raises:
        NotFound: there is no such recall.
    """
    head = one_recall(tx, reference, None)
    repair = _repair(tx, head["id"])
    photos = [
        *repair_photos.as_reported(tx, [repair["defect_id"]]).get(repair["defect_id"], ()),
        *repair_photos.of_visits(tx, [repair["visit_id"]]).get(repair["visit_id"], ()),
    ]
    seen = _seen(tx, head["id"])
    new = {one["reference"] for sighting in seen for one in sighting["photos"]}
    before = [one for one in photos if one["reference"] not in new]
    return {
        **head,
        "repair": {**repair, "photos": repair_photos.labelled(before)},
        "sightings": seen,
        "said": _said(tx, head["id"]),
        "version": f"{head['state']} {len(seen)} {head['remedial_order']}",
    }


def _repair(tx: ReadTx, recall_id: int) -> Row:
    """What was promised, where, until when, and by whom; the footprint as GeoJSON in WGS 84."""
    outline = cast(func.ST_AsGeoJSON(func.ST_Transform(warranty.c.footprint, 4326), 7), JSON)
    rows = (
        select(
            *(warranty.c[name] for name in ("defect_id", "visit_id", "repair_type", "repaired_at", "starts_on")),
            warranty.c.ends_on,
            outline.label("footprint"),
            works_order.c.reference.label("works_order"),
            works_order.c.band,
            works_order.c.verified_at,
            names.of_actor(works_order.c.verifier).label("verifier"),
            names.of_actor(visit.c.person).label("completed_by"),
            *(visit.c[name] for name in ("started_at", "length_m", "width_m", "note")),
            visit.c.ended_at.label("left_at"),
            contractor.c.name.label("contractor_name"),
            street.c.name.label("street"),
        )
        .select_from(recall)
        .join(warranty, warranty.c.id == recall.c.warranty_id)
        .join(works_order, works_order.c.id == warranty.c.works_order_id)
        .join(visit, visit.c.id == warranty.c.visit_id)
        .join(contractor, contractor.c.id == warranty.c.contractor_id)
        .join(defect, defect.c.id == warranty.c.defect_id)
        .outerjoin(street, street.c.id == defect.c.street_id)
        .where(recall.c.id == recall_id)
    )
    return dict(tx.execute(rows).one()._mapping)


def _seen(tx: ReadTx, recall_id: int) -> list[dict[str, Any]]:
    """What was seen in the footprint, the first first: by people with their words and photos, and by machines. The
    distance is from the footprint, in metres, 0 inside it."""
    of_recall = recall_sighting.c.recall_id == recall_id
    plain = (recall_sighting.c.id.label("waits_id"), recall_sighting.c.why)

    def away(table: Any) -> Any:
        return func.ST_Distance(warranty.c.footprint, table.c.geom).label("distance_m")

    by_people = (
        select(
            *plain,
            report.c.id.label("report_id"),
            report.c.reference,
            report.c.observed_at.label("seen_at"),
            report.c.class_code,
            *(report.c[name] for name in ("lat", "lon", "accuracy_m", "description", "danger", "state")),
            null().label("confidence"),
            away(report),
        )
        .select_from(recall_sighting)
        .join(report, report.c.id == recall_sighting.c.report_id)
    )
    by_machines = (
        select(
            *plain,
            null().label("report_id"),
            detection.c.external_id.label("reference"),
            detection.c.captured_at.label("seen_at"),
            detection.c.class_code,
            *(detection.c[name] for name in ("lat", "lon", "accuracy_m")),
            literal("").label("description"),
            literal(False).label("danger"),
            detection.c.verdict.label("state"),
            detection.c.confidence,
            away(detection),
        )
        .select_from(recall_sighting)
        .join(detection, detection.c.id == recall_sighting.c.detection_id)
    )
    both = union_all(
        *(
            one.join(recall, recall.c.id == recall_sighting.c.recall_id)
            .join(warranty, warranty.c.id == recall.c.warranty_id)
            .where(of_recall)
            for one in (by_people, by_machines)
        )
    ).subquery()
    rows = tx.execute(select(both).order_by(both.c.waits_id)).all()
    photos = repair_photos.of_reports(tx, [row.report_id for row in rows if row.report_id])
    return [
        {
            **row._mapping,
            "kind": "detection" if row.report_id is None else "report",
            "photos": repair_photos.labelled(photos.get(row.report_id, ())),
        }
        for row in rows
    ]


def _said(tx: ReadTx, recall_id: int) -> list[Row]:
    """What was decided, disputed and ruled, in order: by whom, and why."""
    rows = select(
        event.c.at,
        event.c.data["decision"].astext.label("decision"),
        func.coalesce(event.c.data["ruling"].as_boolean(), False).label("ruling"),
        event.c.data["why"].astext.label("why"),
        names.of_actor(event.c.actor).label("by"),
    ).where(event.c.subject == "recall", event.c.subject_id == recall_id, event.c.kind == "RecallDecided")
    return [dict(row._mapping) for row in tx.execute(rows.order_by(event.c.id))]
