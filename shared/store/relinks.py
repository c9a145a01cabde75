"""Sightings that people link, unlink and split, defects redrawn from what then saw them, and pairs told apart."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from shared.domain.terms import DefectId, ReportId
from shared.store.engine import ReadTx, WriteTx
from shared.store.tables import apart, report, sighting

_REDRAW = text(
    """
    UPDATE defect SET
        reports = seen.reports, detections = seen.detections, survey_passes = seen.passes,
        danger = defect.danger OR seen.danger,
        known_at = least(defect.known_at, seen.known_at),
        clock_from = CASE WHEN defect.clock_from = defect.known_at THEN least(defect.known_at, seen.known_at)
                          ELSE defect.clock_from END,
        last_seen_at = coalesce(seen.last_seen_at, defect.last_seen_at),
        geom = coalesce(placed.geom, defect.geom), mean_x = NULL, mean_y = NULL,
        lat = coalesce(ST_Y(ST_Transform(placed.geom, 4326)), defect.lat),
        lon = coalesce(ST_X(ST_Transform(placed.geom, 4326)), defect.lon),
        accuracy_m = CASE WHEN placed.geom IS NULL THEN defect.accuracy_m ELSE seen.accuracy_m END, updated_at = :now
    FROM unnest(CAST(:ids AS bigint[])) AS wanted(id)
    CROSS JOIN LATERAL (
        SELECT count(DISTINCT report_id) AS reports, count(detection_id) AS detections,
               count(DISTINCT survey_pass) AS passes, coalesce(bool_or(danger), false) AS danger,
               min(known_at) AS known_at, max(seen_at) AS last_seen_at,
               sqrt(1 / nullif(sum(weight), 0)) AS accuracy_m,
               ST_SetSRID(ST_MakePoint(sum(ST_X(sighting.geom) * weight) / nullif(sum(weight), 0),
                                       sum(ST_Y(sighting.geom) * weight) / nullif(sum(weight), 0)),
                          max(ST_SRID(sighting.geom))) AS geom
        FROM (
            -- A passer-by says which one it is, not where.
            SELECT *, CASE WHEN num_nonnulls(report_id, detection_id) = 1 THEN 1 / greatest(accuracy_m, 0.1) ^ 2
                      END AS weight
            FROM sighting WHERE defect_id = wanted.id AND unlinked_at IS NULL
        ) AS sighting
    ) AS seen
    CROSS JOIN LATERAL (
        -- One that nobody had seen was put there by a person: it stays there.
        SELECT seen.geom FROM defect AS drawn WHERE drawn.id = wanted.id AND drawn.reports + drawn.detections > 0
        UNION ALL SELECT NULL LIMIT 1
    ) AS placed
    WHERE defect.id = wanted.id
    """
)


def redraw(tx: WriteTx, ids: Sequence[int], now: datetime) -> None:
    """Draw counts, mean position and earliest knowledge from the sightings that stand; without any, they stay.

    First knowledge never becomes later. Locks the defects.
    """
    tx.execute(_REDRAW, {"ids": sorted(ids), "now": now})


def saw(tx: ReadTx, report_id: int) -> list[DefectId]:
    """The defects that a report is linked to."""
    rows = select(sighting.c.defect_id).where(sighting.c.report_id == report_id, sighting.c.unlinked_at.is_(None))
    return [DefectId(one) for one in tx.scalars(rows.order_by(sighting.c.defect_id))]


def observed_at(tx: ReadTx, report_id: int) -> datetime:
    """When the reporter saw it."""
    seen: datetime = tx.scalar(select(report.c.observed_at).where(report.c.id == report_id))
    return seen


def unlink(tx: WriteTx, report_id: int, defect_id: int, now: datetime) -> bool:
    """End a report's sighting of a defect; the row stays. False when there is none that stands."""
    ended = update(sighting).where(
        sighting.c.report_id == report_id, sighting.c.defect_id == defect_id, sighting.c.unlinked_at.is_(None)
    )
    return tx.execute(ended.values(unlinked_at=now)).rowcount > 0


_SPLIT = text(
    """
    WITH ended AS (
        UPDATE sighting SET unlinked_at = :now
        WHERE defect_id = :from AND unlinked_at IS NULL
          AND (report_id = ANY(CAST(:reports AS bigint[])) OR detection_id = ANY(CAST(:detections AS bigint[])))
        RETURNING *
    ), moved AS (
        INSERT INTO sighting (defect_id, report_id, detection_id, survey_pass, class_code, lat, lon, accuracy_m, geom,
            street_id, street_key, street_side, level, house_number, seen_at, known_at, danger, verdict, why,
            policy_id, linked_at)
        SELECT :to, report_id, detection_id, survey_pass, class_code, lat, lon, accuracy_m, geom, street_id,
               street_key, street_side, level, house_number, seen_at, known_at, danger, 'person', :why, policy_id, :now
        FROM ended ORDER BY id
        RETURNING report_id
    )
    SELECT report_id FROM moved WHERE report_id IS NOT NULL ORDER BY report_id
    """
)


def split(
    tx: WriteTx,
    from_id: int,
    to_id: int,
    reports: Sequence[int],
    detections: Sequence[int],
    why: str,
    now: datetime,
) -> list[ReportId]:
    """Move sightings from one defect to another as new rows; the old ones are ended. Returns the reports that moved."""
    params = {"from": from_id, "to": to_id, "reports": list(reports), "detections": list(detections)}
    return [ReportId(one) for one in tx.scalars(_SPLIT, {**params, "why": why, "now": now})]


_LIKE = text(
    """
    INSERT INTO defect (reference, class_code, state, lat, lon, accuracy_m, geom, street_id, street_key, street_side,
        level, house_number, area_code, hierarchy, known_at, clock_from, opened_at, last_seen_at, policy_id, updated_at,
        reports)
    SELECT :reference, defect.class_code, :state, seen.lat, seen.lon, seen.accuracy_m, seen.geom,
           coalesce(seen.street_id, defect.street_id), coalesce(seen.street_key, defect.street_key), seen.street_side,
           seen.level, seen.house_number, defect.area_code, defect.hierarchy, seen.known_at, seen.known_at, :now,
           seen.seen_at, defect.policy_id, :now, 1
    FROM defect JOIN LATERAL (
        SELECT * FROM sighting
        WHERE sighting.defect_id = defect.id AND unlinked_at IS NULL
          AND (report_id = ANY(CAST(:reports AS bigint[])) OR detection_id = ANY(CAST(:detections AS bigint[])))
        ORDER BY known_at, id LIMIT 1
    ) AS seen ON true
    WHERE defect.id = :from
    RETURNING id
    """
)


def found_like(
    tx: WriteTx,
    from_id: int,
    reference: str,
    state: str,
    reports: Sequence[int],
    detections: Sequence[int],
    now: datetime,
) -> DefectId | None:
    """Record a defect for sightings of another, where the first saw it, to be redrawn; None when none stands."""
    params = {"from": from_id, "reference": reference, "state": state, "now": now}
    made = tx.scalar(_LIKE, {**params, "reports": list(reports), "detections": list(detections)})
    return None if made is None else DefectId(made)


def standing(tx: ReadTx, defect_id: int) -> int:
    """How many sightings of a defect stand."""
    count: int = tx.scalar(
        select(func.count())
        .select_from(sighting)
        .where(sighting.c.defect_id == defect_id, sighting.c.unlinked_at.is_(None))
    )
    return count


def can_go(tx: ReadTx, defect_id: int) -> bool:
    """Whether a report or a detection saw the defect, which could be of another one. A passer-by says which it is."""
    seen = (sighting.c.defect_id == defect_id, sighting.c.unlinked_at.is_(None))
    told = func.num_nonnulls(sighting.c.report_id, sighting.c.detection_id) == 1
    return tx.scalar(select(sighting.c.id).where(*seen, told).limit(1)) is not None


def linked_reports(tx: ReadTx, defect_id: int) -> list[str]:
    """The references of the reports that are linked to a defect and have not ended, oldest first."""
    rows = (
        select(report.c.reference)
        .join(sighting, sighting.c.report_id == report.c.id)
        .where(sighting.c.defect_id == defect_id, sighting.c.unlinked_at.is_(None), report.c.state == "linked")
    )
    return list(tx.scalars(rows.order_by(sighting.c.id)))


def standing_of(tx: ReadTx, defect_id: int, reports: Sequence[int], detections: Sequence[int]) -> int:
    """How many of these reports and detections saw a defect."""
    theirs = or_(sighting.c.report_id == func.any(list(reports)), sighting.c.detection_id == func.any(list(detections)))
    count: int = tx.scalar(
        select(func.count())
        .select_from(sighting)
        .where(sighting.c.defect_id == defect_id, sighting.c.unlinked_at.is_(None), theirs)
    )
    return count


# --- told apart ------------------------------------------------------------------------------------------------------


def tell_apart(tx: WriteTx, one: int, other: int, now: datetime) -> None:
    """A person said that these are two: no machine joins them, and who is near both is asked about."""
    pair = {"defect_id": min(one, other), "other_id": max(one, other), "at": now}
    said = insert(apart).values(pair)
    tx.execute(
        said.on_conflict_do_update(index_elements=["defect_id", "other_id"], set_={"at": now, "undone_at": None})
    )


def tell_together(tx: WriteTx, one: int, other: int, now: datetime) -> None:
    """A person said that they are one after all."""
    pair = (apart.c.defect_id == min(one, other), apart.c.other_id == max(one, other), apart.c.undone_at.is_(None))
    tx.execute(update(apart).where(*pair).values(undone_at=now))
