"""Messages that leave the building: a row with a key first, claimed, sent outside the transaction, then marked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Text, bindparam, func, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY

from shared.store.engine import ReadTx, WriteTx
from shared.store.tables import message


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
    # Another stands for it: it is kept for its key, and never sent.
    dropped: bool = False
    values: Mapping[str, Any] = field(default_factory=dict)


_ADD = text(
    """
    INSERT INTO message (key, report_id, follow_id, reader, about, channel, template, values, made_at, due_at,
                         dropped_at)
    SELECT key, report_id, follow_id, reader, about, channel, template, values, :now, due_at,
           CASE WHEN dropped THEN CAST(:now AS timestamptz) END
    FROM jsonb_to_recordset(CAST(:messages AS jsonb)) AS one(
        key text, report_id bigint, follow_id bigint, reader text, about text, channel text, template text,
        values jsonb, due_at timestamptz, dropped boolean)
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
            "dropped": one.dropped,
        }
        for one in new
    ]
    return len(tx.execute(_ADD, {"messages": orjson.dumps(rows).decode(), "now": now}).all())


# --- out -------------------------------------------------------------------------------------------------------------

TRIES = 10
"""After so many failures a message is parked: it waits for a person."""
_CLAIM_WRITTEN = (Path(__file__).parent / "sql" / "claim_messages.sql").read_text()
_CLAIM = text(_CLAIM_WRITTEN).bindparams(bindparam("channels", type_=ARRAY(Text)))
_OWN = text(
    "WITH taken AS (SELECT * FROM message"
    " WHERE id > :after AND xmin = pg_current_xact_id()::xid AND dropped_at IS NULL)"
    + "".join(_CLAIM_WRITTEN.partition("\nSELECT taken.id")[1:])
)
"""What this transaction itself wrote, with its readers as a worker would have them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A message that one worker has for itself, with its reader as he or she is now. `tries` counts this one."""

    id: int
    key: str
    channel: str
    template: str
    values: Mapping[str, Any]
    made_at: datetime
    due_at: datetime
    tries: int
    error: str
    report_id: int | None
    follow_id: int | None
    email: str | None
    phone: str | None
    report: str | None
    class_code: str | None
    triage_due_at: datetime | None
    danger: bool | None
    street: str | None
    follow_name: str | None
    follow_kind: str | None
    rhythm: str | None
    confirmed_at: datetime | None
    ended_at: datetime | None
    joined: str | None


def claim(tx: WriteTx, channels: Sequence[str], now: datetime, until: datetime, most: int) -> list[Claimed]:
    """Take due messages for this worker alone until then, the oldest first. Locks them in this transaction."""
    asked = {"channels": list(channels), "now": now, "until": until, "most": most}
    return [Claimed(**row._mapping) for row in tx.execute(_CLAIM, asked)]


def newest(tx: ReadTx) -> int:
    """The id of the newest message; 0 when there is none."""
    return tx.scalar(select(func.max(message.c.id))) or 0


def own(tx: WriteTx, after: int) -> list[Claimed]:
    """The messages after that one that this transaction wrote and has not dropped, by when they would leave."""
    return [Claimed(**row._mapping) for row in tx.execute(_OWN, {"after": after})]


def sent(tx: WriteTx, message_id: int, sent_as: str, now: datetime) -> None:
    """It has left. One that was dropped meanwhile has left all the same."""
    values = {"sent_at": now, "sent_as": sent_as, "error": None, "leased_until": None}
    tx.execute(update(message).where(message.c.id == message_id).values(values))


def drop(tx: WriteTx, ids: Sequence[int], now: datetime) -> None:
    """Their readers do not want them any more, or cannot be reached."""
    if ids:
        gone = update(message).where(message.c.id.in_(ids), message.c.sent_at.is_(None))
        tx.execute(gone.values(dropped_at=now, leased_until=None))


def put_back(
    tx: WriteTx, message_id: int, tries: int, error: str, due_at: datetime, parked_at: datetime | None
) -> None:
    """It could not be sent: due again then, or parked for a person. `tries` are those that count."""
    values = {"tries": tries, "error": error, "due_at": due_at, "parked_at": parked_at, "leased_until": None}
    tx.execute(update(message).where(message.c.id == message_id, message.c.sent_at.is_(None)).values(values))


def let_go(tx: WriteTx, ids: Sequence[int], due_at: datetime) -> None:
    """What was claimed and not tried is due again then, and no try of it counts."""
    if ids:
        back = update(message).where(message.c.id.in_(ids), message.c.sent_at.is_(None))
        tx.execute(back.values(tries=message.c.tries - 1, due_at=due_at, leased_until=None))


_UNSENT = message.c.sent_at.is_(None) & message.c.dropped_at.is_(None)


def listed(tx: ReadTx, *, parked_only: bool = True, most: int = 100) -> list[dict[str, Any]]:
    """Messages that have not left, for a person to look at, the oldest first; without who reads them."""
    names = ("id", "key", "channel", "template", "tries", "made_at", "due_at", "parked_at", "error")
    rows = select(*(message.c[name] for name in names)).where(_UNSENT).order_by(message.c.id).limit(most)
    if parked_only:
        rows = rows.where(message.c.parked_at.is_not(None))
    return [dict(row._mapping) for row in tx.execute(rows)]


def counts(tx: ReadTx, now: datetime) -> dict[str, int]:
    """How many messages are due, waiting, parked and sent."""
    parked, due = message.c.parked_at.is_not(None), message.c.due_at <= now
    row = tx.execute(
        select(
            func.count().filter(_UNSENT & ~parked & due).label("due"),
            func.count().filter(_UNSENT & ~parked & ~due).label("waiting"),
            func.count().filter(_UNSENT & parked).label("parked"),
            func.count().filter(message.c.sent_at.is_not(None)).label("sent"),
        )
    ).one()
    return dict(row._mapping)


def unsent(tx: ReadTx, now: datetime) -> tuple[int, float]:
    """How many messages are to leave, parked ones apart, and for how many seconds the oldest of them has been due."""
    oldest = func.extract("epoch", now - func.min(message.c.due_at))
    wanted = select(func.count().label("many"), oldest.label("lag")).where(_UNSENT, message.c.parked_at.is_(None))
    row = tx.execute(wanted).one()
    return int(row.many), max(0.0, float(row.lag or 0.0))


def retry(tx: WriteTx, now: datetime, message_id: int | None = None) -> int:
    """Make parked messages due again, with their tries counted anew. Returns how many."""
    again = update(message).where(message.c.parked_at.is_not(None), _UNSENT)
    again = again if message_id is None else again.where(message.c.id == message_id)
    # One that may have left keeps a try, so that it is asked about before it is sent again.
    values = {"parked_at": None, "tries": 1, "due_at": now}
    return len(tx.scalars(again.values(values).returning(message.c.id)).all())
