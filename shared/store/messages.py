"""Messages that leave the building: a row with a key first, claimed, sent outside the transaction, then marked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text

from shared.store.engine import WriteTx


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """One message to one reader: the reporter (`report_id`) or who follows (`follow_id`).

    `reader` names the person without saying who that is; `about`: see the table.
    """

    key: str
    channel: str
    template: str
    due_at: datetime
    report_id: int | None = None
    follow_id: int | None = None
    reader: str | None = None
    about: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


_ADD = text(
    """
    INSERT INTO message (key, report_id, follow_id, reader, about, channel, template, values, made_at, due_at)
    SELECT key, report_id, follow_id, reader, about, channel, template, values, :now, due_at
    FROM jsonb_to_recordset(CAST(:messages AS jsonb)) AS one(
        key text, report_id bigint, follow_id bigint, reader text, about text, channel text, template text,
        values jsonb, due_at timestamptz)
    ON CONFLICT (key) DO NOTHING
    RETURNING id
    """
)


def add(tx: WriteTx, new: Sequence[NewMessage], now: datetime) -> int:
    """Write messages; one whose key is there already is not written again. Returns how many are new."""
    if not new:
        return 0
    rows = [
        {
            "key": one.key,
            "report_id": one.report_id,
            "follow_id": one.follow_id,
            "reader": one.reader,
            "about": one.about,
            "channel": one.channel,
            "template": one.template,
            "values": one.values,
            "due_at": one.due_at,
        }
        for one in new
    ]
    return len(tx.execute(_ADD, {"messages": orjson.dumps(rows).decode(), "now": now}).all())
