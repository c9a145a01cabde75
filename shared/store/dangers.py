"""Reports that told of danger: who sees to them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from shared.domain.terms import ReportId
from shared.errors import NotFound
from shared.store import references
from shared.store.engine import ReadTx, WriteTx
from shared.store.tables import api_key, person, report


@dataclass(frozen=True, slots=True)
class Danger:
    """A locked report. `taken_by` is the actor who sees to its danger; None: nobody yet."""

    id: ReportId
    reference: str
    danger: bool
    taken_at: datetime | None
    taken_by: str | None


def lock(tx: WriteTx, reference: str) -> Danger:
    """The report of this reference, locked.

    Raises:
        NotFound: there is none.
    """
    wanted = select(*(report.c[name] for name in Danger.__slots__)).where(
        report.c.reference == references.read(reference)
    )
    row = tx.execute(wanted.with_for_update()).one_or_none()
    if row is None:
        raise NotFound(f"There is no report {reference}.")
    return Danger(**row._mapping)


def keep(tx: WriteTx, report_id: int, taken_by: str | None, now: datetime) -> None:
    """Note who sees to it now; None: nobody does. The caller has locked it."""
    taken_at = None if taken_by is None else now
    tx.execute(update(report).where(report.c.id == report_id).values(taken_by=taken_by, taken_at=taken_at))


def name_of(tx: ReadTx, actor: str) -> str | None:
    """What an actor is called: a person's or a key's name; None for any other."""
    kind, _, number = actor.partition(":")
    named: dict[str, Any] = {"person": person, "key": api_key}
    if kind not in named or not number.isdecimal():
        return None
    name: str | None = tx.scalar(select(named[kind].c.name).where(named[kind].c.id == int(number)))
    return name
