"""The live feed's lines: numbered by one writer at a time, each carrying the hash of the one before it."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Integer, Row, bindparam, select, text

from shared.domain.audience import PUBLIC_KINDS, Line
from shared.store.deliveries import Delivery
from shared.store.engine import Ask, ReadTx, Steps, WriteTx
from shared.store.tables import feed_line

CHANNEL = "feed"
"""NOTIFY's channel; the payload is the newest number."""
GENESIS = bytes(32)
"""The hash before line 1."""

_ONE_WRITER = 7_035_003
_SQL = Path(__file__).parent / "sql"
_LOCK = text("SELECT pg_advisory_xact_lock(:id)")
_CONTEXT = text((_SQL / "feed_context.sql").read_text())
_ADD = text((_SQL / "add_feed_lines.sql").read_text())
_INTERNAL = {
    "into_id",
    "from_id",
    "new_id",
    "recurrence_of",
    "defect_id",
    "defect_ids",
    "works_order_id",
    "contractor_id",
}
_INTERNAL |= {"report_id", "visit_id", "warranty_id", "recall_id", "photo_id"}


def project(tx: WriteTx, due: Sequence[Delivery]) -> int:
    """Write one line an event, in the events' order, and wake the readers. Returns how many.

    Takes the feed's advisory lock to the end of the transaction, so that numbers follow commit order.
    """
    tx.execute(_LOCK, {"id": _ONE_WRITER})
    said = tx.execute(_CONTEXT, {"ids": [one.event_id for one in due], "times": [one.event_at for one in due]}).all()
    if not said:
        return 0
    number, before = said[0].last_number or 0, said[0].last_hash or GENESIS
    rows = []
    for row in said:
        number += 1
        body = _body(row)
        before = link(before, number, row.id, row.at, row.kind, body)
        rows.append(_row(row, number, body, before))
    tx.execute(_ADD, {"lines": orjson.dumps(rows).decode(), "channel": CHANNEL, "newest": str(number)})
    return len(rows)


def link(before: bytes, number: int, event_id: int, at: datetime, kind: str, body: Mapping[str, Any]) -> bytes:
    """The hash of a line: SHA-256 over the hash before it and the line in canonical JSON (sorted keys, UTC)."""
    said = [number, event_id, at.astimezone(UTC).isoformat(), kind, body]
    return hashlib.sha256(before + orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).digest()


_AFTER = (
    select(feed_line)
    .where(feed_line.c.number >= bindparam("number"))
    .order_by(feed_line.c.number)
    .limit(bindparam("most", type_=Integer))
)


def last(tx: ReadTx) -> tuple[int, bytes]:
    """The newest line's number and hash; 0 and `GENESIS` when there is none."""
    newest = tx.execute(
        select(feed_line.c.number, feed_line.c.hash).order_by(feed_line.c.number.desc()).limit(1)
    ).first()
    return (0, GENESIS) if newest is None else (newest.number, newest.hash)


def _body(row: Row[Any]) -> dict[str, Any]:
    """What staff see: references instead of internal ids, plain values, nothing that is None."""
    facts = {name: value for name, value in row.data.items() if name not in _INTERNAL and value is not None}
    body = {
        "subject": row.subject,
        "reference": row.reference,
        "class_code": row.class_code,
        "area_code": row.area_code,
        "lat": row.lat,
        "lon": row.lon,
        "before": row.before,
        "after": row.after,
        "band": row.band,
        "actor": row.actor,
        "contractor": row.contractor,
        "by_contractor": row.by_contractor or None,
        "defect": row.defect,
        "other": row.other,
        "works_order": row.works_order,
        "occurred_at": row.occurred_at.astimezone(UTC).isoformat(),
        "facts": facts,
    }
    return {name: value for name, value in body.items() if value is not None}


def _row(row: Row[Any], number: int, body: Mapping[str, Any], digest: bytes) -> dict[str, Any]:
    return {
        "number": number,
        "event_id": row.id,
        "at": row.at,
        "kind": row.kind,
        "body": body,
        "area_code": row.area_code,
        "class_code": row.class_code,
        "state": row.state,
        "contractor_id": row.contractor_id,
        "public": row.kind in PUBLIC_KINDS,
        "hash": digest.hex(),
    }


def last_number(tx: ReadTx) -> int:
    """The newest line's number; 0 when there is none."""
    return last(tx)[0]


def hash_of(tx: ReadTx, number: int) -> str | None:
    """A line's hash in hex, which names the whole history up to it; None when there is no such line."""
    if number == 0:
        return GENESIS.hex()
    found: bytes | None = tx.scalar(select(feed_line.c.hash).where(feed_line.c.number == number))
    return None if found is None else found.hex()


def lines_after(tx: ReadTx, number: int, most: int) -> list[Line]:
    """Lines after a number, oldest first, with the hash before the first of them."""
    return tx.run(reading_after(number, most))


def reading_after(number: int, most: int) -> Steps[list[Line]]:
    """The same in steps."""
    rows = yield Ask(_AFTER, {"number": number, "most": most + 1})
    before = GENESIS
    if rows and rows[0].number == number:
        before, rows = rows[0].hash, rows[1:]
    return list(_lines(rows[:most], before))


def _lines(rows: Sequence[Row[Any]], before: bytes) -> Iterator[Line]:
    for row in rows:
        yield Line(
            number=row.number,
            at=row.at.astimezone(UTC).isoformat(),
            kind=row.kind,
            body=row.body,
            area_code=row.area_code,
            class_code=row.class_code,
            state=row.state,
            contractor_id=row.contractor_id,
            public=row.public,
            hash_before=before.hex(),
            hash=row.hash.hex(),
        )
        before = row.hash


def first_broken_link(tx: ReadTx, *, page: int = 10_000) -> int | None:
    """Recompute the chain from line 1. Returns the number of the first line that does not fit; None: all do."""
    number, before = 0, GENESIS
    while True:
        rows = tx.execute(
            select(feed_line).where(feed_line.c.number > number).order_by(feed_line.c.number).limit(page)
        ).all()
        for row in rows:
            before = link(before, row.number, row.event_id, row.at, row.kind, row.body)
            if row.number != number + 1 or before != row.hash:
                return int(row.number)
            number = row.number
        if len(rows) < page:
            return None
