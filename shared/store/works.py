"""Works orders and what they cover: finding defects that want one, making orders, locking them for their next step."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import BigInteger, Row, bindparam, func, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY

from shared.domain.terms import ContractorId, DefectId, OrderId, OrderState
from shared.errors import NotFound
from shared.store.engine import ReadTx, WriteTx
from shared.store.tables import contractor, defect, works_order, works_order_defect

_ORDER = [column for column in works_order.c if column.name != "updated_at"]


@dataclass(frozen=True, slots=True)
class Order:
    """A works order as it stood when it was read. `defect_ids` are those that it covers still."""

    id: OrderId
    reference: str
    contractor_id: ContractorId
    lot: str
    state: OrderState
    kind: str
    charge_to: str
    band: str
    street_key: str | None
    area_code: str | None
    issued_at: datetime
    accepted_at: datetime | None
    scheduled_for: datetime | None
    make_safe_due_at: datetime | None
    permanent_due_at: datetime | None
    completed_at: datetime | None
    visit_id: int | None
    sampled: bool | None
    verify_due_at: datetime | None
    verified_at: datetime | None
    verifier: str | None
    missing: tuple[str, ...]
    ended_at: datetime | None
    follows: OrderId | None
    declined_by: tuple[int, ...]
    defect_ids: tuple[DefectId, ...]


@dataclass(frozen=True, slots=True)
class Coverable:
    """What of a defect matters to its works order. `band` "R" stands for a recall that was not graded anew."""

    id: DefectId
    reference: str
    state: str
    class_code: str
    band: str
    area_code: str | None
    street_key: str | None
    make_safe_due_at: datetime | None
    permanent_due_at: datetime | None
    made_safe_at: datetime | None
    repaired_at: datetime | None


COVERABLE = [
    defect.c.id,
    defect.c.reference,
    defect.c.state,
    defect.c.class_code,
    func.coalesce(defect.c.band, "R").label("band"),
    defect.c.area_code,
    defect.c.street_key,
    defect.c.make_safe_due_at,
    defect.c.permanent_due_at,
    defect.c.made_safe_at,
    defect.c.repaired_at,
]


def coverable(row: Row[Any]) -> Coverable:
    """What a row that selects `COVERABLE` says; it may select more."""
    return Coverable(**{name: row._mapping[name] for name in Coverable.__slots__})


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order to be made, with the defects that it covers."""

    reference: str
    contractor_id: ContractorId
    lot: str
    kind: str
    charge_to: str
    band: str
    street_key: str | None
    area_code: str | None
    make_safe_due_at: datetime | None
    permanent_due_at: datetime | None
    defect_ids: tuple[DefectId, ...]
    follows: OrderId | None = None
    declined_by: tuple[int, ...] = ()
    # When the contractor was told; None: now. A part split off keeps the time of the whole.
    issued_at: datetime | None = None


_OPEN_LINK = works_order_defect.c.ended_at.is_(None)
_IDS = bindparam("ids", type_=ARRAY(BigInteger))
_BY_ID = (
    select(*_ORDER).where(works_order.c.id == func.any(_IDS)).order_by(works_order.c.id).with_for_update(key_share=True)
)
_COVERED = (
    select(works_order_defect.c.works_order_id, works_order_defect.c.defect_id)
    .where(works_order_defect.c.works_order_id == func.any(_IDS), _OPEN_LINK)
    .order_by(works_order_defect.c.defect_id)
)
_COVERABLE = (
    select(*COVERABLE).where(defect.c.id == func.any(_IDS)).order_by(defect.c.id).with_for_update(key_share=True)
)
"""Made once: see `deliveries.py`."""


def contractors(tx: ReadTx) -> dict[str, ContractorId]:
    """Every contractor's id by its code in the policy."""
    rows = tx.execute(select(contractor.c.code, contractor.c.id))
    return {row.code: ContractorId(row.id) for row in rows}


def insert_orders(tx: WriteTx, orders: Sequence[NewOrder], now: datetime) -> dict[str, OrderId]:
    """Store orders (issued) with what they cover. Returns their ids by reference.

    Raises:
        IntegrityError: a defect is covered by another open order.
    """
    made = tx.execute(_INSERT, {"orders": orjson.dumps([_row(order, now) for order in orders]).decode()})
    ids = {row.reference: OrderId(row.id) for row in made}
    cover(tx, [(ids[order.reference], defect_id) for order in orders for defect_id in order.defect_ids])
    return ids


_NEW = [*(name for name in NewOrder.__slots__ if name != "defect_ids"), "state", "updated_at"]
_INSERT = text(
    f"""
    INSERT INTO works_order ({", ".join(_NEW)})
    SELECT {", ".join(_NEW)} FROM jsonb_populate_recordset(NULL::works_order, CAST(:orders AS jsonb))
    RETURNING reference, id
    """
)
"""One statement text for any number: SQLAlchemy's own many-row insert compiles anew for each number of rows."""


def _row(order: NewOrder, now: datetime) -> dict[str, Any]:
    kept = {name: getattr(order, name) for name in NewOrder.__slots__ if name != "defect_ids"}
    return {
        **kept,
        "declined_by": list(order.declined_by),
        "state": OrderState.ISSUED,
        "issued_at": order.issued_at or now,
        "updated_at": now,
    }


def cover(tx: WriteTx, links: Sequence[tuple[int, int]]) -> None:
    """Let orders cover defects: (order, defect). An order that covered one before does so again."""
    tx.execute(
        text(
            """
            INSERT INTO works_order_defect (works_order_id, defect_id)
            SELECT * FROM unnest(CAST(:orders AS bigint[]), CAST(:defects AS bigint[]))
            ON CONFLICT (works_order_id, defect_id) DO UPDATE SET ended_at = NULL
            """
        ),
        {"orders": [order for order, _ in links], "defects": [covered for _, covered in links]},
    )


def uncover(tx: WriteTx, defect_ids: Sequence[int], now: datetime) -> None:
    """End the cover of these defects by whatever order holds them."""
    tx.execute(
        update(works_order_defect)
        .where(works_order_defect.c.defect_id == func.any(list(defect_ids)), _OPEN_LINK)
        .values(ended_at=now)
    )


def remember_remedies(tx: WriteTx, remedies: Sequence[tuple[int, int]]) -> None:
    """Note on recalls the remedial order that was issued: (recall, order)."""
    tx.execute(
        text(
            """
            UPDATE recall SET works_order_id = told.order_id
            FROM unnest(CAST(:recalls AS bigint[]), CAST(:orders AS bigint[])) AS told(recall_id, order_id)
            WHERE recall.id = told.recall_id
            """
        ),
        {"recalls": [recall_id for recall_id, _ in remedies], "orders": [order_id for _, order_id in remedies]},
    )


def pass_on_remedies(tx: WriteTx, handed: Sequence[tuple[int, int]]) -> None:
    """Let recalls that waited for one order wait for the one that took over: (before, after)."""
    tx.execute(
        text(
            """
            UPDATE recall SET works_order_id = told.after
            FROM unnest(CAST(:before AS bigint[]), CAST(:after AS bigint[])) AS told(before, after)
            WHERE recall.works_order_id = told.before
            """
        ),
        {"before": [before for before, _ in handed], "after": [after for _, after in handed]},
    )


def joinable(tx: WriteTx, contractor_ids: Sequence[int], street_keys: Sequence[str]) -> list[Order]:
    """First repair orders on these streets that are issued and not yet accepted. Locks those nobody else holds."""
    rows = (
        select(*_ORDER)
        .where(
            works_order.c.state == "issued",
            works_order.c.kind == "repair",
            works_order.c.charge_to == "council",
            works_order.c.contractor_id == func.any(list(contractor_ids)),
            works_order.c.street_key == func.any(list(street_keys)),
        )
        .order_by(works_order.c.id)
        .with_for_update(key_share=True, skip_locked=True)
    )
    return _with_covers(tx, tx.execute(rows).all())


def lock(tx: WriteTx, reference: str, contractor_id: int | None) -> Order:
    """The order of this reference, its row locked. With `contractor_id`, only that contractor's own.

    Raises:
        NotFound: there is none, or it is another's.
    """
    rows = select(*_ORDER).where(works_order.c.reference == reference).with_for_update(key_share=True)
    row = tx.execute(rows).one_or_none()
    if row is None or contractor_id not in (None, row.contractor_id):
        raise NotFound(f"There is no works order {reference}.")
    return _with_covers(tx, [row])[0]


def lock_own(tx: WriteTx, references: Sequence[str], contractor_id: int) -> list[Order]:
    """The contractor's own orders among these references, in the order of their ids, their rows locked."""
    rows = (
        select(*_ORDER)
        .where(works_order.c.reference == func.any(list(references)), works_order.c.contractor_id == contractor_id)
        .order_by(works_order.c.id)
        .with_for_update(key_share=True)
    )
    return _with_covers(tx, tx.execute(rows).all())


def lock_many(tx: WriteTx, order_ids: Sequence[int]) -> list[Order]:
    """The orders of these ids, in the order of their ids, their rows locked."""
    return _with_covers(tx, tx.execute(_BY_ID, {"ids": list(order_ids)}).all())


def look_at(tx: ReadTx, order_ids: Sequence[int]) -> list[Order]:
    """The orders of these ids, unlocked: to be read, not to be acted upon."""
    rows = tx.execute(select(*_ORDER).where(works_order.c.id == func.any(list(order_ids))).order_by(works_order.c.id))
    return _with_covers(tx, list(rows))


def _with_covers(tx: ReadTx, rows: Sequence[Row[Any]]) -> list[Order]:
    """What they cover, read after the lock was granted: another may have changed it while we waited."""
    covered = tx.execute(_COVERED, {"ids": [row.id for row in rows]}).all()
    held: dict[int, list[int]] = {}
    for link in covered:
        held.setdefault(link.works_order_id, []).append(link.defect_id)
    return [_order(row, held.get(row.id, [])) for row in rows]


def _order(row: Row[Any], defect_ids: Sequence[int]) -> Order:
    values = dict(row._mapping)
    values["state"] = OrderState(row.state)
    values["missing"], values["declined_by"] = tuple(row.missing), tuple(row.declined_by)
    return Order(**values, defect_ids=tuple(DefectId(one) for one in defect_ids))


def lock_covered(tx: WriteTx, order: Order) -> list[Coverable]:
    """The defects that an order covers still, in the order of their ids. Locks their rows."""
    return lock_defects(tx, order.defect_ids)


def lock_defects(tx: WriteTx, defect_ids: Sequence[int]) -> list[Coverable]:
    """These defects, in the order of their ids. Locks their rows."""
    return [coverable(row) for row in tx.execute(_COVERABLE, {"ids": list(defect_ids)})]


def open_orders_of(tx: ReadTx, defect_ids: Sequence[int]) -> list[OrderId]:
    """The orders that cover these defects now."""
    covering = (
        select(works_order_defect.c.works_order_id)
        .distinct()
        .where(works_order_defect.c.defect_id == func.any(list(defect_ids)), _OPEN_LINK)
    )
    return list(tx.scalars(covering))


def open_follower(tx: WriteTx, order_id: int, contractor_id: int, defect_ids: Collection[int]) -> Order | None:
    """The newest order of the same contractor that took over from this one and covers one of these defects still.

    Of any defect when none is named. Locks the order.
    """
    mine = works_order.c.contractor_id == contractor_id
    chain = select(works_order.c.id).where(works_order.c.follows == order_id, mine).cte("chain", recursive=True)
    chain = chain.union(select(works_order.c.id).join(chain, works_order.c.follows == chain.c.id).where(mine))
    covering = (
        select(works_order_defect.c.works_order_id)
        .join(chain, chain.c.id == works_order_defect.c.works_order_id)
        .where(_OPEN_LINK)
        .order_by(works_order_defect.c.works_order_id.desc())
        .limit(1)
    )
    if defect_ids:
        covering = covering.where(works_order_defect.c.defect_id == func.any(list(defect_ids)))
    found = tx.scalar(covering)
    return None if found is None else lock_many(tx, [found])[0]
