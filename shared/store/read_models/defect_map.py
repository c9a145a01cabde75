"""The map of defects: for anybody or for staff, filtered, paged, and built as GeoJSON by the database."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import text

from shared.domain.next_clock import RUNNING
from shared.domain.public import public_status
from shared.domain.terms import DefectState
from shared.store.engine import ReadTx
from shared.store.network import area_of_use
from shared.store.read_models import list_place
from shared.store.tables import GRID, SQUARE

_FEATURES = (Path(__file__).parent.parent / "sql" / "defect_features.sql").read_text()
_STAFF_COLUMNS = (
    "state",
    "band",
    "overdue",
    "danger",
    "hierarchy",
    "street_key",
    "street_side",
    "accuracy_m",
    "depth_mm",
    "width_mm",
    "detections",
    "survey_passes",
    "known_at",
    "make_safe_due_at",
    "permanent_due_at",
    "made_safe_at",
    "repaired_at",
    "ended_at",
)
HIDDEN = frozenset({DefectState.NO_DEFECT, DefectState.DUPLICATE})
"""Not on the public's map: nothing is there, or another stands for it."""


@dataclass(frozen=True, slots=True)
class Box:
    """West, south, east and north, degrees of WGS 84."""

    west: float
    south: float
    east: float
    north: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Filters; None does not filter. `states` None: all, but for the public those that are not on its map.

    `around` finds all of a box by its metres, and some beside it; `squares` what lies in squares of the web's map
    (`tables.SQUARE`), of open ones through an index that holds all that is counted of them. `due`: the next clock of
    its repair runs out from the one moment on and before the other. `graded` False: it has no band yet.
    """

    box: Box | None = None
    around: Box | None = None
    squares: Sequence[int] | None = None
    states: Sequence[str] | None = None
    class_code: str | None = None
    band: str | None = None
    street_key: str | None = None
    area_code: str | None = None
    overdue: bool | None = None
    updated_since: datetime | None = None
    due: tuple[datetime, datetime] | None = None
    graded: bool | None = None


@dataclass(frozen=True, slots=True)
class Features:
    """GeoJSON features as text, each one whole, and where the next page begins; None when there is no more."""

    texts: list[str]
    next: str | None


_NEAR_BOX = (
    "defect.geom && ST_Transform(ST_Segmentize(ST_MakeEnvelope(:west, :south, :east, :north, 4326), 0.05), :grid)"
)
_IN_DEGREES = "defect.lon BETWEEN :west AND :east AND defect.lat BETWEEN :south AND :north"
_AFTER = "(defect.updated_at, defect.id) > (:after_at, (SELECT id FROM defect WHERE reference = :after_reference))"


def _within(box: Box) -> dict[str, Any]:
    """The box, cut to where the grid may be used: nothing lies elsewhere, and the rest of the world has no metres."""
    used = area_of_use()
    return {
        "west": max(box.west, used["west"]),
        "south": max(box.south, used["south"]),
        "east": min(box.east, used["east"]),
        "north": min(box.north, used["north"]),
        "grid": GRID,
    }


REPAIR_DUE = """
    (defect.permanent_due_at >= :due_from AND defect.permanent_due_at < :due_before
     OR defect.made_safe_at IS NULL AND defect.make_safe_due_at >= :due_from AND defect.make_safe_due_at < :due_before)
    AND least(CASE WHEN defect.made_safe_at IS NULL THEN defect.make_safe_due_at END, defect.permanent_due_at)
        >= :due_from
    AND defect.state = ANY(:running)
"""
"""That the next clock of its repair runs out between two moments, as the map, the board and the queue count it. Each of
the two clocks has an index of open defects. A clock that does not run (of a claimed repair) is not due."""


def due_between(due: tuple[datetime, datetime]) -> dict[str, Any]:
    """What REPAIR_DUE is asked with."""
    return {"due_from": due[0], "due_before": due[1], "running": sorted(RUNNING)}


_Filter = tuple[str, Callable[[Any], dict[str, Any]]]
_FILTERS: Mapping[str, _Filter] = {
    "box": (f"{_NEAR_BOX} AND {_IN_DEGREES}", _within),
    "around": (_NEAR_BOX, _within),
    "squares": (f"{SQUARE} = ANY(:squares)", lambda squares: {"squares": list(squares)}),
    "states": ("defect.state = ANY(:states)", lambda states: {"states": list(states)}),
    "class_code": ("defect.class_code = :class_code", lambda code: {"class_code": code}),
    "band": ("defect.band = :band", lambda band: {"band": band}),
    "street_key": ("defect.street_key = :street_key", lambda key: {"street_key": key}),
    "area_code": ("defect.area_code = :area_code", lambda code: {"area_code": code}),
    "overdue": ("defect.overdue = :overdue", lambda overdue: {"overdue": overdue}),
    "due": (REPAIR_DUE, due_between),
    "graded": ("(defect.band IS NOT NULL) = :graded", lambda graded: {"graded": graded}),
    "updated_since": ("defect.updated_at >= :since", lambda since: {"since": since}),
}


def conditions(wanted: Wanted) -> tuple[str, dict[str, Any]]:
    """The filters as a condition in SQL, and what it is bound with."""
    said, params = ["true"], dict[str, Any]()
    for name, (condition, bound) in _FILTERS.items():
        value = getattr(wanted, name)
        if value is not None:
            said.append(condition)
            params |= bound(value)
    return " AND ".join(said), params


def features(tx: ReadTx, wanted: Wanted, *, staff: bool, after: str | None, most: int) -> Features:
    """Defects in the order of their last change. What changes later is asked for by `updated_since`: see `as_of.py`.

    Raises:
        Invalid: `after` is not from an answer of ours.
    """
    tx.plan_for_values()
    filters, params = conditions(wanted)
    params |= {**_told(), "most": most + 1}
    if after is not None:
        filters = f"{filters} AND {_AFTER}"
        params |= _place(after)
    columns = "".join(f"'{name}', defect.{name},\n" for name in _STAFF_COLUMNS) if staff else ""
    statement = _FEATURES.replace("{columns}", columns).replace("{filters}", filters)
    rows = tx.execute(text(statement), params).all()
    shown = rows[:most]
    last = shown[-1] if len(rows) > most else None
    return Features(
        [row.feature for row in shown], None if last is None else list_place.written(last.updated_at, last.reference)
    )


def _place(after: str) -> dict[str, Any]:
    at, reference = list_place.read(after)
    return {"after_at": at, "after_reference": reference}


@lru_cache
def _told() -> dict[str, list[str]]:
    """What the public is told of each state, as JSON."""
    return {
        "states_told": [state.value for state in DefectState],
        "statuses": [orjson.dumps(public_status(state)).decode() for state in DefectState],
    }


def states_of(codes: Sequence[str]) -> set[DefectState]:
    """The states that the public knows under these codes (Open311 extended statuses)."""
    return {state for state in DefectState if public_status(state).code in codes}


def is_open(state: DefectState) -> bool:
    """Whether something is still to be done about it, as the public is told."""
    return public_status(state).is_open


TO_BE_DONE = sorted(state for state in DefectState if state not in HIDDEN and is_open(state))
"""The states that a map shows unless it is told which."""
