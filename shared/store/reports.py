"""Reports as they come in: stored with contact and idempotency key in one statement, for one or for thousands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import text

from shared.domain.place import Located
from shared.domain.terms import ReportId, ReportState
from shared.store.engine import WriteTx
from shared.store.idempotency import Key
from shared.store.tables import GRID


@dataclass(frozen=True, slots=True)
class Contact:
    """How to reach a reporter. It stands in a table of its own, so that it can be forgotten by itself."""

    name: str | None = None
    email: str | None = None
    phone: str | None = None


NO_CONTACT = Contact()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReport:
    """One report to be stored. Times are aware; `located` is on the grid (its x is not None)."""

    reference: str
    tracking_hash: bytes
    channel: str
    class_code: str
    located: Located
    street_key: str | None
    house_number: int | None
    address: str | None
    description: str
    danger: bool
    state: ReportState
    outcome: str | None
    observed_at: datetime
    received_at: datetime
    triage_due_at: datetime
    contact: Contact = NO_CONTACT
    external_id: str | None = None
    key: Key | None = None
    answer: Mapping[str, Any] | None = None


_ADD = text((Path(__file__).parent / "sql" / "add_reports.sql").read_text())


def add(tx: WriteTx, new: Sequence[NewReport]) -> dict[str, ReportId]:
    """Store reports. Returns the id of each that was stored, by its reference.

    One whose idempotency key or external id is taken is left out, and nothing of it is kept. Locks the rows of the
    keys, in their order; waits for another transaction that claims one of them.
    """
    rows = orjson.dumps([_row(one) for one in new]).decode()
    return {row.reference: ReportId(row.id) for row in tx.execute(_ADD, {"reports": rows, "grid": GRID})}


def _row(new: NewReport) -> dict[str, Any]:
    located, street, key = new.located, new.located.street, new.key
    return {
        "reference": new.reference,
        "tracking_hash": new.tracking_hash.hex(),
        "channel": new.channel,
        "class_code": new.class_code,
        "lat": located.point.lat,
        "lon": located.point.lon,
        "accuracy_m": located.point.accuracy_m,
        "x": located.x,
        "y": located.y,
        "street_id": street.id if street else None,
        "street_key": new.street_key,
        "street_side": street.side if street else None,
        "level": street.level if street else 0,
        "house_number": new.house_number,
        "address": new.address,
        "description": new.description,
        "danger": new.danger,
        "state": new.state,
        "outcome": new.outcome,
        "observed_at": new.observed_at,
        "received_at": new.received_at,
        "triage_due_at": new.triage_due_at,
        "external_id": new.external_id,
        "name": new.contact.name,
        "email": new.contact.email,
        "phone": new.contact.phone,
        **({} if key is None else {"key_scope": key.scope, "key": key.value, "body_sha256": key.body_sha256.hex()}),
        "answer": new.answer,
    }
