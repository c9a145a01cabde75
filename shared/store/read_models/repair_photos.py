"""The photos by which a repair is judged: what residents sent, and the crew's from before and after the work."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import func, or_, select

from shared.store.engine import ReadTx
from shared.store.tables import GRID, defect, photo, report, sighting, visit, works_order_defect

Row = Mapping[str, Any]
_SHOWN = [photo.c[name] for name in ("reference", "role", "taken_at", "received_at", "width_px", "height_px")]
_TAKEN = func.ST_Transform(func.ST_SetSRID(func.ST_MakePoint(photo.c.taken_lon, photo.c.taken_lat), 4326), GRID)


def of_visits(tx: ReadTx, visit_ids: Sequence[int]) -> dict[int, list[Row]]:
    """By visit, its photos with how far from the nearest defect of its order each says that it was taken; metres."""
    away = (
        select(func.min(func.ST_Distance(_TAKEN, defect.c.geom)))
        .join(works_order_defect, works_order_defect.c.defect_id == defect.c.id)
        .where(works_order_defect.c.works_order_id == visit.c.works_order_id)
        .correlate(photo, visit)
    )
    rows = (
        select(visit.c.id.label("visit_id"), *_SHOWN, away.scalar_subquery().label("distance_m"))
        .join(photo, (photo.c.visit_client_id == visit.c.client_id) & (photo.c.contractor_id == visit.c.contractor_id))
        .where(visit.c.id == func.any(list(visit_ids)))
        .order_by(photo.c.id)
    )
    found: dict[int, list[Row]] = {}
    for row in tx.execute(rows):
        found.setdefault(row.visit_id, []).append(dict(row._mapping))
    return found


def as_reported(tx: ReadTx, defect_ids: Sequence[int]) -> dict[int, list[Row]]:
    """By defect, what residents and passers-by sent of it; the distance is from the defect."""
    rows = (
        select(defect.c.id.label("defect_id"), *_SHOWN, func.ST_Distance(_TAKEN, defect.c.geom).label("distance_m"))
        .join(sighting, or_(sighting.c.report_id == photo.c.report_id, sighting.c.id == photo.c.sighting_id))
        .join(defect, defect.c.id == sighting.c.defect_id)
        .where(sighting.c.defect_id == func.any(list(defect_ids)), sighting.c.unlinked_at.is_(None))
        .order_by(photo.c.id)
    )
    found: dict[int, list[Row]] = {}
    for row in tx.execute(rows):
        found.setdefault(row.defect_id, []).append(dict(row._mapping))
    return found


def of_reports(tx: ReadTx, report_ids: Sequence[int]) -> dict[int, list[Row]]:
    """By report, the photos that came with it."""
    rows = select(photo.c.report_id, *_SHOWN, func.ST_Distance(_TAKEN, report.c.geom).label("distance_m"))
    rows = rows.join(report, report.c.id == photo.c.report_id)
    found: dict[int, list[Row]] = {}
    for row in tx.execute(rows.where(photo.c.report_id == func.any(list(report_ids))).order_by(photo.c.id)):
        found.setdefault(row.report_id, []).append(dict(row._mapping))
    return found


_NAMES = {"report": "Reported", "before": "Before", "after": "After"}


def labelled(photos: Iterable[Row]) -> list[dict[str, Any]]:
    """Each with a name by which people speak of it: Reported 1, Before 1, After 2."""
    counted: Counter[str] = Counter()
    named = []
    for one in photos:
        counted[one["role"]] += 1
        label = f"{_NAMES[one['role']]} {counted[one['role']]}"
        named.append({**one, "label": label, "url": f"/api/v1/photos/{one['reference']}"})
    return named


def in_words(sentence: str, photos: Iterable[Row]) -> str:
    """A sentence about photos with their labels for their long names: "Photo After 1 was taken 120 m away"."""
    for one in photos:
        sentence = sentence.replace(one["reference"], one["label"].lower())
    return sentence
