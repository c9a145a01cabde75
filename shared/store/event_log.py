"""The record: appends events, and with each, in the same statement, the deliveries to those who listen."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import BigInteger, DateTime, Text, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from shared.domain.events import LISTENERS, Event, Step
from shared.domain.terms import EventId
from shared.store.engine import Acting, ReadTx, WriteTx
from shared.store.tables import event as recorded

_ENVELOPE = {"before", "after"}
_FIELDS = {
    kind: tuple(field.name for field in fields(kind) if field.name not in {*_ENVELOPE, f"{kind.SUBJECT}_id"})
    for kind in LISTENERS
}
"""What an event says beside its envelope and whom it is about."""

APPEND = """
said AS (
    INSERT INTO event (at, occurred_at, kind, subject, subject_id, before, after, actor, cause, correlation, data)
    SELECT :now, coalesce((e->>'occurred_at')::timestamptz, :now), e->>'kind', e->>'subject',
           id, e->>'before', e->>'after', :actor, :cause, coalesce(e->>'correlation', :correlation), e->'data'
    FROM listed ORDER BY place
    RETURNING id, at, kind, subject_id
), told AS (
    INSERT INTO delivery (consumer, event_id, event_at, kind, subject_id, due_at)
    SELECT listener.consumer, said.id, said.at, said.kind, said.subject_id, :now
    FROM said JOIN unnest(:kinds, :consumers) AS listener(kind, consumer) ON listener.kind = said.kind
)
"""
"""Appends what the part "listed" of the same statement holds: e (see `stated`), id of the subject, place in the order.
For a statement that makes the subject too; bind `append_params` with it."""

APPEND_TYPES = (
    bindparam("now", type_=DateTime(timezone=True)),
    bindparam("actor", type_=Text),
    bindparam("cause", type_=BigInteger),
    bindparam("correlation", type_=Text),
    bindparam("kinds", type_=ARRAY(Text)),
    bindparam("consumers", type_=ARRAY(Text)),
)

_APPEND = text(
    f"""
    WITH listed AS (
        SELECT e, (e->>'subject_id')::bigint AS id, place
        FROM jsonb_array_elements(CAST(:events AS jsonb)) WITH ORDINALITY AS given(e, place)
    ), {APPEND}
    SELECT id FROM said ORDER BY id
    """
).bindparams(*APPEND_TYPES)


def append(
    tx: WriteTx,
    happened: Event | Sequence[Event],
    now: datetime,
    *,
    cause: int | None = None,
    occurred_at: datetime | Sequence[datetime] | None = None,
    correlations: Sequence[str] | None = None,
) -> list[EventId]:
    """Append events in their order, with their deliveries. Returns their ids, in the same order.

    `cause` is the event that led to these; `occurred_at` says when they happened, or when each did, where that is
    earlier than `now`. `correlations`: one for each event, where a transaction serves several requests.
    """
    events = [happened] if isinstance(happened, Event) else list(happened)
    if not events:
        return []
    times = occurred_at if isinstance(occurred_at, Sequence) else [occurred_at] * len(events)
    threads: Sequence[str | None] = correlations or [None] * len(events)
    rows = [stated(event, time, thread) for event, time, thread in zip(events, times, threads, strict=True)]
    params = {"events": orjson.dumps(rows).decode(), **append_params(tx, {type(event) for event in events}, now, cause)}
    return [EventId(number) for (number,) in tx.execute(_APPEND, params).all()]


def newest(tx: ReadTx) -> int:
    """The id of the newest event; 0 when there is none."""
    return tx.scalar(select(func.max(recorded.c.id))) or 0


def append_params(tx: Acting, kinds: Iterable[type[Event]], now: datetime, cause: int | None = None) -> dict[str, Any]:
    """What `APPEND` needs beside the events; notes whom they wake."""
    listening = [(kind.__name__, to.value) for kind in kinds for to in LISTENERS[kind]]
    tx.woken.update(to for _, to in listening)
    return {
        "now": now,
        "actor": tx.actor,
        "cause": cause,
        "correlation": tx.correlation,
        "kinds": [kind for kind, _ in listening],
        "consumers": [to for _, to in listening],
    }


def stated(event: Event, occurred_at: datetime | None, correlation: str | None) -> dict[str, Any]:
    """An event as the statement reads it."""
    kind = type(event)
    row: dict[str, Any] = {
        "kind": kind.__name__,
        "subject": event.SUBJECT,
        "subject_id": getattr(event, f"{event.SUBJECT}_id"),
        "occurred_at": occurred_at,
        "correlation": correlation,
        "data": {name: getattr(event, name) for name in _FIELDS[kind]},
    }
    if isinstance(event, Step):
        row["before"], row["after"] = event.before, event.after
    return row
