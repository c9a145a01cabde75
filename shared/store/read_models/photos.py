"""Photos for those who may see them: everybody once released; else staff, the reporter, the contractor concerned."""

from typing import Any

from sqlalchemy import ColumnElement, Row, and_, exists, false, func, null, or_, select, true, union, union_all

from shared.domain.access import Asker
from shared.domain.public_words import NEVER_SHOWN
from shared.domain.terms import OrderState, Role
from shared.store.engine import ReadTx
from shared.store.public_photos import is_public
from shared.store.tables import defect, photo, report, sighting, visit, works_order, works_order_defect


def visible(tx: ReadTx, reference: str, asker: Asker) -> Row[Any] | None:
    """A photo that this asker may see, and whether everybody may; None when there is none such."""
    wanted = select(photo.c.reference, photo.c.media_type, is_public().label("is_public"))
    return tx.execute(wanted.where(photo.c.reference == reference, or_(is_public(), _may_see(asker)))).one_or_none()


_SHOWN = (photo.c.reference, photo.c.role, photo.c.width_px, photo.c.height_px, photo.c.taken_at)


def public_of_report(tx: ReadTx, report_id: int) -> list[Row[Any]]:
    """The photos that came with a report and that everybody may see, oldest first."""
    return list(tx.execute(select(*_SHOWN).where(photo.c.report_id == report_id, is_public()).order_by(photo.c.id)))


def public_of_defect(tx: ReadTx, defect_id: int) -> list[Row[Any]]:
    """The released photos of a defect, in the order in which they came: of who saw it (`report`), and of its repairs
    (`before`, `after`). A defect stands for those that were merged into it.
    """
    same = select(defect.c.id).where(or_(defect.c.id == defect_id, defect.c.merged_into == defect_id))
    seen = select(*_SHOWN, photo.c.id).where(is_public())
    standing = (sighting.c.defect_id.in_(same), sighting.c.unlinked_at.is_(None))
    reported = seen.join(sighting, sighting.c.report_id == photo.c.report_id).where(*standing)
    passed_by = seen.join(sighting, sighting.c.id == photo.c.sighting_id).where(*standing)
    of_visit = (visit.c.client_id == photo.c.visit_client_id) & (visit.c.contractor_id == photo.c.contractor_id)
    mended = (
        seen.join(visit, of_visit)
        .join(works_order_defect, works_order_defect.c.works_order_id == visit.c.works_order_id)
        .where(works_order_defect.c.defect_id.in_(same), works_order_defect.c.defect_id == func.any(visit.c.defect_ids))
    )
    # Of all three, each by its own index.
    found = union(reported, passed_by, mended).subquery()
    return list(tx.execute(select(found).order_by(found.c.id).limit(100)))


def waiting(tx: ReadTx, after: int, most: int) -> list[Row[Any]]:
    """Photos of reports and of passers-by about which nobody has said whether everybody may see them, oldest first."""
    undecided = (photo.c.released_at.is_(None), photo.c.released_by.is_(None), photo.c.id > after)
    columns = (photo.c.id, photo.c.reference, photo.c.received_at)
    came = (
        select(*columns, report.c.reference.label("report"), null().label("defect"))
        .join(report, report.c.id == photo.c.report_id)
        .where(*undecided, report.c.state.not_in(NEVER_SHOWN))
    )
    passed = (
        select(*columns, null().label("report"), defect.c.reference.label("defect"))
        .join(sighting, sighting.c.id == photo.c.sighting_id)
        .join(defect, defect.c.id == sighting.c.defect_id)
        .where(*undecided)
    )
    each = [one.order_by(photo.c.id).limit(most).subquery() for one in (came, passed)]
    both = union_all(*(select(one) for one in each)).subquery()
    return list(tx.execute(select(both).order_by(both.c.id).limit(most)))


def of_report(tx: ReadTx, report_id: int) -> list[Row[Any]]:
    """The photos that came with a report, oldest first."""
    return list(tx.execute(select(photo).where(photo.c.report_id == report_id).order_by(photo.c.id)))


def staff_of_report(tx: ReadTx, report_id: int) -> list[dict[str, Any]]:
    """The photos that came with a report, for staff: whether everybody may see each, and who said so. Oldest first."""
    columns = (*_SHOWN, photo.c.received_at, is_public().label("public"), photo.c.released_by.label("said_by"))
    rows = select(*columns).where(photo.c.report_id == report_id).order_by(photo.c.id)
    return [dict(row._mapping) for row in tx.execute(rows)]


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
    """A resident's photo, where its defect stands on one of the contractor's orders, or stood when it came."""
    covered = (
        select(works_order_defect.c.defect_id)
        .join(works_order, works_order.c.id == works_order_defect.c.works_order_id)
        .where(
            works_order.c.contractor_id == asker.contractor_id,
            works_order_defect.c.defect_id == sighting.c.defect_id,
            came_with_order(),
        )
        .correlate(photo, sighting)
    )
    came_with = or_(sighting.c.report_id == photo.c.report_id, sighting.c.id == photo.c.sighting_id)
    return exists().where(and_(came_with, sighting.c.unlinked_at.is_(None), exists(covered)))


def came_with_order() -> ColumnElement[bool]:
    """Whether a contractor is shown a resident's photo with its order: it came while the order covered the defect.

    That stays when the order has ended: a repair is disputed as long as its warranty runs. A declined order shows none.
    """
    came = func.greatest(photo.c.received_at, sighting.c.linked_at)
    until = works_order_defect.c.ended_at
    return and_(works_order.c.state != OrderState.DECLINED, or_(until.is_(None), came <= until))
