"""Reports as they come in: stored with contact and idempotency key in one statement, for one or for thousands."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from msgspec import Struct
from sqlalchemy import text

from shared.domain.events import Event
from shared.domain.place import Located
from shared.domain.terms import ReportId, ReportState
from shared.store import event_log
from shared.store.engine import Acting, Ask, Steps, WriteTx
from shared.store.idempotency import Key
from shared.store.tables import GRID


class Contact(Struct, frozen=True):
    """How to reach a reporter. It stands in a table of its own, so that it can be forgotten by itself."""

    name: str | None = None
    email: str | None = None
    phone: str | None = None


NO_CONTACT = Contact()


class NewReport(Struct, frozen=True, kw_only=True):
    """One report to be stored. Times are aware; `located` is on the grid (its x is not None).

    `events` are appended if it is stored, about TO_COME: they happened at `happened_at` (None: now), and belong to
    `correlation` (None: the transaction's).
    """

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
    # How its reporter is told that it was received: email or sms. None: not at all.
    told_by: str | None = None
    external_id: str | None = None
    key: Key | None = None
    answer: Mapping[str, Any] | None = None
    events: Sequence[Event] = ()
    happened_at: datetime | None = None
    correlation: str | None = None


TO_COME = ReportId(0)
"""The id in the events of a report that is not stored yet: the statement that stores it puts its own there."""


_LINES = (Path(__file__).parent / "sql" / "add_reports.sql").read_text().format(append=event_log.APPEND).splitlines()
_ADD = text(" ".join(line.strip() for line in _LINES if not line.lstrip().startswith("--")))
_ADD = _ADD.bindparams(*event_log.APPEND_TYPES)
"""Without comments and indents: see `network.LOCATE`."""


def add(tx: WriteTx, new: Sequence[NewReport], now: datetime) -> dict[str, ReportId]:
    """Store reports, and append their events. Returns the id of each that was stored, by its reference.

    One whose idempotency key or external id is taken is left out, and nothing of it is kept. Locks the rows of the
    keys, in their order; waits for another transaction that claims one of them.
    """
    return tx.run(adding(tx, new, now))


def adding(tx: Acting, new: Sequence[NewReport], now: datetime) -> Steps[dict[str, ReportId]]:
    """The same in steps."""
    kinds = {type(event) for one in new for event in one.events}
    rows = orjson.dumps([_row(one) for one in new]).decode()
    stored = yield Ask(_ADD, {"reports": rows, "grid": GRID, **event_log.append_params(tx, kinds, now)})
    return {row.reference: ReportId(row.id) for row in stored}


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
        "told_by": new.told_by,
        **({} if key is None else {"key_scope": key.scope, "key": key.value, "body_sha256": key.body_sha256.hex()}),
        "answer": new.answer,
        "events": [event_log.stated(event, new.happened_at, new.correlation) for event in new.events],
    }
