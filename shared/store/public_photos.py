"""Which photos everybody may see: released by a person, by the policy, or with the verification of a repair."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Row, func, or_, select, update

from shared.domain.public_words import NEVER_SHOWN
from shared.errors import NotFound
from shared.store.engine import WriteTx
from shared.store.tables import photo, report, visit

WITHHELD = "withheld:"
"""Stands before the name of who said that a photo is not for everybody."""

_of_shown_report = select(report.c.id).where(report.c.id == photo.c.report_id, report.c.state.not_in(NEVER_SHOWN))


def is_public() -> ColumnElement[bool]:
    """Released, and not of a report that is not shown itself. A draft's photo has no owner yet, and is never public."""
    owned = or_(photo.c.visit_client_id.is_not(None), photo.c.sighting_id.is_not(None), _of_shown_report.exists())
    return photo.c.released_at.is_not(None) & owned


def lock(tx: WriteTx, reference: str) -> Row[tuple[int, bool]]:
    """A photo that may be released, locked: its id, and whether it is released.

    Raises:
        NotFound: there is none, or it belongs to a report that is still being written.
    """
    wanted = select(photo.c.id, photo.c.released_at.is_not(None).label("released")).where(
        photo.c.reference == reference, photo.c.draft_hash.is_(None)
    )
    row = tx.execute(wanted.with_for_update()).one_or_none()
    if row is None:
        raise NotFound("There is no such photo.")
    return row


def release(tx: WriteTx, photo_id: int, now: datetime) -> None:
    """Everybody may see it."""
    tx.execute(update(photo).where(photo.c.id == photo_id).values(released_at=now, released_by=tx.actor))


def withhold(tx: WriteTx, photo_ids: Sequence[int]) -> None:
    """Only those whom they concern may see them, until a person says otherwise."""
    told = {"released_at": None, "released_by": f"{WITHHELD}{tx.actor}"}
    tx.execute(update(photo).where(photo.c.id == func.any(list(photo_ids))).values(told))


def release_of_visits(tx: WriteTx, visit_ids: Sequence[int], now: datetime) -> None:
    """What was photographed before and after these verified repairs, but for what a person has withheld."""
    of_these = select(visit.c.id).where(
        visit.c.id == func.any(list(visit_ids)),
        visit.c.client_id == photo.c.visit_client_id,
        visit.c.contractor_id == photo.c.contractor_id,
    )
    shown = update(photo).where(of_these.exists(), photo.c.released_at.is_(None), photo.c.released_by.is_(None))
    tx.execute(shown.values(released_at=now, released_by="verification"))
