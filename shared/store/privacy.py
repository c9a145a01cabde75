"""What is forgotten in time or because somebody asks: contact details, follows, drafts, messages, raw detections.

Each statement takes so many rows at most, and is safe to repeat.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Delete,
    Row,
    Select,
    Text,
    Update,
    and_,
    bindparam,
    delete,
    exists,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from shared.domain.terms import ReportState
from shared.store.engine import ReadTx, WriteTx
from shared.store.tables import (
    contact,
    defect,
    detection,
    detection_batch,
    draft,
    follow,
    message,
    photo,
    recall,
    recall_sighting,
    report,
    report_note,
    sighting,
)

_R = ReportState
ENDED = frozenset({_R.RESOLVED, _R.REFERRED, _R.REJECTED, _R.NO_DEFECT_FOUND, _R.WITHDRAWN})
"""The matter is at its end: nobody has to reach the reporter any more."""
_OPEN_CLAIM = ("proposed", "disputed")
_RAW = ("kept", "stale")
"""Detections that no defect has."""

_CONTACTS = text((Path(__file__).parent / "sql" / "privacy_contacts.sql").read_text()).bindparams(
    bindparam("ended", type_=ARRAY(Text))
)


def forget_contacts(tx: WriteTx, before: datetime, most: int) -> list[int]:
    """Delete contact details of reports that ended before then and are under no claim. Returns the reports."""
    return list(tx.scalars(_CONTACTS, {"ended": sorted(ENDED), "before": before, "most": most}))


def forget_follows(tx: WriteTx, before: datetime, now: datetime, most: int) -> int:
    """Follows that ended before then, or were made before then and never confirmed, lose their address and name."""
    reachable = or_(follow.c.email.is_not(None), follow.c.phone.is_not(None))
    unwanted = or_(follow.c.ended_at < before, and_(follow.c.confirmed_at.is_(None), follow.c.made_at < before))
    over = select(follow.c.id).where(reachable, unwanted).order_by(follow.c.id).limit(most)
    ids = list(tx.scalars(over.with_for_update(skip_locked=True)))
    _empty_follows(tx, ids, now)
    return len(ids)


def _empty_follows(tx: WriteTx, ids: Sequence[int], now: datetime) -> None:
    gone = {"email": None, "phone": None, "name": "", "ended_at": func.coalesce(follow.c.ended_at, now)}
    tx.execute(update(follow).where(follow.c.id == func.any(list(ids))).values(gone))
    unsent = (message.c.sent_at.is_(None), message.c.dropped_at.is_(None))
    tx.execute(update(message).where(message.c.follow_id == func.any(list(ids)), *unsent).values(dropped_at=now))


def forget_drafts(tx: WriteTx, before: datetime, most: int) -> int:
    """Delete drafts that nobody has touched since, with the rows of their photos; the files go with the orphans."""
    old = select(draft.c.secret_hash).where(draft.c.updated_at < before).order_by(draft.c.updated_at).limit(most)
    return _delete_drafts(tx, old)


def _delete_drafts(tx: WriteTx, which: Select[Any]) -> int:
    hashes = list(tx.scalars(which.with_for_update(skip_locked=True)))
    tx.execute(delete(photo).where(photo.c.draft_hash == func.any(hashes)))
    return _counted(tx, delete(draft).where(draft.c.secret_hash == func.any(hashes)))


def empty_messages(tx: WriteTx, before: datetime, most: int) -> int:
    """What was told in messages made before then is kept no longer; that they were sent, and when, is."""
    old = select(message.c.id).where(message.c.made_at < before, message.c["values"] != text("'{}'::jsonb"))
    settled = or_(message.c.sent_at.is_not(None), message.c.parked_at.is_not(None), message.c.dropped_at.is_not(None))
    ids = list(tx.scalars(old.where(settled).order_by(message.c.id).limit(most)))
    return _counted(tx, update(message).where(message.c.id == func.any(ids)).values({"values": {}}))


def forget_detections(tx: WriteTx, before: datetime, now: datetime, most: int) -> int:
    """Delete the detections of batches received before then that no defect has. Looks at so many batches at a time,
    until some were deleted or none is left.
    """
    gone, batches = 0, _raw_batches(tx, before, most)
    while batches and not gone:
        gone = sum(_delete_raw(tx, batch.id, batch.received_at) for batch in batches)
        ids = [batch.id for batch in batches]
        tx.execute(update(detection_batch).where(detection_batch.c.id == func.any(ids)).values(raw_gone_at=now))
        batches = _raw_batches(tx, before, most) if not gone else []
    return gone


def _raw_batches(tx: WriteTx, before: datetime, most: int) -> Sequence[Row[Any]]:
    old = select(detection_batch.c.id, detection_batch.c.received_at).where(
        detection_batch.c.raw_gone_at.is_(None),
        detection_batch.c.received_at < before,
        detection_batch.c.matched_at.is_not(None),
    )
    return tx.execute(old.order_by(detection_batch.c.received_at).limit(most).with_for_update(skip_locked=True)).all()


def _delete_raw(tx: WriteTx, batch_id: int, received_at: datetime) -> int:
    seen = exists().where(sighting.c.detection_id == detection.c.id)
    claimed = exists().where(recall_sighting.c.detection_id == detection.c.id)
    of_batch = (detection.c.batch_id == batch_id, detection.c.received_at == received_at)
    return _counted(tx, delete(detection).where(*of_batch, detection.c.verdict.in_(_RAW), ~seen, ~claimed))


# --- because somebody asks -------------------------------------------------------------------------------------------


def _is(column: Any, address: str) -> ColumnElement[bool]:
    return func.lower(column) == address.strip().lower()


def _is_number(column: Any, digits: str) -> ColumnElement[bool]:
    """Numbers are typed in many ways: the last nine digits tell them apart."""
    return func.right(func.regexp_replace(column, r"\D", "", "g"), 9) == digits[-9:]


def reports_of(tx: WriteTx, *, email: str | None, digits: str | None) -> list[int]:
    """The reports whose reporter is reached so, locked."""
    told = _is(contact.c.email, email) if email is not None else _is_number(contact.c.phone, digits or "")
    wanted = select(contact.c.report_id).where(told).order_by(contact.c.report_id)
    return list(tx.scalars(wanted.with_for_update()))


def erase_follows(tx: WriteTx, now: datetime, *, email: str | None, digits: str | None) -> int:
    """End the follows of this address and empty them."""
    told = _is(follow.c.email, email) if email is not None else _is_number(follow.c.phone, digits or "")
    ids = list(tx.scalars(select(follow.c.id).where(told).order_by(follow.c.id).with_for_update()))
    _empty_follows(tx, ids, now)
    return len(ids)


def erase_drafts(tx: WriteTx, *, email: str | None, digits: str | None) -> int:
    """Delete the drafts in which this address or number was typed, photos and all."""
    written = func.lower(func.cast(draft.c.answers, Text))
    if email is not None:
        found = func.strpos(written, email.strip().lower()) > 0
    else:
        found = func.strpos(func.regexp_replace(written, r"[^0-9a-z]", "", "g"), (digits or "")[-9:]) > 0
    return _delete_drafts(tx, select(draft.c.secret_hash).where(found))


def under_claim(tx: ReadTx, report_ids: Sequence[int]) -> set[int]:
    """Those of the reports that are part of an open claim on a repair: what they say is evidence."""
    return set(tx.scalars(select(report.c.id).where(report.c.id == func.any(list(report_ids)), _claimed())))


def _claimed() -> ColumnElement[bool]:
    """Of a report: it raised a claim that is open, or what answered it is under one."""
    is_open = recall.c.state.in_(_OPEN_CLAIM)
    raised = exists().where(
        recall_sighting.c.report_id == report.c.id, recall.c.id == recall_sighting.c.recall_id, is_open
    )
    answered = exists().where(
        sighting.c.report_id == report.c.id,
        sighting.c.unlinked_at.is_(None),
        defect.c.id == sighting.c.defect_id,
        recall.c.defect_id == func.coalesce(defect.c.merged_into, defect.c.id),
        is_open,
    )
    return or_(raised, answered)


def ended(tx: ReadTx, report_ids: Sequence[int]) -> set[int]:
    """Those of the reports whose matter is at its end."""
    over = report.c.state.in_(sorted(ENDED))
    return set(tx.scalars(select(report.c.id).where(report.c.id == func.any(list(report_ids)), over)))


def empty_later(tx: WriteTx, report_ids: Sequence[int], now: datetime) -> None:
    """Let the words of these reports go once they are wanted no more."""
    tx.execute(update(report).where(report.c.id == func.any(list(report_ids))).values(erase_asked_at=now))


def to_be_emptied(tx: WriteTx, most: int) -> list[int]:
    """Reports whose words were to go later and are wanted no more: they have ended and are under no claim. Locked."""
    over = report.c.state.in_(sorted(ENDED))
    wanted = select(report.c.id).where(report.c.erase_asked_at.is_not(None), over, ~_claimed())
    return list(tx.scalars(wanted.order_by(report.c.id).limit(most).with_for_update(skip_locked=True)))


def empty_words(tx: WriteTx, report_ids: Sequence[int]) -> int:
    """What the reporters wrote goes for good: description, address, answers. Class, place and times stay."""
    ids = list(report_ids)
    notes = update(report_note).where(report_note.c.report_id == func.any(ids), report_note.c.kind != "question")
    tx.execute(notes.values(words=""))
    emptied = {"description": "", "address": None, "erase_asked_at": None}
    return _counted(tx, update(report).where(report.c.id == func.any(ids)).values(emptied))


def change_words(tx: WriteTx, report_ids: Sequence[int], change: Callable[[str], str]) -> int:
    """What the reporters wrote becomes what `change` makes of it, for good. Returns of how many reports."""
    ids = list(report_ids)
    for table, column, which in (
        (report, report.c.description, report.c.id),
        (report_note, report_note.c.words, report_note.c.report_id),
    ):
        rows = tx.execute(select(table.c.id, column.label("words")).where(which == func.any(ids))).all()
        changed = [{"row": row.id, "words": change(row.words)} for row in rows]
        if changed:
            own = update(table).where(table.c.id == bindparam("row")).values({column: bindparam("words")})
            tx.execute(own.execution_options(synchronize_session=False), changed)
    return len(ids)


def photos_of(tx: ReadTx, report_ids: Sequence[int]) -> list[int]:
    """The photos that came with these reports."""
    return list(tx.scalars(select(photo.c.id).where(photo.c.report_id == func.any(list(report_ids)))))


def _counted(tx: WriteTx, statement: Delete | Update) -> int:
    return tx.execute(statement).rowcount
