"""The matching queue as operators read it: reports with the defects that they may be of, and what tells of both."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select, text, tuple_

from shared.domain.comparing import Where, compare
from shared.store import meanwhile, references
from shared.store.engine import ReadTx
from shared.store.read_models import list_place
from shared.store.tables import defect, photo, question, report, street

Row = Mapping[str, Any]

MOST_PHOTOS = 6
"""Of one defect: the newest."""
MOST_WORDS = 3
"""Of those who told of one defect: the newest."""


@dataclass(frozen=True, slots=True)
class Page:
    """Questions, where the next page begins (None: there is no more), and how many wait in all."""

    rows: list[Row]
    next: str | None
    waiting: int


def page(tx: ReadTx, *, after: str | None, most: int, report_reference: str | None = None) -> Page:
    """Open questions, the soonest due first. With `report_reference`, the one about that report, if there is one.

    Raises:
        Invalid: `after` is not from an answer of ours.
    """
    tx.plan_for_values()
    rows = _open()
    if report_reference is not None:
        rows = rows.where(report.c.reference == references.read(report_reference))
    place = tuple_(report.c.triage_due_at, report.c.reference)
    if after is not None:
        rows = rows.where(place > tuple_(*list_place.read(after)))
    order = (report.c.triage_due_at, report.c.reference)
    found: list[Row] = [dict(row._mapping) for row in tx.execute(rows.order_by(*order).limit(most + 1))]
    shown = _with_candidates(tx, found[:most])
    last = found[most - 1] if len(found) > most else None
    begins = None if last is None else list_place.written(last["triage_due_at"], last["reference"])
    return Page(shown, begins, waiting(tx))


def waiting(tx: ReadTx) -> int:
    """How many questions are open."""
    count: int = tx.scalar(select(func.count()).select_from(question).where(question.c.settled_at.is_(None)))
    return count


def _open() -> Select[Any]:
    named = ("reference", "class_code", "lat", "lon", "accuracy_m", "street_key", "street_side", "level", "address")
    told = ("description", "danger", "channel", "observed_at", "received_at", "triage_due_at")
    return (
        select(
            question.c.id,
            question.c.candidates,
            question.c.asked_at,
            report.c.id.label("report_id"),
            *(report.c[name] for name in (*named, *told)),
            func.nullif(street.c.name, "").label("street"),
        )
        .join(report, report.c.id == question.c.report_id)
        .outerjoin(street, street.c.id == report.c.street_id)
        .where(question.c.settled_at.is_(None))
    )


# --- what tells of both ----------------------------------------------------------------------------------------------


def _with_candidates(tx: ReadTx, rows: Sequence[Row]) -> list[Row]:
    """Each question with its photos and its candidates: a few statements, for one question or five hundred."""
    near = _defects(tx, {one["defect_id"] for row in rows for one in row["candidates"]})
    originals = {one["id"] for one in near.values()}
    pictures, words = _photos_of_defects(tx, originals), _words(tx, originals)
    reports = [row["report_id"] for row in rows]
    photos, seen = _photos_of_reports(tx, reports), meanwhile.newest(tx, "report", reports)
    return [
        {
            **row,
            "seen": seen[row["report_id"]],
            "photos": photos.get(row["report_id"], []),
            "candidates": [
                {**one, "photos": pictures.get(one["id"], []), "words": words.get(one["id"], [])}
                for one in _candidates(row, near)
            ],
        }
        for row in rows
    ]


def _candidates(row: Row, near: Mapping[int, Row]) -> list[Row]:
    """Likeliest first, each once: a duplicate is shown as its original."""
    shown: dict[int, Row] = {}
    for one in row["candidates"]:
        it = near[one["defect_id"]]
        if it["id"] not in shown:
            facts = compare(
                _where(row), row["observed_at"], _where(it), it["opened_at"], it["last_seen_at"], one["distance_m"]
            )
            shown[it["id"]] = {**it, "distance_m": one["distance_m"], "why": one["why"], "facts": facts}
    return [*shown.values()]


def _where(row: Row) -> Where:
    return Where(
        class_code=row["class_code"],
        accuracy_m=row["accuracy_m"],
        street_key=row["street_key"],
        street=row["street"],
        side=row["street_side"],
        level=row["level"],
    )


def _defects(tx: ReadTx, ids: Collection[int]) -> dict[int, Row]:
    """By the candidate's id: the defect, or the one that it was merged into since."""
    named = ("id", "reference", "class_code", "state", "band", "lat", "lon", "accuracy_m", "street_key", "street_side")
    told = ("level", "danger", "reports", "detections", "opened_at", "last_seen_at", "repaired_at")
    asked = defect.alias("asked")
    rows = (
        select(
            asked.c.id.label("asked_id"),
            *(defect.c[name] for name in (*named, *told)),
            func.nullif(street.c.name, "").label("street"),
        )
        .join_from(asked, defect, defect.c.id == func.coalesce(asked.c.merged_into, asked.c.id))
        .outerjoin(street, street.c.id == defect.c.street_id)
        .where(asked.c.id == func.any(list(ids)))
    )
    return {row.asked_id: dict(row._mapping) for row in tx.execute(rows)}


def _photos_of_reports(tx: ReadTx, ids: Sequence[int]) -> dict[int, list[Row]]:
    columns = [photo.c[name] for name in ("report_id", "reference", "role", "width_px", "height_px", "taken_at")]
    rows = select(*columns).where(photo.c.report_id == func.any(list(ids))).order_by(photo.c.id)
    found: dict[int, list[Row]] = {}
    for row in tx.execute(rows):
        found.setdefault(row.report_id, []).append(dict(row._mapping))
    return found


_PHOTOS = text(
    """
    SELECT wanted.id AS defect_id, shown.*
    FROM unnest(CAST(:ids AS bigint[])) AS wanted(id)
    CROSS JOIN LATERAL (
        SELECT reference, role, width_px, height_px, taken_at
        FROM (
            SELECT photo.* FROM sighting JOIN photo ON photo.report_id = sighting.report_id
            WHERE sighting.defect_id = wanted.id AND sighting.unlinked_at IS NULL
            UNION ALL
            SELECT photo.* FROM sighting JOIN photo ON photo.sighting_id = sighting.id
            WHERE sighting.defect_id = wanted.id AND sighting.unlinked_at IS NULL
            UNION ALL
            SELECT photo.*
            FROM works_order_defect AS covered
            JOIN visit ON visit.works_order_id = covered.works_order_id AND wanted.id = ANY(visit.defect_ids)
            JOIN photo ON photo.visit_client_id = visit.client_id AND photo.contractor_id = visit.contractor_id
            WHERE covered.defect_id = wanted.id
        ) AS each
        ORDER BY id DESC LIMIT :most
    ) AS shown
    """
)
_WORDS = text(
    """
    SELECT wanted.id AS defect_id, told.*
    FROM unnest(CAST(:ids AS bigint[])) AS wanted(id)
    CROSS JOIN LATERAL (
        SELECT report.reference, report.description, report.received_at
        FROM sighting JOIN report ON report.id = sighting.report_id
        WHERE sighting.defect_id = wanted.id AND sighting.unlinked_at IS NULL AND report.description <> ''
        ORDER BY report.id DESC LIMIT :most
    ) AS told
    """
)


def _photos_of_defects(tx: ReadTx, ids: Collection[int]) -> dict[int, list[Row]]:
    """Of who reported each, of who passed it, and of its repairs; the newest first. Staff see what is not released."""
    return _by_defect(tx, _PHOTOS, ids, MOST_PHOTOS)


def _words(tx: ReadTx, ids: Collection[int]) -> dict[int, list[Row]]:
    """What was told of each, the newest first."""
    return _by_defect(tx, _WORDS, ids, MOST_WORDS)


def _by_defect(tx: ReadTx, statement: Any, ids: Collection[int], most: int) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = {}
    for row in tx.execute(statement, {"ids": sorted(ids), "most": most}):
        found.setdefault(row.defect_id, []).append(dict(row._mapping))
    return found
