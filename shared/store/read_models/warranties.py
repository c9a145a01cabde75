"""Warranties and recalls as operators and contractors read them, paged by change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import JSON, ColumnElement, Select, cast, func, select, true, tuple_

from shared.errors import NotFound
from shared.store import meanwhile, references
from shared.store.engine import ReadTx
from shared.store.read_models import list_place, sides
from shared.store.tables import contractor, defect, recall, recall_sighting, report, street, warranty, works_order

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, and where the next page begins; None when there is no more."""

    rows: list[dict[str, Any]]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which of them a list shows; None: whatever it is. `contractor_id` limits it to that contractor's own."""

    contractor_id: int | None = None
    states: Sequence[str] = ()
    defect: str | None = None
    ends_before: date | None = None


def warranties(tx: ReadTx, wanted: Wanted, *, after: str | None, most: int) -> Page:
    """Warranties by their last change, the oldest change first.

    Raises:
        Invalid: `after` is not from an answer of ours.
    """
    first = warranty.alias("first")
    first_order = works_order.alias("first_order")
    named = works_order.c.reference + "." + defect.c.reference
    rows = (
        select(
            *(warranty.c[name] for name in ("id", "state", "class_code", "repair_type", "repaired_at", "starts_on")),
            *(warranty.c[name] for name in ("ends_on", "street_key", "void_reason", "updated_at")),
            defect.c.reference.label("defect"),
            works_order.c.reference.label("works_order"),
            contractor.c.code.label("contractor"),
            first_order.c.reference.label("follows"),
            cast(func.ST_AsGeoJSON(func.ST_Transform(warranty.c.footprint, 4326), 7), JSON).label("footprint"),
            named.label("name"),
        )
        .join(defect, defect.c.id == warranty.c.defect_id)
        .join(works_order, works_order.c.id == warranty.c.works_order_id)
        .join(contractor, contractor.c.id == warranty.c.contractor_id)
        .outerjoin(first, first.c.id == warranty.c.follows)
        .outerjoin(first_order, first_order.c.id == first.c.works_order_id)
        .where(*_filters(wanted, warranty.c.state))
    )
    if wanted.ends_before is not None:
        rows = rows.where(warranty.c.ends_on < wanted.ends_before)
    return _page(tx, rows, (warranty.c.updated_at, named), "name", after, most)


def recalls(tx: ReadTx, wanted: Wanted, *, after: str | None, most: int) -> Page:
    """Recalls, the oldest proposal first, each with how many reports and detections wait with it.

    Raises:
        Invalid: `after` is not from an answer of ours.
    """
    rows = _recalls().where(*_filters(wanted, recall.c.state))
    keys = (recall.c.proposed_at, recall.c.reference)
    page = _page(tx, rows, keys, "reference", after, most)
    if wanted.contractor_id is not None:
        sides.tell(tx, page.rows, _DECIDERS, wanted.contractor_id)
    return _with_seen(tx, "recall", page)


_DECIDERS = ("decided_by", "ruled_by")


def recalls_by_state(tx: ReadTx) -> dict[str, int]:
    """How many recalls there are of each state."""
    states = select(recall.c.state, func.count().label("many")).group_by(recall.c.state)
    return {row.state: row.many for row in tx.execute(states)}


def _recalls() -> Select[Any]:
    anew = defect.alias("anew")
    remedy = works_order.alias("remedy")
    seen = (
        select(
            func.count(recall_sighting.c.report_id).label("reports"),
            func.count(recall_sighting.c.detection_id).label("detections"),
        )
        .where(recall_sighting.c.recall_id == recall.c.id)
        .lateral("seen")
    )
    plain = ("id", "reference", "state", "why", "proposed_at", "decided_at", "decided_by", "decision_why")
    return (
        select(
            *(recall.c[name] for name in (*plain, "disputed_at", "ruled_at", "ruled_by")),
            recall.c.proposed_at.label("updated_at"),
            contractor.c.name.label("contractor_name"),
            street.c.name.label("street"),
            defect.c.reference.label("defect"),
            defect.c.lat,
            defect.c.lon,
            warranty.c.class_code,
            warranty.c.state.label("warranty_state"),
            warranty.c.ends_on,
            works_order.c.reference.label("repaired_under"),
            contractor.c.code.label("contractor"),
            remedy.c.reference.label("remedial_order"),
            anew.c.reference.label("new_defect"),
            seen.c.reports,
            seen.c.detections,
        )
        .join(defect, defect.c.id == recall.c.defect_id)
        .join(warranty, warranty.c.id == recall.c.warranty_id)
        .join(works_order, works_order.c.id == warranty.c.works_order_id)
        .join(contractor, contractor.c.id == warranty.c.contractor_id)
        .outerjoin(remedy, remedy.c.id == recall.c.works_order_id)
        .outerjoin(anew, anew.c.id == recall.c.new_defect_id)
        .outerjoin(street, street.c.id == defect.c.street_id)
        .join(seen, true())
    )


def one_recall(tx: ReadTx, reference: str, contractor_id: int | None) -> Row:
    """One recall with the reports that wait with it. With `contractor_id`, only that contractor's own.

    Raises:
        NotFound: there is none, or it is another's.
    """
    wanted = Wanted(contractor_id=contractor_id)
    rows = _recalls().where(*_filters(wanted, recall.c.state), recall.c.reference == references.read(reference))
    row = tx.execute(rows).one_or_none()
    if row is None:
        raise NotFound(f"There is no recall {reference}.")
    waits = (
        select(report.c.reference, report.c.state, recall_sighting.c.why, recall_sighting.c.at)
        .join(report, report.c.id == recall_sighting.c.report_id)
        .where(recall_sighting.c.recall_id == row.id)
        .order_by(recall_sighting.c.id)
    )
    shown = dict(row._mapping)
    if contractor_id is not None:
        sides.tell(tx, [shown], _DECIDERS, contractor_id)
    seen = meanwhile.newest(tx, "recall", [row.id])[row.id]
    return {**shown, "seen": seen, "waiting": [one._mapping for one in tx.execute(waits)]}


def _with_seen(tx: ReadTx, subject: str, page: Page) -> Page:
    """Each row with the newest event of its subject (by its `id`) that may stand against an act."""
    seen = meanwhile.newest(tx, subject, [row["id"] for row in page.rows])
    return Page([{**row, "seen": seen[row["id"]]} for row in page.rows], page.next)


def _filters(wanted: Wanted, state: ColumnElement[Any]) -> list[ColumnElement[bool]]:
    rules = []
    if wanted.contractor_id is not None:
        rules.append(warranty.c.contractor_id == wanted.contractor_id)
    if wanted.states:
        rules.append(state == func.any(list(wanted.states)))
    if wanted.defect is not None:
        rules.append(defect.c.reference == references.read(wanted.defect))
    return rules


def _page(
    tx: ReadTx,
    rows: Select[Any],
    keys: tuple[ColumnElement[Any], ColumnElement[Any]],
    name: str,
    after: str | None,
    most: int,
) -> Page:
    """A page by a time (`updated_at` in the row) and a name; `next` is both."""
    tx.plan_for_values()
    if after is not None:
        place = list_place.read(after)
        # The time once more by itself: an index holds the times, and none both where they are of two tables.
        rows = rows.where(keys[0] >= place[0], tuple_(*keys) > tuple_(*place))
    found = [dict(row._mapping) for row in tx.execute(rows.order_by(*keys).limit(most + 1))]
    shown = found[:most]
    last = shown[-1] if len(found) > most else None
    return Page([*shown], None if last is None else list_place.written(last["updated_at"], last[name]))
