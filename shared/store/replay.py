"""What the scoring of other cities asks of its scratch database: which report, what was closed, what came of it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, select, update

from shared.domain.terms import DefectId, DefectState, ReportId
from shared.store import relinks
from shared.store.engine import ReadTx, WriteTx
from shared.store.tables import defect, report, sighting

_PREFIX = "historic:"


def ids(tx: ReadTx, requests: Sequence[str]) -> list[ReportId]:
    """The reports that these requests became; their order is nobody's promise."""
    return list(tx.scalars(select(report.c.id).where(_named(requests))))


def close(tx: WriteTx, requests: Sequence[str], now: datetime) -> None:
    """The city has settled these requests: they stand no more, and a defect that has none left is closed.

    Without events: a scratch database keeps no record. Locks the sightings and the defects.
    """
    ended = (
        update(sighting)
        .where(sighting.c.report_id.in_(select(report.c.id).where(_named(requests))), sighting.c.unlinked_at.is_(None))
        .values(unlinked_at=now)
        .returning(sighting.c.defect_id)
    )
    touched = sorted(set(tx.scalars(ended)))
    left = exists().where(sighting.c.defect_id == defect.c.id, sighting.c.unlinked_at.is_(None))
    over = update(defect).where(defect.c.id == func.any(touched), ~left)
    tx.execute(over.values(state=DefectState.CLOSED, ended_at=now))
    relinks.redraw(tx, touched, now)


def outcome(tx: ReadTx) -> dict[str, tuple[DefectId, bool]]:
    """For each request the defect that it came to, and whether that was there before it."""
    linked = select(report.c.external_id, sighting.c.defect_id, sighting.c.verdict).join(
        sighting, sighting.c.report_id == report.c.id
    )
    return {row.external_id.removeprefix(_PREFIX): (row.defect_id, row.verdict == "same") for row in tx.execute(linked)}


def _named(requests: Sequence[str]) -> ColumnElement[bool]:
    return report.c.external_id == func.any([f"{_PREFIX}{one}" for one in requests])
