"""Defects at a glance, before and after something is tried: where they stand, who saw them, what covers them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

from shared.store.engine import ReadTx


@dataclass(frozen=True, slots=True)
class Glance:
    """A defect as it stands. `x` and `y` are metres on the grid, `same_as` the one that it is a duplicate of."""

    id: int
    reference: str
    state: str
    band: str | None
    band_why: list[str]
    lat: float
    lon: float
    x: float
    y: float
    accuracy_m: float
    reports: int
    detections: int
    danger: bool
    known_at: datetime
    make_safe_due_at: datetime | None
    permanent_due_at: datetime | None
    inspect_due_at: datetime | None
    due_why: list[str]
    same_as: str | None
    works_order: str | None


_GLANCE = text(
    """
    SELECT defect.id, defect.reference, defect.state, defect.band, defect.band_why, defect.lat, defect.lon,
           ST_X(defect.geom) AS x, ST_Y(defect.geom) AS y, defect.accuracy_m, defect.reports, defect.detections,
           defect.danger, defect.known_at, defect.make_safe_due_at, defect.permanent_due_at, defect.inspect_due_at,
           defect.due_why, original.reference AS same_as, works_order.reference AS works_order
    FROM defect
    LEFT JOIN defect AS original ON original.id = defect.merged_into
    LEFT JOIN works_order_defect AS covered ON covered.defect_id = defect.id AND covered.ended_at IS NULL
    LEFT JOIN works_order ON works_order.id = covered.works_order_id
    WHERE defect.id = ANY(:ids)
    ORDER BY defect.id
    """
).bindparams(bindparam("ids", type_=ARRAY(BigInteger)))


def glance(tx: ReadTx, ids: Sequence[int]) -> dict[int, Glance]:
    """The defects of these ids."""
    return {row.id: Glance(**row._mapping) for row in tx.execute(_GLANCE, {"ids": list(ids)})}


@dataclass(frozen=True, slots=True)
class Standing:
    """What saw a defect. `report` is a reference; None: a machine, or a passer-by. `reached`: its reporter is told."""

    defect_id: int
    report: str | None
    by_machine: bool
    reached: bool


_STANDING = text(
    """
    SELECT sighting.defect_id, report.reference AS report, sighting.detection_id IS NOT NULL AS by_machine,
           coalesce(contact.unfollowed_at IS NULL AND coalesce(contact.email, contact.phone) IS NOT NULL
                    AND contact.report_id IS NOT NULL, false) AS reached,
           coalesce('r' || sighting.report_id, 'd' || sighting.detection_id, 'p' || sighting.id) AS seer
    FROM sighting
    LEFT JOIN report ON report.id = sighting.report_id
    LEFT JOIN contact ON contact.report_id = report.id
    WHERE sighting.defect_id = ANY(:ids) AND sighting.unlinked_at IS NULL
    ORDER BY sighting.id
    """
).bindparams(bindparam("ids", type_=ARRAY(BigInteger)))


def standing(tx: ReadTx, ids: Sequence[int]) -> set[tuple[str, Standing]]:
    """What saw these defects, each with a name of its own; one that saw two of them stands twice."""
    rows = tx.execute(_STANDING, {"ids": list(ids)})
    return {(row.seer, Standing(row.defect_id, row.report, row.by_machine, row.reached)) for row in rows}


_ORDERS = text(
    """
    SELECT DISTINCT works_order.reference, works_order.state
    FROM works_order JOIN works_order_defect AS covered ON covered.works_order_id = works_order.id
    WHERE covered.defect_id = ANY(:ids)
    """
).bindparams(bindparam("ids", type_=ARRAY(BigInteger)))


def orders(tx: ReadTx, ids: Sequence[int]) -> Mapping[str, str]:
    """The states of all works orders that cover these defects, or have, by their references."""
    return {row.reference: row.state for row in tx.execute(_ORDERS, {"ids": list(ids)})}
