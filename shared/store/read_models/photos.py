"""Photos for those who may see them. They are private: staff, the reporter, and the contractor whom they concern."""

from typing import Any

from sqlalchemy import ColumnElement, Row, and_, exists, false, or_, select, true

from shared.domain.access import Asker
from shared.domain.terms import Role
from shared.store.engine import ReadTx
from shared.store.tables import photo, report, sighting, works_order, works_order_defect


def visible(tx: ReadTx, reference: str, asker: Asker) -> Row[Any] | None:
    """A photo that this asker may see; None when there is none such."""
    wanted = select(photo.c.reference, photo.c.media_type, photo.c.role, photo.c.received_at)
    return tx.execute(wanted.where(photo.c.reference == reference, _may_see(asker))).one_or_none()


def of_report(tx: ReadTx, report_id: int) -> list[Row[Any]]:
    """The photos that came with a report, oldest first."""
    return list(tx.execute(select(photo).where(photo.c.report_id == report_id).order_by(photo.c.id)))


def report_id(tx: ReadTx, reference: str) -> int | None:
    """The id of a report by its reference, for whoever adds a photo to it."""
    found: int | None = tx.scalar(select(report.c.id).where(report.c.reference == reference))
    return found


def _may_see(asker: Asker) -> ColumnElement[bool]:
    if asker.is_staff:
        return true()
    if asker.role is Role.REPORTER:
        return photo.c.report_id == asker.report_id
    if asker.role is Role.CONTRACTOR:
        return or_(photo.c.contractor_id == asker.contractor_id, _of_own_order(asker))
    return false()


def _of_own_order(asker: Asker) -> ColumnElement[bool]:
    """A resident's photo, where it is of a defect that stands on one of the contractor's orders."""
    covered = (
        select(works_order_defect.c.defect_id)
        .join(works_order, works_order.c.id == works_order_defect.c.works_order_id)
        .where(
            works_order.c.contractor_id == asker.contractor_id, works_order_defect.c.defect_id == sighting.c.defect_id
        )
    )
    came_with = or_(sighting.c.report_id == photo.c.report_id, sighting.c.id == photo.c.sighting_id)
    return exists().where(and_(came_with, sighting.c.unlinked_at.is_(None), exists(covered)))
