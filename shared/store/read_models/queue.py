"""The operators' queue: open defects, what breaks first at the top; filtered and paged, each with who has it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, Row, Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

from shared.domain.next_clock import CHECKED, RUNNING
from shared.store import references
from shared.store.engine import ReadTx
from shared.store.read_models import defect_map, list_place
from shared.store.tables import OPEN_STATES, REPORT_WORDS

_SQL = Path(__file__).parent.parent / "sql"
_PAGE = (_SQL / "queue_page.sql").read_text()
_ROWS = text((_SQL / "queue_rows.sql").read_text()).bindparams(bindparam("ids", type_=ARRAY(BigInteger)))
_OPEN = "defect.state IN (" + ", ".join(f"'{state}'" for state in OPEN_STATES) + ")"

NEVER = datetime(9999, 1, 1, tzinfo=UTC)
"""Stands for no clock at all: at the end of the list."""
NONE = "none"
"""Of a filter by band or by contractor: what has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which open defects; what is None or empty does not filter.

    `due_from`, `due_before`: the next clock runs out then or later, and before. `sought`: a reference, a street, or
    words of reports. `unsure`: a report waits for a person to say whether it is this one. `overdue`: a clock of repair
    is late.
    """

    bands: Sequence[str] = ()
    classes: Sequence[str] = ()
    areas: Sequence[str] = ()
    states: Sequence[str] = ()
    contractors: Sequence[str] = ()
    street_key: str | None = None
    sought: str | None = None
    overdue: bool | None = None
    danger: bool | None = None
    unsure: bool | None = None
    due_from: datetime | None = None
    due_before: datetime | None = None
    # The next clock of its repair runs out from the one moment on and before the other (`defect_map.REPAIR_DUE`).
    repair_due: tuple[datetime, datetime] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Rows with `due_at`, when the next clock runs out (None: none runs); how many there are in all; the next page."""

    rows: list[dict[str, Any]]
    total: int
    next: str | None


def page(tx: ReadTx, wanted: Wanted, *, after: str | None, most: int) -> Page:
    """Open defects by the clock that runs out next, so many after a place in the list.

    Raises:
        Invalid: `after` is not from an answer of ours.
    """
    tx.plan_for_values()
    filters, params = _filters(wanted)
    params |= {"checked": sorted(CHECKED), "running": sorted(RUNNING), "never": NEVER, "most": most + 1}
    when, times = _when(wanted)
    place, cursor = ("true", {}) if after is None else (_AFTER, _cursor(after))
    written = _PAGE.replace("{filters}", filters).replace("{when}", when).replace("{after}", place)
    found = tx.execute(_bound(written), {**params, **times, **cursor}).all()
    shown = found[:most]
    rows = _rows(tx, shown)
    last = rows[-1] if len(found) > most else None
    return Page(rows, found[0].total if found else 0, None if last is None else _place(last))


_LISTS = ("bands", "classes", "areas", "states", "contractors", "checked", "running", "beginnings", "halves")


def _bound(written: str) -> Any:
    return text(written).bindparams(*(bindparam(name, type_=ARRAY(Text)) for name in _LISTS if f"(:{name})" in written))


def _rows(tx: ReadTx, found: Sequence[Row[Any]]) -> list[dict[str, Any]]:
    due = {row.id: None if row.due_at == NEVER else row.due_at for row in found}
    return [{**row._mapping, "due_at": due[row.id]} for row in tx.execute(_ROWS, {"ids": list(due)})] if due else []


# --- a place in the list ---------------------------------------------------------------------------------------------

_AFTER = "(due_at, id) > (:after_at, (SELECT id FROM defect WHERE reference = :after_reference))"


def _place(row: Mapping[str, Any]) -> str:
    return list_place.written(row["due_at"] or NEVER, row["reference"])


def _cursor(after: str) -> dict[str, Any]:
    at, reference = list_place.read(after)
    return {"after_at": at, "after_reference": reference}


# --- filters ---------------------------------------------------------------------------------------------------------

_ORDERED = (
    # OFFSET 0 keeps the planner from beginning with all orders that a contractor has ever had.
    "SELECT covered.defect_id FROM"
    " (SELECT defect_id, works_order_id FROM works_order_defect WHERE ended_at IS NULL OFFSET 0) AS covered"
    " JOIN works_order ON works_order.id = covered.works_order_id"
    " JOIN contractor ON contractor.id = works_order.contractor_id"
)
_UNORDERED = "defect.id NOT IN (SELECT defect_id FROM works_order_defect WHERE ended_at IS NULL)"
_UNSURE = (
    "defect.id IN (SELECT CAST(candidate->>'defect_id' AS bigint) FROM question,"
    " jsonb_array_elements(question.candidates) AS candidate WHERE question.settled_at IS NULL)"
)
_WORDS = (_SQL / "queue_words.sql").read_text().replace("{words}", REPORT_WORDS.replace("::", r"\:\:"))
_ON_STREET = "defect.street_id IN (SELECT id FROM street WHERE lower(name) LIKE :street_like)"
_NAMED = "defect.reference LIKE ANY (:beginnings)"
_HALF = '"right"(defect.reference, 4) = ANY (:halves)'

_Filter = Callable[[Any], tuple[str, dict[str, Any]]]


def _codes(column: str, name: str, none: str = "false") -> _Filter:
    """One of several codes of a column; `none`: what holds for those that have none."""

    def condition(codes: Sequence[str]) -> tuple[str, dict[str, Any]]:
        also = f" OR {none}" if NONE in codes else ""
        return f"({column} = ANY (:{name}){also})", {name: list(codes)}

    return condition


def _of_contractors(codes: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """Whose order covers it; or which no order covers."""
    also = f" OR {_UNORDERED}" if NONE in codes else ""
    said = f"(defect.id IN ({_ORDERED} WHERE contractor.code = ANY (:contractors)){also})"
    return said, {"contractors": list(codes)}


def _sought(words: str) -> tuple[str, dict[str, Any]]:
    """By reference where it can be one; else by the street's name, or by what reporters said."""
    begins, halves = references.beginnings(words, "D"), references.halves(words)
    if begins or halves:
        return f"({_NAMED} OR {_HALF})", {"beginnings": [f"{one}%" for one in begins], "halves": halves}
    typed = words.lower().replace("\\", "").replace("%", "").replace("_", " ")
    return f"({_ON_STREET} OR defect.id IN ({_WORDS}))", {"street_like": f"%{typed}%", "sought": words}


_FILTERS: Mapping[str, _Filter] = {
    "bands": _codes("defect.band", "bands", none="defect.band IS NULL"),
    "classes": _codes("defect.class_code", "classes"),
    "areas": _codes("defect.area_code", "areas"),
    "states": _codes("defect.state", "states"),
    "contractors": _of_contractors,
    "street_key": lambda key: ("defect.street_key = :street_key", {"street_key": key}),
    "sought": _sought,
    "overdue": lambda overdue: ("defect.overdue = :overdue", {"overdue": overdue}),
    "danger": lambda danger: ("defect.danger = :danger", {"danger": danger}),
    "repair_due": lambda due: (f"({defect_map.REPAIR_DUE})", defect_map.due_between(due)),
    "unsure": lambda unsure: (_UNSURE if unsure else f"NOT {_UNSURE}", {}),
}


def _filters(wanted: Wanted) -> tuple[str, dict[str, Any]]:
    said, params = [_OPEN], dict[str, Any]()
    for name, condition in _FILTERS.items():
        value = getattr(wanted, name)
        if value not in (None, (), []):
            written, bound = condition(value)
            said.append(written)
            params |= bound
    return " AND ".join(said), params


def _when(wanted: Wanted) -> tuple[str, dict[str, Any]]:
    bounds = (("due_at >= :due_from", "due_from"), ("due_at < :due_before", "due_before"))
    said = [(written, name) for written, name in bounds if getattr(wanted, name) is not None]
    return " AND ".join([written for written, _ in said]) or "true", {name: getattr(wanted, name) for _, name in said}
