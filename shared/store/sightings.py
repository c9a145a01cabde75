"""Writes what matching decided: new defects, sightings with verdict and reasons, and what defects gain by them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import hypot
from typing import Any, NamedTuple

from sqlalchemy import insert, text

from shared.domain.priority import SizeSteps, steps_over
from shared.domain.terms import DefectId, DefectState, PolicyVersionId, ReportId
from shared.domain.verdicts import Seen, Sighting, Standing, Unsure
from shared.store import detections_due as stored
from shared.store import references
from shared.store.detections_due import Batch
from shared.store.engine import WriteTx
from shared.store.matching import BY_A_PERSON, SHOWN_WITHIN_M, Known
from shared.store.network import EDGE_M
from shared.store.tables import GRID, question
from shared.store.told import tell


@dataclass(frozen=True, slots=True)
class Founded:
    """A defect to be recorded: who saw it first, how it stands after the batch, and what it recurs from."""

    first: Seen
    standing: Standing
    known_at: datetime
    danger: bool
    reports: int
    detections: int
    depth_mm: float | None = None
    width_mm: float | None = None
    recurrence_of: DefectId | None = None


class Link(NamedTuple):
    """A sighting of a recorded defect. `verdict`: same, new, recall or person."""

    seen: Seen
    defect_id: DefectId
    verdict: str
    why: str


class Resighted(NamedTuple):
    """What a batch adds to a defect that was there."""

    standing: Standing
    known_at: datetime
    danger: bool
    reports: int
    detections: int
    depth_mm: float | None = None
    width_mm: float | None = None


_FOUNDED = {
    "reference": "text",
    "class_code": "text",
    "x": "float8",
    "y": "float8",
    "accuracy_m": "float8",
    "street_id": "bigint",
    "street_key": "text",
    "street_side": "text",
    "level": "smallint",
    "house_number": "integer",
    "danger": "boolean",
    "reports": "integer",
    "detections": "integer",
    "survey_passes": "integer",
    "known_at": "timestamptz",
    "opened_at": "timestamptz",
    "last_seen_at": "timestamptz",
    "depth_mm": "float8",
    "width_mm": "float8",
    "recurrence_of": "bigint",
}

_RECORD = """
    INSERT INTO defect (
        reference, class_code, state, lat, lon, accuracy_m, geom, street_id, street_key, street_side, level,
        house_number, area_code, hierarchy, danger, reports, detections, survey_passes, known_at, clock_from,
        opened_at, last_seen_at, depth_mm, width_mm, recurrence_of, policy_id, updated_at)
    SELECT told.reference, told.class_code, :state, ST_Y(place.wgs), ST_X(place.wgs), told.accuracy_m, place.geom,
           told.street_id, told.street_key, told.street_side, told.level, told.house_number,
           (
               SELECT area.code FROM area_piece JOIN area ON area.id = area_piece.area_id
               WHERE ST_DWithin(area_piece.geom, place.geom, :edge)
               ORDER BY area.kind <> 'district', ST_Distance(area_piece.geom, place.geom), area.id LIMIT 1
           ),
           street.hierarchy, told.danger, told.reports, told.detections, told.survey_passes, told.known_at,
           told.known_at, told.opened_at, told.last_seen_at, told.depth_mm, told.width_mm, told.recurrence_of,
           :policy, :now
    FROM {told}
    CROSS JOIN LATERAL (SELECT ST_SetSRID(ST_MakePoint(told.x, told.y), :grid) AS geom) AS grid
    CROSS JOIN LATERAL (SELECT grid.geom, ST_Transform(grid.geom, 4326) AS wgs) AS place
    LEFT JOIN street ON street.id = told.street_id
    RETURNING reference, id
"""


def record(tx: WriteTx, found: Sequence[Founded], policy: PolicyVersionId, now: datetime) -> list[DefectId]:
    """Insert the defects as candidates, in one statement. Returns their ids in the same order."""
    if not found:
        return []
    named = references.fresh_many("D", len(found))
    rows = [_founded_row(reference, one) for reference, one in zip(named, found, strict=True)]
    told = tell(_FOUNDED, rows)
    params = {"state": DefectState.CANDIDATE, "edge": EDGE_M, "grid": GRID, "policy": policy, "now": now}
    made = dict(map(tuple, tx.execute(text(_RECORD.format(told=told.relation)), params | told.params).all()))
    return [DefectId(made[reference]) for reference in named]


def _founded_row(reference: str, one: Founded) -> tuple[Any, ...]:
    standing, first = one.standing, one.first.sighting
    return (
        reference,
        first.class_code,
        standing.x,
        standing.y,
        standing.accuracy_m,
        one.first.street_id,
        first.street_key,
        first.street_side,
        first.level,
        first.house_number,
        one.danger,
        one.reports,
        one.detections,
        standing.passes_added,
        one.known_at,
        standing.opened_at,
        standing.last_seen_at,
        one.depth_mm,
        one.width_mm,
        one.recurrence_of,
    )


_LINKED = {"seen_id": "bigint", "defect_id": "bigint", "verdict": "text", "why": "text"}
_OF_REPORTS = {**_LINKED, "street_key": "text", "house_number": "integer"}

_LINK_REPORTS = """
    INSERT INTO sighting (
        defect_id, report_id, class_code, lat, lon, accuracy_m, geom, street_id, street_key, street_side, level,
        house_number, seen_at, known_at, danger, verdict, why, policy_id, linked_at)
    SELECT told.defect_id, report.id, report.class_code, report.lat, report.lon, report.accuracy_m, report.geom,
           report.street_id, told.street_key, report.street_side, report.level, told.house_number,
           report.observed_at, report.received_at, report.danger, told.verdict, told.why, :policy, :now
    FROM {told} JOIN report ON report.id = told.seen_id
"""

_LINK_DETECTIONS = """
    INSERT INTO sighting (
        defect_id, detection_id, survey_pass, class_code, lat, lon, accuracy_m, geom, street_id, street_key,
        street_side, level, seen_at, known_at, verdict, why, policy_id, linked_at)
    SELECT told.defect_id, detection.id, detection.survey_pass_id, detection.class_code, detection.lat, detection.lon,
           detection.accuracy_m, detection.geom, detection.street_id, detection.street_key, detection.street_side,
           detection.level, detection.captured_at, detection.received_at, told.verdict, told.why, :policy, :now
    FROM {told} JOIN detection ON detection.id = told.seen_id AND {stored}
"""


def link_reports(tx: WriteTx, links: Sequence[Link], policy: PolicyVersionId | None, now: datetime) -> None:
    """Insert the sightings of reports."""
    if links:
        rows = [(link.seen.id, link.defect_id, link.verdict, link.why, *_address(link.seen.sighting)) for link in links]
        told = tell(_OF_REPORTS, rows)
        tx.execute(text(_LINK_REPORTS.format(told=told.relation)), {"policy": policy, "now": now} | told.params)


def _address(seen: Sighting) -> tuple[str | None, int | None]:
    return seen.street_key, seen.house_number


def link_detections(tx: WriteTx, links: Sequence[Link], batch: Batch, policy: PolicyVersionId, now: datetime) -> None:
    """Insert the sightings of a batch's own detections."""
    rows = [(link.seen.id, link.defect_id, link.verdict, link.why) for link in links]
    if rows:
        those = stored.those(batch, [row[0] for row in rows])
        _link_detections(tx, _LINKED, rows, stored.OF_BATCH, {"policy": policy, "now": now, **those})


def link_waiting(tx: WriteTx, links: Sequence[Link], policy: PolicyVersionId, now: datetime) -> None:
    """Insert the sightings of detections of other batches, which had waited."""
    rows = [(link.seen.id, link.defect_id, link.verdict, link.why, link.seen.sighting.known_at) for link in links]
    columns = {**_LINKED, "received_at": "timestamptz"}
    _link_detections(tx, columns, rows, stored.RECEIVED_AT, {"policy": policy, "now": now})


def _link_detections(
    tx: WriteTx, columns: Mapping[str, str], rows: Sequence[tuple[Any, ...]], where: str, params: Mapping[str, Any]
) -> None:
    if rows:
        told = tell(columns, rows)
        tx.execute(text(_LINK_DETECTIONS.format(told=told.relation, stored=where)), {**params, **told.params})


_RESIGHTED = {
    "id": "bigint",
    "x": "float8",
    "y": "float8",
    "accuracy_m": "float8",
    "danger": "boolean",
    "reports": "integer",
    "known_at": "timestamptz",
    "last_seen_at": "timestamptz",
}
_RESIGHTED_BY_MACHINES = {
    "id": "bigint",
    "x": "float8",
    "y": "float8",
    "accuracy_m": "float8",
    "moved": "boolean",
    "more": "boolean",
    "known_at": "timestamptz",
    "detections": "integer",
    "passes": "integer",
    "last_seen_at": "timestamptz",
    "depth_mm": "float8",
    "width_mm": "float8",
}

_KNOWN_EARLIER = """known_at = least(defect.known_at, told.known_at),
        -- A clock that was based anew on later knowledge stays there.
        clock_from = CASE WHEN defect.clock_from = defect.known_at THEN least(defect.known_at, told.known_at)
                          ELSE defect.clock_from END"""
_RESIGHT = """
    UPDATE defect SET
        geom = place.geom, lat = ST_Y(place.wgs), lon = ST_X(place.wgs), mean_x = NULL, mean_y = NULL,
        accuracy_m = told.accuracy_m, danger = defect.danger OR told.danger,
        reports = defect.reports + told.reports,
        {known_earlier},
        last_seen_at = greatest(defect.last_seen_at, told.last_seen_at), updated_at = :now
    FROM {told}
    CROSS JOIN LATERAL (SELECT ST_SetSRID(ST_MakePoint(told.x, told.y), :grid) AS geom) AS grid
    CROSS JOIN LATERAL (SELECT grid.geom, ST_Transform(grid.geom, 4326) AS wgs) AS place
    WHERE defect.id = told.id
"""

# Nothing that an index holds changes unless the place does, so that most of these rows are updated in their page.
_RESIGHT_BY_MACHINES = """
    UPDATE defect SET
        mean_x = told.x, mean_y = told.y, accuracy_m = told.accuracy_m,
        geom = CASE WHEN told.moved THEN {place} ELSE defect.geom END,
        lat = CASE WHEN told.moved THEN ST_Y(ST_Transform({place}, 4326)) ELSE defect.lat END,
        lon = CASE WHEN told.moved THEN ST_X(ST_Transform({place}, 4326)) ELSE defect.lon END,
        detections = defect.detections + told.detections, survey_passes = defect.survey_passes + told.passes,
        {known_earlier},
        last_seen_at = greatest(defect.last_seen_at, told.last_seen_at),
        -- What a person measured stands.
        depth_mm = CASE WHEN {by_a_person} THEN defect.depth_mm ELSE greatest(defect.depth_mm, told.depth_mm) END,
        width_mm = CASE WHEN {by_a_person} THEN defect.width_mm ELSE greatest(defect.width_mm, told.width_mm) END,
        updated_at = CASE WHEN told.moved OR told.more THEN :now ELSE defect.updated_at END
    FROM {told}
    WHERE defect.id = told.id
"""


def resight(tx: WriteTx, touched: Sequence[Resighted], now: datetime) -> None:
    """Add to the defects what people saw of them. Locks them."""
    if touched:
        told = tell(_RESIGHTED, [_resighted_row(one) for one in touched])
        statement = _RESIGHT.format(told=told.relation, known_earlier=_KNOWN_EARLIER)
        tx.execute(text(statement), {"grid": GRID, "now": now} | told.params)


def resight_by_machines(
    tx: WriteTx, touched: Sequence[Resighted], told_more: Collection[DefectId], now: datetime
) -> None:
    """Add to the defects what machines saw of them. Their place moves when the mean is a metre off. Locks them."""
    if touched:
        told = tell(_RESIGHTED_BY_MACHINES, [_by_machines_row(one, told_more) for one in touched])
        place = "ST_SetSRID(ST_MakePoint(told.x, told.y), :grid)"
        statement = _RESIGHT_BY_MACHINES.format(
            told=told.relation, place=place, by_a_person=BY_A_PERSON, known_earlier=_KNOWN_EARLIER
        )
        tx.execute(text(statement), {"grid": GRID, "now": now} | told.params)


def told_more(touched: Sequence[Resighted], known: Mapping[int, Known], steps: SizeSteps) -> list[DefectId]:
    """Those of which a size was reached that some grade looks at, or that were known earlier: they are graded anew."""
    return [DefectId(one.standing.id) for one in touched if _told_more(one, known[one.standing.id], steps)]


def _told_more(one: Resighted, known: Known, steps: SizeSteps) -> bool:
    if one.known_at < known.known_at:
        return True
    deeper = steps_over(steps.depth_mm, known.depth_mm, one.depth_mm)
    return deeper or steps_over(steps.width_mm, known.width_mm, one.width_mm)


def _resighted_row(one: Resighted) -> tuple[Any, ...]:
    of = one.standing
    return (of.id, of.x, of.y, of.accuracy_m, one.danger, one.reports, one.known_at, of.last_seen_at)


def _by_machines_row(one: Resighted, told_more: Collection[DefectId]) -> tuple[Any, ...]:
    of = one.standing
    off_m = hypot(of.x - (of.shown_x or of.x), of.y - (of.shown_y or of.y))
    moved, more = off_m >= SHOWN_WITHIN_M, of.id in told_more
    measured = (one.depth_mm, one.width_mm)
    where = (of.id, of.x, of.y, of.accuracy_m)
    return (
        *where,
        moved,
        more,
        one.known_at if more else None,
        one.detections,
        of.passes_added,
        of.last_seen_at,
        *measured,
    )


def ask(tx: WriteTx, asked: Mapping[ReportId, Unsure], policy: PolicyVersionId, now: datetime) -> None:
    """Put the reports into the operators' queue, each with its candidates, likeliest first."""
    rows = [
        {
            "report_id": report_id,
            "candidates": [
                {"defect_id": one.defect_id, "why": one.why, "distance_m": one.distance_m} for one in unsure.candidates
            ],
            "policy_id": policy,
            "asked_at": now,
        }
        for report_id, unsure in asked.items()
    ]
    if rows:
        tx.execute(insert(question), rows)
