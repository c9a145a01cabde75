"""What `tell` reads of events and of those who hear them, and what it writes: one message for a person and a fact."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, Row, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from shared.domain.telling import Fact, To
from shared.settings import settings
from shared.store.deliveries import Delivery
from shared.store.engine import ReadTx, WriteTx
from shared.store.tables import message

_SQL = Path(__file__).parent / "sql"
_FACTS = text((_SQL / "telling_facts.sql").read_text())
_READERS = text((_SQL / "telling_readers.sql").read_text())
_ONE_TELLER = 7_035_004


@dataclass(frozen=True, slots=True)
class Told:
    """An event, with the names that its message says."""

    event_id: int
    defect_id: int | None
    report_id: int | None
    class_code: str
    names: dict[str, str]
    fact: Fact


@dataclass(frozen=True, slots=True)
class Reader:
    """One report or follow that hears of an event. `rank`: 1 whose report it is, 2 who follows it, 3 its place."""

    event_id: int
    rank: int
    report_id: int | None
    follow_id: int | None
    email: str | None
    phone: str | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that nobody has begun to send."""

    reader: str
    about: str
    template: str
    values: dict[str, Any]
    due_at: datetime


def one_at_a_time(tx: WriteTx) -> None:
    """Only one transaction tells at a time: what waits for a reader is looked at, and then replaced."""
    tx.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": _ONE_TELLER})


def facts(tx: ReadTx, due: Sequence[Delivery]) -> list[Told]:
    """The events of these deliveries in their order."""
    rows = tx.execute(_FACTS, {"ids": [one.event_id for one in due], "times": [one.event_at for one in due]})
    return [_told(row) for row in rows]


def _told(row: Row[Any]) -> Told:
    fact = Fact(
        kind=row.kind,
        at=row.occurred_at,
        before=row.before,
        after=row.after,
        data=row.data,
        state=row.state,
        permanent_due=row.permanent_due_at,
        make_safe_due=row.make_safe_due_at,
        inspect_due=row.inspect_due_at,
        permanent_was=row.permanent_was,
        make_safe_was=row.make_safe_was,
        depth_mm=row.depth_mm,
        aborted=row.aborted,
    )
    named = {"street": row.street, "defect": row.defect, "report": row.report, "other": row.other}
    names = {name: value for name, value in named.items() if value}
    return Told(row.id, row.defect_id, row.report_id, row.class_code, names, fact)


def readers(tx: ReadTx, wanted: Sequence[tuple[Told, datetime, To]]) -> list[Reader]:
    """Who hears of these events, by rank; the time is when each was recorded."""
    rows = tx.execute(
        _READERS,
        {
            "events": [told.event_id for told, _, _ in wanted],
            "times": [at for _, at, _ in wanted],
            "kinds": [to.value for _, _, to in wanted],
            "defects": [told.defect_id for told, _, _ in wanted],
            "reports": [told.report_id for told, _, _ in wanted],
        },
    )
    return [Reader(**row._mapping) for row in rows]


def known(tx: ReadTx, keys: Collection[str]) -> set[str]:
    """Those of the keys whose message is written already."""
    return set(tx.scalars(select(message.c.key).where(message.c.key == func.any(sorted(keys)))))


_SUPERSEDE = text(
    """
    UPDATE message SET dropped_at = :now
    FROM unnest(CAST(:readers AS text[]), CAST(:abouts AS text[])) AS newer(reader, about)
    WHERE message.reader = newer.reader AND message.about = newer.about
      AND message.tries = 0 AND message.sent_at IS NULL AND message.parked_at IS NULL AND message.dropped_at IS NULL
    RETURNING message.reader, message.about, message.template, message.values, message.due_at
    """
)


def supersede(tx: WriteTx, newer: Sequence[tuple[str, str]], now: datetime) -> list[Waiting]:
    """Take back what waits for these readers about these things, and has not been begun: a newer one takes it along."""
    rows = tx.execute(
        _SUPERSEDE, {"readers": [one for one, _ in newer], "abouts": [about for _, about in newer], "now": now}
    )
    return [Waiting(**row._mapping) for row in rows]


_JOINED = text(
    """
    INSERT INTO message (key, report_id, channel, template, values, made_at, due_at)
    SELECT 'joined:' || asked.report_id || ':' || asked.defect_id, asked.report_id,
           CASE WHEN contact.email IS NOT NULL THEN 'email' ELSE 'sms' END, 'joined',
           jsonb_build_object('defect', defect.reference), :now, :now
    FROM unnest(:reports, :defects) AS asked(report_id, defect_id)
    JOIN contact ON contact.report_id = asked.report_id AND contact.unfollowed_at IS NULL
    JOIN defect ON defect.id = asked.defect_id
    WHERE (contact.email IS NOT NULL OR (contact.phone IS NOT NULL AND :texts))
      -- The message that the report was received says so itself, if it is still to go.
      AND NOT EXISTS (
          SELECT FROM message AS first
          WHERE first.report_id = asked.report_id AND first.template = 'received' AND first.tries = 0
            AND first.sent_at IS NULL AND first.dropped_at IS NULL)
    ON CONFLICT (key) DO NOTHING
    """
).bindparams(*(bindparam(name, type_=ARRAY(BigInteger)) for name in ("reports", "defects")))


def joined(tx: WriteTx, links: Sequence[tuple[int, int]], now: datetime) -> None:
    """Tell reporters that others had told of the same: (report, defect) each. Costs little where none can be told."""
    if not links:
        return
    reports, defects = zip(*links, strict=True)
    texts = settings().sms_provider != "none"
    tx.execute(_JOINED, {"reports": list(reports), "defects": list(defects), "texts": texts, "now": now})
