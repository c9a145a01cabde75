"""Lets people and machines in, and out again: sign-in, sessions, API keys."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from shared.domain.access import ANYBODY, Asker
from shared.domain.events import AccessChanged, KeyChanged
from shared.domain.terms import PersonId, Role
from shared.errors import Conflict, Invalid, NotFound, SignInNeeded
from shared.store import access, event_log
from shared.store.engine import ReadTx, WriteTx
from shared.store.references import secret as fresh_secret

SESSION_TERM = timedelta(hours=12)
"""A shift. A session is not drawn out by use."""
PASSWORD_MIN = 12

_hasher = PasswordHasher()


class LastAdmin(Conflict):
    """It would lock everybody out."""

    code = "last-admin"
    title = "The last administrator"


class Kind(StrEnum):
    """What kind of secret a request shows."""

    KEY = "key"
    SESSION = "session"
    TRACKING = "tracking"


def who(tx: ReadTx, kind: Kind, secret: str, now: datetime) -> Asker:
    """Whose secret this is. A session that has ended makes one of the public, as its cookie may linger.

    Raises:
        SignInNeeded: the key or the tracking secret is unknown or revoked.
    """
    match kind:
        case Kind.SESSION:
            return access.by_session(tx, secret, now) or ANYBODY
        case Kind.KEY:
            found = access.by_key(tx, secret)
        case Kind.TRACKING:
            found = access.by_tracking_secret(tx, secret)
    if found is None:
        raise SignInNeeded("This key or secret is not known, or was revoked.")
    return found


# --- people ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that has begun. `secret` goes into the cookie and nowhere else."""

    secret: str
    person_id: PersonId
    name: str
    role: Role
    ends_at: datetime


def sign_in(tx: WriteTx, email: str, password: str, now: datetime) -> SignedIn:
    """Begin a session for whoever knows the password. An unknown address takes as long as a wrong password.

    Raises:
        SignInNeeded: the two do not go together; which of them is wrong is not said.
    """
    person = access.person_by_email(tx, email)
    stored = person["password_hash"] if person and person["password_hash"] else _decoy()
    if not is_password(stored, password) or person is None or person["password_hash"] is None:
        raise SignInNeeded("E-mail address and password do not go together.")
    if _hasher.check_needs_rehash(stored):
        access.set_password_hash(tx, person["id"], _hasher.hash(password))
    return sign_in_as(tx, PersonId(person["id"]), person["name"], Role(person["role"]), now)


def sign_in_as(tx: WriteTx, person_id: PersonId, name: str, role: Role, now: datetime) -> SignedIn:
    """Begin a session for a person whose identity is settled: the seam for OpenID Connect.

    A call-back that has checked an ID token finds or adds the person, and ends here as the password does. The secret
    is new each time, so that no session that existed before the sign-in becomes the person's.
    """
    began = SignedIn(fresh_secret(), person_id, name, role, now + SESSION_TERM)
    access.start_session(tx, person_id, began.secret, now, began.ends_at)
    _record(tx, person_id, "signed in", now)
    return began


def sign_out(tx: WriteTx, asker: Asker, secret: str, now: datetime) -> None:
    """End this session for good, whoever still holds its cookie."""
    access.end_session(tx, secret, now)
    if asker.person_id is not None:
        _record(tx, asker.person_id, "signed out", now)


def is_password(stored: str, password: str) -> bool:
    """Whether this is the password of a stored hash. Takes as long either way."""
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


def hashed(password: str) -> str:
    """What is stored of a password (argon2id)."""
    return _hasher.hash(password)


@lru_cache
def _decoy() -> str:
    """A hash that no password matches, so that an unknown address costs what a known one does."""
    return _hasher.hash(secrets.token_urlsafe(24))


def add_person(
    tx: WriteTx,
    email: str,
    name: str,
    role: Role,
    now: datetime,
    *,
    password: str | None = None,
    contractor: str | None = None,
) -> PersonId:
    """Add a person who may sign in; without a password only by another way (OpenID Connect).

    Raises:
        Invalid: the role has no sign-in, the password is short, or a contractor's person names no contractor.
        NotFound: no such contractor.
        Conflict: the e-mail address is taken.
    """
    refuse_odd_person(email, role, password, contractor)
    company = contractor_of(tx, contractor)
    if access.person_id(tx, email) is not None:
        raise Conflict("This e-mail address is taken.", {"email": "is taken"})
    kept = None if password is None else hashed(password)
    person_id = access.add_person(tx, email, name, role, company, kept, now)
    _record(tx, person_id, f"added as {role}", now)
    return person_id


def refuse_odd_person(email: str, role: Role, password: str | None, contractor: str | None) -> None:
    """Refuse what no account can be.

    Raises:
        Invalid: `errors` names each field.
    """
    wrong: dict[str, str] = {}
    if role not in (Role.CONTRACTOR, Role.OPERATOR, Role.SUPERVISOR, Role.ADMIN):
        wrong["role"] = "must be contractor, operator, supervisor or admin"
    if (role is Role.CONTRACTOR) != (contractor is not None):
        wrong["contractor"] = "goes with the role contractor, and only with it"
    if "@" not in email.strip("@"):
        wrong["email"] = "must be an e-mail address"
    if password is not None and len(password) < PASSWORD_MIN:
        wrong["password"] = f"must have {PASSWORD_MIN} characters or more"
    if wrong:
        raise Invalid("An account cannot be like this: " + "; ".join(f"{k} {v}" for k, v in wrong.items()) + ".", wrong)


def disable_person(tx: WriteTx, email: str, now: datetime) -> None:
    """Let a person in no more; every session ends now.

    Raises:
        NotFound: nobody has this address.
        LastAdmin: nobody would be left who may do this.
    """
    person_id = person_of(tx, email)
    keep_an_admin(tx, person_id)
    access.disable_person(tx, person_id, now)
    access.end_sessions(tx, person_id, now)
    _record(tx, person_id, "disabled", now)


def end_sessions(tx: WriteTx, email: str, now: datetime) -> int:
    """End every session of a person. Returns how many there were.

    Raises:
        NotFound: nobody has this address.
    """
    person_id = person_of(tx, email)
    ended = access.end_sessions(tx, person_id, now)
    _record(tx, person_id, f"{ended} sessions ended", now)
    return ended


def keep_an_admin(tx: WriteTx, leaving: PersonId) -> None:
    """Refuse to lose the last administrator who can sign in. Locks them all, so that two never leave at once.

    Raises:
        LastAdmin: there is no other.
    """
    admins = access.lock_admins(tx)
    if leaving in admins and len(admins) == 1:
        raise LastAdmin("This is the last administrator who can sign in. Make another person one first.")


def person_of(tx: ReadTx, email: str) -> PersonId:
    """Who has this address, disabled or not.

    Raises:
        NotFound: nobody.
    """
    found = access.person_id(tx, email)
    if found is None:
        raise NotFound("Nobody has this e-mail address.")
    return found


# --- keys ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A new key. `told` is shown once; only its hash is kept."""

    id: int
    prefix: str
    told: str


def make_key(
    tx: WriteTx,
    name: str,
    role: Role,
    scopes: Sequence[str],
    now: datetime,
    *,
    source: str | None = None,
    contractor: str | None = None,
) -> MadeKey:
    """Make an API key: rmk_<prefix>_<secret>.

    Raises:
        Invalid: a vendor's key names no source, or a contractor's no contractor; or the role has no keys.
        NotFound: no such contractor.
    """
    _refuse_odd_key(role, scopes, source, contractor)
    prefix = secrets.token_hex(4)
    told = f"{access.KEY_MARK}{prefix}_{fresh_secret()}"
    values = {
        "name": name,
        "role": role.value,
        "scopes": sorted(set(scopes)),
        "source_id": None if source is None else access.source_id(tx, source, name),
        "contractor_id": contractor_of(tx, contractor),
    }
    made = MadeKey(access.add_key(tx, told, prefix, values, now), prefix, told)
    event_log.append(tx, KeyChanged(key_id=made.id, prefix=prefix, what=f"made for {role}"), now)
    return made


def _refuse_odd_key(role: Role, scopes: Sequence[str], source: str | None, contractor: str | None) -> None:
    wrong: dict[str, str] = {}
    if role in (Role.PUBLIC, Role.REPORTER):
        wrong["role"] = "has no keys"
    if (role is Role.VENDOR) != (source is not None):
        wrong["source"] = "goes with the role vendor, and only with it"
    if (role is Role.CONTRACTOR) != (contractor is not None):
        wrong["contractor"] = "goes with the role contractor, and only with it"
    if not scopes:
        wrong["scopes"] = "must name at least one scope, or * for all that the role may do"
    if wrong:
        raise Invalid("This key cannot be made: " + "; ".join(f"{k} {v}" for k, v in wrong.items()) + ".", wrong)


def revoke_key(tx: WriteTx, prefix: str, now: datetime) -> None:
    """Refuse a key from the next request on.

    Raises:
        NotFound: no live key has this prefix.
    """
    key_id = access.revoke_key(tx, prefix, now)
    if key_id is None:
        raise NotFound("No live key has this prefix.")
    event_log.append(tx, KeyChanged(key_id=key_id, prefix=prefix, what="revoked"), now)


def contractor_of(tx: ReadTx, code: str | None) -> int | None:
    """The contractor of a code; None for None.

    Raises:
        NotFound: no policy has named it.
    """
    if code is None:
        return None
    found = access.contractor_id(tx, code)
    if found is None:
        raise NotFound(
            f"There is no contractor {code}; the policy in force names them.", {"contractor": "is not known"}
        )
    return found


def _record(tx: WriteTx, person_id: PersonId, what: str, now: datetime) -> None:
    event_log.append(tx, AccessChanged(person_id=person_id, what=what), now)
