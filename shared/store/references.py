"""Short public references that say nothing of order or number: R-7K3M-9QXF for a report, D-… for a defect."""

import hashlib
import secrets

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O or U, so that a reference can be read out over the telephone."""
_PAIRS = [one + other for one in _ALPHABET for other in _ALPHABET]
_READ_AS = str.maketrans({"I": "1", "L": "1", "O": "0", "U": "V"})


def fresh(prefix: str) -> str:
    """A new reference: 40 random bits. A clash is left to the unique index."""
    bits = secrets.randbits(40)
    one, two, three, four = (_PAIRS[bits >> shift & 1023] for shift in (0, 10, 20, 30))
    return f"{prefix}-{one}{two}-{three}{four}"


def fresh_many(prefix: str, count: int) -> list[str]:
    """So many new references, all different."""
    made: set[str] = set()
    while len(made) < count:
        made.add(fresh(prefix))
    return list(made)


def read(written: str) -> str:
    """A reference as a person typed it, in the form that is stored: "r 7k3m 9qxf" is R-7K3M-9QXF."""
    letters = "".join(written.upper().replace("-", "").split())
    prefix, body = letters[:1], letters[1:].translate(_READ_AS)
    return f"{prefix}-{body[:4]}-{body[4:]}"


def secret() -> str:
    """A new secret for a link or a key: 192 random bits, safe in an address."""
    return secrets.token_urlsafe(24)


def digest(told: str) -> bytes:
    """What is stored of a secret: its SHA-256. The secrets are random, so that no salt is needed."""
    return hashlib.sha256(told.encode()).digest()
