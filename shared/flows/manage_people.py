"""Changes people who may sign in: name and role, a new password, back in again. One administrator always remains."""

from datetime import datetime

from shared.domain.events import AccessChanged
from shared.domain.terms import PersonId, Role
from shared.errors import Conflict, Invalid, NotAllowed
from shared.flows import manage_access
from shared.store import access, event_log
from shared.store.engine import WriteTx


def change(tx: WriteTx, email: str, name: str, role: Role, now: datetime, *, contractor: str | None = None) -> PersonId:
    """Give a person another name or role; both hold from the next request on, in sessions that are open too.

    Raises:
        Invalid: the role has no sign-in, or a contractor's person names no contractor.
        NotFound: nobody has this address, or no such contractor.
        LastAdmin: nobody would be left who may do this.
    """
    manage_access.refuse_odd_person(email, role, None, contractor)
    company = manage_access.contractor_of(tx, contractor)
    person_id = manage_access.person_of(tx, email)
    if role is not Role.ADMIN:
        manage_access.keep_an_admin(tx, person_id)
    access.change_person(tx, person_id, name=name, role=role.value, contractor_id=company)
    _record(tx, person_id, f"changed to {role}", now)
    return person_id


def enable(tx: WriteTx, email: str, now: datetime) -> None:
    """Let a person in again who was disabled; the password is the one that it was.

    Raises:
        NotFound: nobody has this address.
    """
    person_id = manage_access.person_of(tx, email)
    access.change_person(tx, person_id, disabled_at=None)
    _record(tx, person_id, "enabled", now)


def set_password(tx: WriteTx, email: str, password: str, now: datetime) -> int:
    """Give a person a new password, to be told to them; every session ends. Returns how many there were.

    Raises:
        Invalid: the password is short.
        NotFound: nobody has this address.
    """
    _refuse_short(password, "password")
    person_id = manage_access.person_of(tx, email)
    access.set_password_hash(tx, person_id, manage_access.hashed(password))
    ended = access.end_sessions(tx, person_id, now)
    _record(tx, person_id, "password set by an administrator", now)
    return ended


def change_own_password(
    tx: WriteTx, person_id: PersonId | None, old: str, new: str, now: datetime, *, session: str | None
) -> int:
    """Change one's own password; other sessions than this one end. Returns how many there were.

    Raises:
        NotAllowed: a key has no password.
        Conflict: the person signs in by another way.
        Invalid: the old one is wrong, or the new one is short.
    """
    if person_id is None:
        raise NotAllowed("A key has no password: sign in as the person whose password it is.")
    stored = access.password_hash(tx, person_id)
    if stored is None:
        raise Conflict("You have no password here: you sign in by another way.")
    _refuse_short(new, "new")
    if not manage_access.is_password(stored, old):
        raise Invalid("This is not your password now. Check it and try again.", {"old": "is not your password now"})
    access.set_password_hash(tx, person_id, manage_access.hashed(new))
    ended = access.end_sessions(tx, person_id, now, but=session)
    _record(tx, person_id, "password changed", now)
    return ended


def _refuse_short(password: str, field: str) -> None:
    least = manage_access.PASSWORD_MIN
    if len(password) < least:
        raise Invalid(f"A password has {least} characters or more.", {field: f"must have {least} characters or more"})


def _record(tx: WriteTx, person_id: PersonId, what: str, now: datetime) -> None:
    event_log.append(tx, AccessChanged(person_id=person_id, what=what), now)
