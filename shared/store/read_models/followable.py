"""What a link or a form names to be followed, or to have a feed of: in words, and where it lies."""

from dataclasses import dataclass

from sqlalchemy import func, select

from shared.domain.follows import Kind, around
from shared.store import follows, network, references
from shared.store.engine import ReadTx
from shared.store.follows import Subject
from shared.store.tables import defect, report, sighting, street


@dataclass(frozen=True, slots=True)
class NamedDefect:
    """A defect by its reference; of a duplicate, its original."""

    id: int
    reference: str
    class_code: str
    street: str


def defect_named(tx: ReadTx, written: str) -> NamedDefect | None:
    """The defect of a reference as it was typed."""
    original = select(func.coalesce(defect.c.merged_into, defect.c.id)).where(
        defect.c.reference == references.read(written)
    )
    columns = (defect.c.id, defect.c.reference, defect.c.class_code, func.coalesce(street.c.name, "").label("street"))
    wanted = select(*columns).outerjoin(street, street.c.id == defect.c.street_id)
    row = tx.execute(wanted.where(defect.c.id == original.scalar_subquery())).one_or_none()
    return None if row is None else NamedDefect(**row._mapping)


def the_defect(tx: ReadTx, written: str) -> Subject | None:
    """A defect as a subject."""
    found = defect_named(tx, written)
    return None if found is None else Subject(Kind.DEFECT, found.reference, defect_id=found.id)


def of_report(tx: ReadTx, written: str) -> Subject | None:
    """The defect that a report belongs to now; the first of several."""
    first = (
        select(defect.c.reference)
        .join(sighting, sighting.c.defect_id == defect.c.id)
        .join(report, report.c.id == sighting.c.report_id)
        .where(report.c.reference == references.read(written), sighting.c.unlinked_at.is_(None))
        .order_by(sighting.c.linked_at, sighting.c.id)
        .limit(1)
    )
    reference: str | None = tx.scalar(first)
    return None if reference is None else the_defect(tx, reference)


def the_street(tx: ReadTx, key: str) -> Subject | None:
    """A street as a subject."""
    name = follows.the_street(tx, key)
    return None if name is None else Subject(Kind.STREET, name, street_key=key)


def the_area(tx: ReadTx, code: str) -> Subject | None:
    """An area as a subject."""
    found = follows.the_area(tx, code)
    return None if found is None else Subject(Kind.AREA, found.name, area_id=found.id)


def near_postcode(tx: ReadTx, postcode: str, radius_m: float) -> Subject | None:
    """What lies around a postcode, as a subject."""
    found = network.postcode_at(tx, postcode)
    if found is None:
        return None
    wkb = follows.circle(tx, found.lat, found.lon, radius_m)
    return Subject(Kind.CIRCLE, around(found.name, radius_m), wkb=wkb)
