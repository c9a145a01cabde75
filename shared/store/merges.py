"""Merges of defects as rows: who takes part, what moves, and what it takes to undo one exactly."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, insert, or_, select, text, update

from shared.domain.policy import Policy
from shared.domain.terms import DefectId, DefectState
from shared.errors import NotFound
from shared.store import matching, references
from shared.store.engine import ReadTx, WriteTx
from shared.store.tables import defect, merge, sighting, works_order_defect

GRADED = (
    "band",
    "band_why",
    "likelihood",
    "impact",
    "depth_mm",
    "width_mm",
    "danger",
    "known_at",
    "clock_from",
    "make_safe_due_at",
    "permanent_due_at",
    "inspect_due_at",
    "made_safe_at",
    "due_why",
)
"""What the taker of a merge may get from the one that it takes in, and gives back when the merge is undone."""
_TIMES = frozenset({"known_at", "clock_from", "made_safe_at", "make_safe_due_at", "permanent_due_at", "inspect_due_at"})
_BASIS = frozenset({"band", "band_why", "likelihood", "impact", "clock_from"})
_DRAWN = frozenset({"make_safe_due_at", "permanent_due_at", "due_why"})
"""What clocks run from, and what grading draws from that."""


@dataclass(frozen=True, slots=True)
class Party:
    """A defect that takes part in a merge, a split or a link, locked."""

    id: DefectId
    reference: str
    state: DefectState
    class_code: str
    merged_into: DefectId | None
    repaired_at: datetime | None
    assessed_at: datetime | None
    ordered: bool
    x: float
    y: float
    graded: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Undoing:
    """A merge that stands. `before` and `after` are the taker's graded columns, `moved` the sightings, each with the
    merge that had brought it to the one that was taken in, `followers` those that had been merged into that one.
    """

    id: int
    into_id: DefectId
    at: datetime
    state: DefectState
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    moved: Sequence[tuple[int, int | None]]
    followers: Sequence[int]


_PARTY = (
    defect.c.id,
    defect.c.reference,
    defect.c.state,
    defect.c.class_code,
    defect.c.merged_into,
    defect.c.repaired_at,
    defect.c.assessed_at,
    select(works_order_defect.c.defect_id)
    .where(works_order_defect.c.defect_id == defect.c.id, works_order_defect.c.ended_at.is_(None))
    .exists()
    .label("ordered"),
    func.ST_X(defect.c.geom).label("x"),
    func.ST_Y(defect.c.geom).label("y"),
    *(defect.c[name] for name in GRADED),
)


def parties(tx: WriteTx, ids: Collection[int]) -> dict[int, Party]:
    """The defects of these ids, locked in the order of their ids."""
    return _parties(tx.execute(_party_rows(ids).with_for_update(of=defect, key_share=True)))


def look_at(tx: ReadTx, ids: Collection[int]) -> dict[int, Party]:
    """The same, unlocked: to be read, not to be decided about."""
    return _parties(tx.execute(_party_rows(ids)))


def _party_rows(ids: Collection[int]) -> Select[Any]:
    return select(*_PARTY).where(defect.c.id == func.any(sorted(ids))).order_by(defect.c.id)


def _parties(rows: Iterable[Row[Any]]) -> dict[int, Party]:
    found = {}
    for row in rows:
        graded = {name: row._mapping[name] for name in GRADED}
        state = DefectState(row.state)
        found[row.id] = Party(
            row.id,
            row.reference,
            state,
            row.class_code,
            row.merged_into,
            row.repaired_at,
            row.assessed_at,
            row.ordered,
            row.x,
            row.y,
            graded,
        )
    return found


def ids(tx: ReadTx, *written: str) -> list[DefectId]:
    """The ids of defects by their references, as they were typed.

    Raises:
        NotFound: there is no such defect.
    """
    wanted = {one: references.read(one) for one in written}
    rows = tx.execute(select(defect.c.id, defect.c.reference).where(defect.c.reference == func.any([*wanted.values()])))
    known = {row.reference: DefectId(row.id) for row in rows}
    for one, reference in wanted.items():
        if reference not in known:
            raise NotFound(f"There is no defect {one}.")
    return [known[wanted[one]] for one in written]


def holder_of(tx: ReadTx, defect_id: int) -> DefectId | None:
    """The defect that a duplicate is merged into."""
    found: DefectId | None = tx.scalar(select(defect.c.merged_into).where(defect.c.id == defect_id))
    return found


def originals(tx: ReadTx, ids: Collection[int]) -> dict[int, DefectId]:
    """Of each of these defects, the one that it is merged into; itself, when it is none's duplicate."""
    rows = select(defect.c.id, func.coalesce(defect.c.merged_into, defect.c.id).label("original"))
    return {row.id: DefectId(row.original) for row in tx.execute(rows.where(defect.c.id == func.any(list(ids))))}


def lock_around(tx: WriteTx, ids: Sequence[int], policy: Policy) -> None:
    """Keep everyone else from deciding near these defects, and near where people saw them."""
    where = [
        select(func.ST_X(table.c.geom), func.ST_Y(table.c.geom)).where(column == func.any(list(ids)))
        for table, column in ((defect, defect.c.id), (sighting, sighting.c.defect_id))
    ]
    seen = where[1].where(sighting.c.report_id.is_not(None), sighting.c.unlinked_at.is_(None))
    matching.lock_places(tx, [(x, y) for x, y in map(tuple, tx.execute(where[0].union(seen)))], policy)


# --- merge and unmerge -----------------------------------------------------------------------------------------------


def move_sightings(tx: WriteTx, from_id: int, into_id: int) -> list[tuple[int, int | None]]:
    """Give the standing sightings of one defect to another, but for reports that saw both.

    Returns each that moved, with the merge that had brought it where it was.
    """
    other = sighting.alias("other")
    both = select(other.c.report_id).where(
        other.c.defect_id == into_id, other.c.unlinked_at.is_(None), other.c.report_id.is_not(None)
    )
    going = select(sighting.c.id, sighting.c.merged_from).where(
        sighting.c.defect_id == from_id,
        sighting.c.unlinked_at.is_(None),
        or_(sighting.c.report_id.is_(None), sighting.c.report_id.not_in(both)),
    )
    moved = [(row.id, row.merged_from) for row in tx.execute(going.order_by(sighting.c.id).with_for_update())]
    ids = [number for number, _ in moved]
    tx.execute(update(sighting).where(sighting.c.id == func.any(ids)).values(defect_id=into_id, merged_from=from_id))
    return moved


def return_sightings(tx: WriteTx, undoing: Undoing, holder: int, to_id: int) -> None:
    """Give back what a merge moved, as far as it is still with the holder."""
    moved = text(
        """
        UPDATE sighting SET defect_id = :to, merged_from = came.merged_from
        FROM unnest(CAST(:ids AS bigint[]), CAST(:came AS bigint[])) AS came(id, merged_from)
        WHERE sighting.id = came.id AND sighting.defect_id = :holder
        """
    )
    ids = [number for number, _ in undoing.moved]
    tx.execute(moved, {"to": to_id, "holder": holder, "ids": ids, "came": [came for _, came in undoing.moved]})


def repoint(tx: WriteTx, from_id: int, into_id: int | None, only: Sequence[int] | None = None) -> list[DefectId]:
    """Let all (or these) that were merged into one defect be merged into another: no chains."""
    moved = update(defect).where(defect.c.merged_into == from_id)
    if only is not None:
        moved = moved.where(defect.c.id == func.any(list(only)))
    return [DefectId(one) for one in tx.scalars(moved.values(merged_into=into_id).returning(defect.c.id))]


def remember(
    tx: WriteTx,
    absorbed: Party,
    taker: Party,
    after: Mapping[str, Any],
    moved: Sequence[tuple[int, int | None]],
    followers: Sequence[int],
    now: datetime,
) -> None:
    """Keep what it takes to undo a merge exactly."""
    before = {
        "state": absorbed.state,
        "before": _plain(taker.graded),
        "after": _plain({**taker.graded, **after}),
        "moved": [list(one) for one in moved],
        "followers": list(followers),
    }
    row = {"defect_id": absorbed.id, "into_id": taker.id, "at": now, "actor": tx.actor, "before": before}
    tx.execute(insert(merge).values(row))


def standing_merge(tx: WriteTx, defect_id: int) -> Undoing | None:
    """The merge by which this defect is a duplicate, locked; None when there is none."""
    return _undoing(tx.execute(_newest_merge(defect_id).with_for_update()).one_or_none())


def look_at_merge(tx: ReadTx, defect_id: int) -> Undoing | None:
    """The same, unlocked."""
    return _undoing(tx.execute(_newest_merge(defect_id)).one_or_none())


def _newest_merge(defect_id: int) -> Select[Any]:
    rows = select(merge).where(merge.c.defect_id == defect_id, merge.c.undone_at.is_(None))
    return rows.order_by(merge.c.id.desc()).limit(1)


def _undoing(row: Row[Any] | None) -> Undoing | None:
    if row is None:
        return None
    kept = row.before
    return Undoing(
        row.id,
        DefectId(row.into_id),
        row.at,
        DefectState(kept["state"]),
        kept["before"],
        kept["after"],
        [(number, came) for number, came in kept["moved"]],
        kept["followers"],
    )


def undone(tx: WriteTx, merge_id: int, now: datetime) -> None:
    """The merge stands no longer."""
    tx.execute(update(merge).where(merge.c.id == merge_id).values(undone_at=now))


def given_back(taker: Party, undoing: Undoing) -> dict[str, Any]:
    """The taker's columns as they were before a merge, as far as nobody has changed them since.

    Due times that were drawn since, from what it gained, go back with that. What a person has graded since stays.
    """
    current, was, became = _plain(taker.graded), undoing.before, undoing.after
    back = {name for name in was if current[name] == became[name]}
    if taker.assessed_at is not None and taker.assessed_at > undoing.at:
        back -= _BASIS | _DRAWN
    elif back >= _BASIS and any(was[name] != became[name] for name in _BASIS):
        back |= _DRAWN
    return {name: _typed(name, was[name]) for name in back}


def _plain(graded: Mapping[str, Any]) -> dict[str, Any]:
    return {name: one.isoformat() if isinstance(one, datetime) else one for name, one in graded.items()}


def _typed(name: str, value: Any) -> Any:
    return datetime.fromisoformat(value) if value is not None and name in _TIMES else value
