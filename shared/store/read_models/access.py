"""Lists of people and keys for administrators; no hash leaves the store."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, Select, func, select

from shared.domain.access import STAFF
from shared.store.engine import ReadTx
from shared.store.tables import api_key, contractor, person, session, source


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, and where the next page begins; None when there is no more."""

    rows: list[RowMapping]
    next: int | None


def people(tx: ReadTx, *, after: int = 0, most: int = 100) -> Page:
    """People in the order in which they were added."""
    columns = [person.c[name] for name in ("id", "email", "name", "role", "made_at", "disabled_at")]
    rows = (
        select(*columns, contractor.c.code.label("contractor"))
        .outerjoin(contractor, contractor.c.id == person.c.contractor_id)
        .where(person.c.id > after)
        .order_by(person.c.id)
    )
    return _page(tx, rows, most)


def staff_list(tx: ReadTx, now: datetime) -> list[RowMapping]:
    """Everybody by name, those who may not sign in last: `sessions` open now, `signed_in_at` last (None: never), and
    whether they have a password here."""
    columns = [person.c[name] for name in ("id", "email", "name", "role", "made_at", "disabled_at")]
    live = func.count(session.c.id).filter(session.c.revoked_at.is_(None), session.c.ends_at > now)
    rows = (
        select(
            *columns,
            contractor.c.code.label("contractor"),
            person.c.password_hash.is_not(None).label("has_password"),
            live.label("sessions"),
            func.max(session.c.made_at).label("signed_in_at"),
        )
        .outerjoin(contractor, contractor.c.id == person.c.contractor_id)
        .outerjoin(session, session.c.person_id == person.c.id)
        .group_by(person.c.id, contractor.c.code)
        .order_by(person.c.disabled_at.is_not(None), func.lower(person.c.name), person.c.id)
    )
    return [row._mapping for row in tx.execute(rows)]


def contractors(tx: ReadTx) -> list[RowMapping]:
    """Every contractor that a policy has named: code, name, since."""
    rows = select(contractor.c.code, contractor.c.name, contractor.c.since).order_by(contractor.c.name)
    return [row._mapping for row in tx.execute(rows)]


def keys(tx: ReadTx, *, after: int = 0, most: int = 100) -> Page:
    """Keys in the order in which they were made."""
    columns = [api_key.c[name] for name in ("id", "prefix", "name", "role", "scopes", "made_at", "revoked_at")]
    rows = (
        select(*columns, source.c.code.label("source"), contractor.c.code.label("contractor"))
        .outerjoin(source, source.c.id == api_key.c.source_id)
        .outerjoin(contractor, contractor.c.id == api_key.c.contractor_id)
        .where(api_key.c.id > after)
        .order_by(api_key.c.id)
    )
    return _page(tx, rows, most)


def staff_names(tx: ReadTx) -> dict[str, str]:
    """What the people who work here are called, by what stands for them in the record: "person:7"."""
    rows = select(person.c.id, person.c.name).where(person.c.role.in_(STAFF))
    return {f"person:{row.id}": row.name for row in tx.execute(rows)}


def names(tx: ReadTx, ids: Sequence[int]) -> dict[int, str]:
    """What people are called, by their ids."""
    rows = tx.execute(select(person.c.id, person.c.name).where(person.c.id == func.any(list(ids))))
    return {row.id: row.name for row in rows}


def _page(tx: ReadTx, rows: Select[tuple[object, ...]], most: int) -> Page:
    found = [row._mapping for row in tx.execute(rows.limit(most + 1))]
    page = found[:most]
    return Page(page, page[-1]["id"] if len(found) > most else None)
