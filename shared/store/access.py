"""Who is known: people, their sessions, and API keys. Of every secret only its hash is stored."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, insert, select, update

from shared.domain.access import ALL_SCOPES, Asker
from shared.domain.terms import PersonId, Role
from shared.store.engine import ReadTx, WriteTx
from shared.store.references import digest
from shared.store.tables import api_key, contractor, person, report, session, source

KEY_MARK = "rmk_"
"""Every API key begins with it, so that a leaked one is found by a search."""


# --- who asks --------------------------------------------------------------------------------------------------------


def by_key(tx: ReadTx, told: str) -> Asker | None:
    """Whose live key this is; None when it is unknown or revoked."""
    found = tx.execute(
        select(api_key).where(api_key.c.secret_hash == digest(told), api_key.c.revoked_at.is_(None))
    ).one_or_none()
    if found is None:
        return None
    return Asker(
        role=Role(found.role),
        actor=f"key:{found.id}",
        name=found.name,
        contractor_id=found.contractor_id,
        source_id=found.source_id,
        scopes=frozenset(found.scopes),
    )


def by_session(tx: ReadTx, secret: str, now: datetime) -> Asker | None:
    """Whose live session this is; None when it has ended, was revoked, or the person was disabled."""
    found = tx.execute(
        select(person.c.id, person.c.role, person.c.name, person.c.contractor_id)
        .join(session, session.c.person_id == person.c.id)
        .where(
            session.c.id == digest(secret),
            session.c.revoked_at.is_(None),
            session.c.ends_at > now,
            person.c.disabled_at.is_(None),
        )
    ).one_or_none()
    if found is None:
        return None
    return Asker(
        role=Role(found.role),
        actor=f"person:{found.id}",
        name=found.name,
        person_id=found.id,
        contractor_id=found.contractor_id,
        scopes=ALL_SCOPES,
    )


def by_tracking_secret(tx: ReadTx, secret: str) -> Asker | None:
    """The reporter of one report, known by the secret of the tracking link."""
    report_id = tx.scalar(select(report.c.id).where(report.c.tracking_hash == digest(secret)))
    if report_id is None:
        return None
    return Asker(
        role=Role.REPORTER, actor=f"reporter:{report_id}", name="reporter", report_id=report_id, scopes=ALL_SCOPES
    )


# --- people and sessions ---------------------------------------------------------------------------------------------


def person_by_email(tx: ReadTx, email: str) -> RowMapping | None:
    """A person who is not disabled, with the password's hash."""
    found = tx.execute(
        select(person).where(person.c.email == email.strip().lower(), person.c.disabled_at.is_(None))
    ).one_or_none()
    return None if found is None else found._mapping


def add_person(
    tx: WriteTx, email: str, name: str, role: Role, contractor_id: int | None, password_hash: str | None, now: datetime
) -> PersonId:
    """Store a person. The e-mail address is unique; who adds it twice gets an IntegrityError."""
    return PersonId(
        tx.execute(
            insert(person)
            .values(
                email=email.strip().lower(),
                name=name,
                role=role.value,
                contractor_id=contractor_id,
                password_hash=password_hash,
                made_at=now,
            )
            .returning(person.c.id)
        ).scalar_one()
    )


def person_id(tx: ReadTx, email: str) -> PersonId | None:
    """A person's id, disabled or not."""
    found: PersonId | None = tx.scalar(select(person.c.id).where(person.c.email == email.strip().lower()))
    return found


def set_password_hash(tx: WriteTx, person_id: int, password_hash: str) -> None:
    """From now on this password is theirs (an argon2 hash)."""
    tx.execute(update(person).where(person.c.id == person_id).values(password_hash=password_hash))


def password_hash(tx: ReadTx, person_id: int) -> str | None:
    """None: the person signs in by another way."""
    found: str | None = tx.scalar(select(person.c.password_hash).where(person.c.id == person_id))
    return found


def change_person(tx: WriteTx, person_id: int, **values: Any) -> None:
    """Set columns of a person: name, role, contractor_id, disabled_at."""
    tx.execute(update(person).where(person.c.id == person_id).values(**values))


def lock_admins(tx: WriteTx) -> set[PersonId]:
    """The administrators who can sign in. Locks them in the order of their ids, to the end of the transaction."""
    admins = select(person.c.id).where(
        person.c.role == Role.ADMIN.value, person.c.disabled_at.is_(None), person.c.password_hash.is_not(None)
    )
    return set(tx.scalars(admins.order_by(person.c.id).with_for_update()))


def disable_person(tx: WriteTx, person_id: int, now: datetime) -> None:
    """They sign in no more; who was disabled earlier stays so from then."""
    tx.execute(update(person).where(person.c.id == person_id, person.c.disabled_at.is_(None)).values(disabled_at=now))


def start_session(tx: WriteTx, person_id: int, secret: str, now: datetime, ends_at: datetime) -> None:
    """Keep a session by the hash of its secret."""
    tx.execute(insert(session).values(id=digest(secret), person_id=person_id, made_at=now, ends_at=ends_at))


def end_session(tx: WriteTx, secret: str, now: datetime) -> None:
    """The session holds no longer; nothing where it held no more."""
    tx.execute(
        update(session).where(session.c.id == digest(secret), session.c.revoked_at.is_(None)).values(revoked_at=now)
    )


def end_sessions(tx: WriteTx, person_id: int, now: datetime, *, but: str | None = None) -> int:
    """End every session of a person, `but` the one of this secret. Returns how many were live."""
    live = update(session).where(
        session.c.person_id == person_id, session.c.revoked_at.is_(None), session.c.ends_at > now
    )
    if but is not None:
        live = live.where(session.c.id != digest(but))
    return tx.execute(live.values(revoked_at=now)).rowcount


def end_all_sessions(tx: WriteTx, now: datetime) -> int:
    """End every session of everybody. Returns how many were live."""
    live = update(session).where(session.c.revoked_at.is_(None), session.c.ends_at > now)
    return tx.execute(live.values(revoked_at=now)).rowcount


# --- keys ------------------------------------------------------------------------------------------------------------


def add_key(tx: WriteTx, told: str, prefix: str, values: Mapping[str, Any], now: datetime) -> int:
    """Store a key's hash. `values`: name, role, scopes, source_id, contractor_id."""
    return int(
        tx.execute(
            insert(api_key)
            .values(prefix=prefix, secret_hash=digest(told), made_at=now, **values)
            .returning(api_key.c.id)
        ).scalar_one()
    )


def revoke_key(tx: WriteTx, prefix: str, now: datetime) -> int | None:
    """Revoke a live key by its prefix. Returns its id, or None when no live key has it."""
    revoked = update(api_key).where(api_key.c.prefix == prefix, api_key.c.revoked_at.is_(None)).values(revoked_at=now)
    found: int | None = tx.scalar(revoked.returning(api_key.c.id))
    return found


def contractor_id(tx: ReadTx, code: str) -> int | None:
    """A contractor by the code that the policy knows it by; None: there is none."""
    found: int | None = tx.scalar(select(contractor.c.id).where(contractor.c.code == code))
    return found


def source_id(tx: WriteTx, code: str, name: str) -> int:
    """A vendor's source by its code; made when it is new."""
    found = tx.scalar(select(source.c.id).where(source.c.code == code))
    if found is None:
        found = tx.execute(insert(source).values(code=code, name=name).returning(source.c.id)).scalar_one()
    return int(found)
