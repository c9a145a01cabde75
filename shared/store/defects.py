"""Defects as the people and the rules who grade them see them: locked rows, with what was told since the last look."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Row, String, and_, bindparam, cast, func, literal, or_, select, union
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

from shared.domain.terms import Band, DefectId, DefectState, PolicyVersionId
from shared.errors import NotFound
from shared.store import references, works
from shared.store.engine import ReadTx, WriteTx
from shared.store.tables import defect, merge, sighting, warranty
from shared.store.works import Coverable

_PLAIN = (
    "id",
    "reference",
    "state",
    "class_code",
    "hierarchy",
    "band",
    "band_why",
    "likelihood",
    "impact",
    "depth_mm",
    "width_mm",
    "facts",
    "danger",
    "reports",
    "assessed_by",
    "assessed_at",
    "known_at",
    "clock_from",
    "make_safe_due_at",
    "permanent_due_at",
    "inspect_due_at",
    "due_why",
    "made_safe_at",
    "policy_id",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DefectRow:
    """A locked defect. `told_at`, `danger_at`: when the first word of a person (a report, or "it is this one"), and the
    first of danger, was known since a person or a rule last looked; None when there was none. `recalled`: a repair of
    it has failed and is done again.
    """

    id: DefectId
    reference: str
    state: DefectState
    class_code: str
    hierarchy: str | None
    band: Band | None
    band_why: tuple[str, ...]
    likelihood: int | None
    impact: int | None
    depth_mm: float | None
    width_mm: float | None
    facts: Mapping[str, Any]
    danger: bool
    reports: int
    assessed_by: str | None
    assessed_at: datetime | None
    known_at: datetime
    clock_from: datetime
    make_safe_due_at: datetime | None
    permanent_due_at: datetime | None
    inspect_due_at: datetime | None
    due_why: tuple[str, ...]
    made_safe_at: datetime | None
    policy_id: PolicyVersionId | None
    told_at: datetime | None
    danger_at: datetime | None
    recalled: bool


def _told_since(*also: Any) -> Any:
    """When the first word of a person was known that was linked, or came by a merge, since somebody last looked."""
    since = func.coalesce(defect.c.assessed_at, cast(literal("-infinity", String), TIMESTAMP(timezone=True)))
    came = (
        select(merge.c.id)
        .where(merge.c.defect_id == sighting.c.merged_from, merge.c.undone_at.is_(None), merge.c.at >= since)
        .correlate(sighting, defect)
    )
    return (
        select(func.min(sighting.c.known_at))
        .where(
            sighting.c.defect_id == defect.c.id,
            sighting.c.detection_id.is_(None),
            sighting.c.unlinked_at.is_(None),
            or_(sighting.c.linked_at > since, and_(sighting.c.merged_from.is_not(None), came.exists())),
            *also,
        )
        .scalar_subquery()
    )


_FAILED = (
    select(warranty.c.id)
    .where(warranty.c.defect_id == defect.c.id, warranty.c.state.in_(("attributable", "disputed")))
    .exists()
)
_ROWS = select(
    *(defect.c[name] for name in _PLAIN),
    _told_since().label("told_at"),
    _told_since(sighting.c.danger).label("danger_at"),
    (_FAILED & (defect.c.state != "in_warranty")).label("recalled"),
)
_IDS = bindparam("ids", type_=ARRAY(BigInteger))
_LOCKED = _ROWS.where(defect.c.id == func.any(_IDS)).order_by(defect.c.id).with_for_update(of=defect, key_share=True)
_CONCERNED = union(
    select(defect.c.id).where(defect.c.id == func.any(_IDS)),
    select(defect.c.merged_into).where(defect.c.id == func.any(_IDS), defect.c.merged_into.is_not(None)),
    select(merge.c.into_id).where(merge.c.defect_id == func.any(_IDS)),
)
"""Made once: see `deliveries.py`."""


def _row(row: Row[Any]) -> DefectRow:
    said = dict(row._mapping)
    said["state"] = DefectState(row.state)
    said["band"] = None if row.band is None else Band(row.band)
    said["band_why"], said["due_why"] = tuple(row.band_why), tuple(row.due_why)
    return DefectRow(**said)


def lock(tx: WriteTx, ids: Iterable[int]) -> list[DefectRow]:
    """The defects of these ids, their rows locked, in the order of their ids."""
    return [_row(row) for row in tx.execute(_LOCKED, {"ids": sorted(set(ids))})]


def lock_named(tx: WriteTx, named: Sequence[str]) -> dict[str, DefectRow]:
    """The defects of these references, as they are stored, their rows locked in the order of their ids."""
    wanted = _ROWS.where(defect.c.reference == func.any([references.read(one) for one in named])).order_by(defect.c.id)
    rows = map(_row, tx.execute(wanted.with_for_update(of=defect, key_share=True)))
    return {row.reference: row for row in rows}


def named(tx: ReadTx, references: Sequence[str]) -> dict[str, DefectRow]:
    """The defects of these references, as they are stored; nothing is locked."""
    rows = map(_row, tx.execute(_ROWS.where(defect.c.reference == func.any(list(references)))))
    return {row.reference: row for row in rows}


def lock_one(tx: WriteTx, reference: str) -> DefectRow:
    """The defect of this reference, its row locked.

    Raises:
        NotFound: there is none.
    """
    found = lock_named(tx, [reference])
    if not found:
        raise NotFound(f"There is no defect {reference}.")
    return next(iter(found.values()))


def look_at(tx: ReadTx, reference: str) -> DefectRow:
    """The defect of this reference, unlocked: to be read, not to be decided about.

    Raises:
        NotFound: there is none.
    """
    found = tx.execute(_ROWS.where(defect.c.reference == references.read(reference))).one_or_none()
    if found is None:
        raise NotFound(f"There is no defect {reference}.")
    return _row(found)


def versions_of(tx: ReadTx, states: Iterable[str]) -> list[PolicyVersionId]:
    """The policy versions under which defects in these states were graded."""
    ids = select(defect.c.policy_id).where(defect.c.state.in_(sorted(states)), defect.c.policy_id.is_not(None))
    return list(tx.scalars(ids.distinct()))


def lock_running(tx: WriteTx, version_id: int, states: Iterable[str], first: date, last: date) -> list[DefectRow]:
    """Defects graded under a version whose clocks may count one of the days from first to last. Locks their rows.

    A clock that was moved over such a day starts before it; a few days more on either side cost a comparison each.
    """
    beyond = timedelta(days=14)
    wanted = _ROWS.where(
        defect.c.policy_id == version_id,
        defect.c.state.in_(sorted(states)),
        defect.c.clock_from < last + beyond,
        func.greatest(defect.c.make_safe_due_at, defect.c.permanent_due_at) >= first - beyond,
    )
    return [_row(row) for row in tx.execute(wanted.order_by(defect.c.id).with_for_update(of=defect, key_share=True))]


def concerned(tx: ReadTx, ids: Iterable[int]) -> list[DefectId]:
    """These defects, those that took them in, and those that they were taken from again: all that a merge touches."""
    return sorted(tx.scalars(_CONCERNED, {"ids": sorted(set(ids))}))


def coverable(tx: ReadTx, defect_id: int) -> Coverable:
    """What of a defect matters to its works order."""
    return works.coverable(tx.execute(select(*works.COVERABLE).where(defect.c.id == defect_id)).one())
