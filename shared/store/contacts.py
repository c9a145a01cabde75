"""How reporters are reached: told no more, and forgotten."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Row, delete, func, select, update

from shared.store.engine import ReadTx, WriteTx
from shared.store.tables import contact, message, report


def standing(tx: ReadTx, report_id: int) -> Row[tuple[bool, bool, bool]] | None:
    """Whether the reporter of a report can be reached by e-mail or phone, and hears of it; None: nothing is known."""
    columns = (contact.c.email.is_not(None), contact.c.phone.is_not(None), contact.c.unfollowed_at.is_(None))
    labelled = [column.label(name) for column, name in zip(columns, ("email", "phone", "hears"), strict=True)]
    return tx.execute(select(*labelled).where(contact.c.report_id == report_id)).one_or_none()


def of_report(tx: ReadTx, reference: str) -> bool | None:
    """Whether the reporter of the report of this reference hears of it; None: nobody is known, or is not any more."""
    told = select(contact.c.unfollowed_at.is_(None)).join(report, report.c.id == contact.c.report_id)
    hears: bool | None = tx.scalar(told.where(report.c.reference == reference))
    return hears


def of_address(tx: ReadTx, address: str) -> list[int]:
    """The reports whose reporter is reached by exactly this address, which is in lower case; the newest first."""
    tx.plan_for_values()
    told = select(contact.c.report_id).where(func.lower(contact.c.email) == address, contact.c.email.is_not(None))
    return list(tx.scalars(told.order_by(contact.c.report_id.desc())))


def hear(tx: WriteTx, report_id: int, *, hears: bool, now: datetime) -> None:
    """Whether the reporter wants to be told of this report. Locks the row."""
    told = update(contact).where(contact.c.report_id == report_id).values(unfollowed_at=None if hears else now)
    tx.execute(told)
    if not hears:
        drop_messages(tx, [report_id], now)


def forget(tx: WriteTx, report_ids: Sequence[int], now: datetime) -> int:
    """Delete how to reach the reporters of these reports, and what was still to be sent to them. Returns how many."""
    gone = tx.execute(delete(contact).where(contact.c.report_id == func.any(list(report_ids)))).rowcount
    drop_messages(tx, report_ids, now)
    return gone


def drop_messages(tx: WriteTx, report_ids: Sequence[int], now: datetime) -> None:
    """Send nothing more of what waits for these reporters."""
    waiting = (message.c.sent_at.is_(None), message.c.dropped_at.is_(None))
    tx.execute(
        update(message).where(message.c.report_id == func.any(list(report_ids)), *waiting).values(dropped_at=now)
    )
