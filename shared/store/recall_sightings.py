"""What was seen in a footprint and waits with a recall: becomes sightings of the recalled defect, or founds another.

Reports that somebody has decided about meanwhile (withdrawn, referred, linked elsewhere) are left where they are.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text

from shared.domain.policy import Policy
from shared.domain.terms import DefectId, DefectState, PolicyVersionId, ReportId
from shared.domain.verdicts import Sighting
from shared.store import matching, references
from shared.store.engine import ReadTx, WriteTx
from shared.store.tables import GRID, OPEN_STATES, defect, recall, recall_sighting, report, warranty


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits with a recall: since when it is known, whether somebody calls it dangerous, and how much it is."""

    known_at: datetime
    danger: bool
    reports: int
    detections: int


@dataclass(frozen=True, slots=True)
class Linked:
    """A report that became a sighting, and why."""

    report_id: ReportId
    why: str


_SEEN = """
    seen AS (
        SELECT waits.id AS waits_id, waits.why, report.id AS report_id, NULL::bigint AS detection_id,
               NULL::text AS survey_pass, report.class_code, report.lat, report.lon, report.accuracy_m, report.geom,
               report.street_id, report.street_key, report.street_side, report.level, report.house_number,
               -- A report that challenges its own repair told of the failure when it did so, not when it was made.
               CASE WHEN told.before THEN waits.at ELSE report.observed_at END AS seen_at,
               CASE WHEN told.before THEN waits.at ELSE report.received_at END AS known_at, report.danger
        FROM recall_sighting AS waits
        JOIN report ON report.id = waits.report_id
        JOIN recall ON recall.id = waits.recall_id
        JOIN warranty ON warranty.id = recall.warranty_id
        CROSS JOIN LATERAL (SELECT report.observed_at < warranty.repaired_at AS before) AS told
        WHERE waits.recall_id = :recall AND report.state = 'triage'
        UNION ALL
        SELECT waits.id, waits.why, NULL, detection.id, detection.survey_pass_id, detection.class_code, detection.lat,
               detection.lon, detection.accuracy_m, detection.geom, detection.street_id, detection.street_key,
               detection.street_side, detection.level, NULL, detection.captured_at, detection.received_at, false
        FROM recall_sighting AS waits JOIN detection ON detection.id = waits.detection_id
        WHERE waits.recall_id = :recall
    )
"""


def lock_place(tx: WriteTx, reference: str, policy: Policy) -> None:
    """Keep everybody else from deciding near the repair of a recall until this transaction ends."""
    centre = func.ST_Centroid(warranty.c.footprint)
    row = tx.execute(
        select(func.ST_X(centre).label("x"), func.ST_Y(centre).label("y"))
        .select_from(recall.join(warranty, warranty.c.id == recall.c.warranty_id))
        .where(recall.c.reference == references.read(reference))
    ).one_or_none()
    if row is not None:
        matching.lock_places(tx, [(row.x, row.y)], policy)


def as_seen(tx: ReadTx, defect_id: int) -> Sighting:
    """As if a person saw a defect where it is now."""
    columns = (defect.c.class_code, func.ST_X(defect.c.geom).label("x"), func.ST_Y(defect.c.geom).label("y"))
    facts = (defect.c.accuracy_m, defect.c.last_seen_at.label("seen_at"), defect.c.known_at)
    street = (defect.c.street_key, defect.c.street_side, defect.c.level)
    row = tx.execute(select(*columns, *facts, *street).where(defect.c.id == defect_id)).one()
    return Sighting(**row._mapping)


def lock_reports(tx: WriteTx, recall_id: int) -> None:
    """Keep the reports that wait with a recall as they are until this transaction ends. Locks them by their ids."""
    waits = select(recall_sighting.c.report_id).where(recall_sighting.c.recall_id == recall_id)
    tx.execute(select(report.c.id).where(report.c.id.in_(waits)).order_by(report.c.id).with_for_update())


def waiting(tx: ReadTx, recall_id: int) -> Waiting | None:
    """What waits with a recall; None when nothing does any more."""
    row = tx.execute(
        text(
            f"""
            WITH {_SEEN}
            SELECT min(known_at) AS known_at, coalesce(bool_or(danger), false) AS danger,
                   count(report_id) AS reports, count(detection_id) AS detections
            FROM seen
            """
        ),
        {"recall": recall_id},
    ).one()
    return None if row.known_at is None else Waiting(**row._mapping)


_FOUND = text(
    f"""
    WITH {_SEEN}, weighed AS (
        SELECT *, 1 / greatest(accuracy_m, 0.1) ^ 2 AS weight FROM seen
    ), mean AS (
        SELECT ST_SetSRID(ST_MakePoint(sum(ST_X(geom) * weight) / sum(weight), sum(ST_Y(geom) * weight) / sum(weight)),
                          {GRID}) AS geom,
               sqrt(1 / sum(weight)) AS accuracy_m, min(known_at) AS known_at, max(seen_at) AS last_seen_at
        FROM weighed
    )
    INSERT INTO defect (reference, class_code, state, lat, lon, accuracy_m, geom, street_id, street_key, street_side,
        level, area_code, hierarchy, known_at, clock_from, opened_at, last_seen_at, recurrence_of, policy_id,
        updated_at)
    SELECT :reference, old.class_code, :state, ST_Y(wgs.geom), ST_X(wgs.geom), mean.accuracy_m, mean.geom,
           old.street_id, old.street_key, old.street_side, old.level, old.area_code, old.hierarchy, mean.known_at,
           mean.known_at, :now, mean.last_seen_at, old.id, :policy, :now
    FROM mean
    JOIN defect AS old ON old.id = :old
    CROSS JOIN LATERAL (SELECT ST_Transform(mean.geom, 4326) AS geom) AS wgs
    WHERE mean.geom IS NOT NULL
    RETURNING id
    """
)


def found(tx: WriteTx, recall_id: int, old: int, policy: PolicyVersionId, now: datetime) -> DefectId:
    """Record a defect that recurs at the place of an old one, where what waits with the recall saw it. Link it next."""
    params = {"reference": references.fresh("D"), "state": DefectState.CANDIDATE, "policy": policy, "now": now}
    return DefectId(tx.execute(_FOUND, {"recall": recall_id, "old": old, **params}).scalar_one())


_LINK = text(
    f"""
    WITH {_SEEN}, linked AS (
        INSERT INTO sighting (defect_id, report_id, detection_id, survey_pass, class_code, lat, lon, accuracy_m, geom,
            street_id, street_key, street_side, level, house_number, seen_at, known_at, danger, verdict, why,
            policy_id, linked_at)
        SELECT :defect, report_id, detection_id, survey_pass, class_code, lat, lon, accuracy_m, geom, street_id,
               street_key, street_side, level, house_number, seen_at, known_at, danger, 'recall', why, :policy, :now
        FROM seen
        ON CONFLICT DO NOTHING
        RETURNING report_id, detection_id, survey_pass, seen_at, known_at, danger
    ), added AS (
        SELECT count(report_id) AS reports, count(detection_id) AS detections,
               count(DISTINCT survey_pass) AS passes, max(seen_at) AS last_seen_at, min(known_at) AS known_at,
               coalesce(bool_or(danger), false) AS danger
        FROM linked
    ), counted AS (
        UPDATE defect
        SET reports = defect.reports + added.reports, detections = defect.detections + added.detections,
            survey_passes = defect.survey_passes + added.passes, danger = defect.danger OR added.danger,
            last_seen_at = greatest(defect.last_seen_at, added.last_seen_at),
            known_at = least(defect.known_at, added.known_at)
        FROM added WHERE defect.id = :defect
    )
    SELECT report_id, why FROM seen WHERE report_id IS NOT NULL ORDER BY waits_id
    """
)


def link(tx: WriteTx, recall_id: int, defect_id: int, policy: PolicyVersionId, now: datetime) -> list[Linked]:
    """Make what waits with a recall sightings of a defect, and count them there. Returns the reports among them.

    A report that saw the defect before, and challenged its repair, keeps its sighting. Locks the defect.
    """
    params = {"recall": recall_id, "defect": defect_id, "policy": policy, "now": now}
    return [Linked(row.report_id, row.why) for row in tx.execute(_LINK, params)]


def keep_apart(tx: WriteTx, defect_id: int, reach_m: float, now: datetime) -> None:
    """Note that a person took this defect for one of its own: no machine joins it with what stands open around it."""
    tx.execute(
        text(
            """
            INSERT INTO apart (defect_id, other_id, at)
            SELECT least(one.id, other.id), greatest(one.id, other.id), :now
            FROM defect AS one JOIN defect AS other ON ST_DWithin(one.geom, other.geom, :reach)
            WHERE one.id = :defect AND other.id <> one.id AND other.state = ANY(CAST(:open AS text[]))
            ON CONFLICT (defect_id, other_id) DO NOTHING
            """
        ),
        {"defect": defect_id, "reach": reach_m, "open": list(OPEN_STATES), "now": now},
    )
