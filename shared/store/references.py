"""Short public references that say nothing of order or number: R-7K3M-9QXF for a report, D-… for a defect."""

import hashlib
import re
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


# --- as they are searched for ----------------------------------------------------------------------------------------

_TYPED = re.compile(r"[A-Za-z0-9 -]+")
_MARKED = re.compile(r"[\d-]")
"""A word without a digit or a dash is no part of a reference: "road" is not R-0AD. A whole one may have neither."""


def beginnings(written: str, kind: str) -> list[str]:
    """What references of a kind (R, D, W) would begin with, if this is one, typed whole or in part.

    "r7k3m9q" is R-7K3M-9Q…; "7k3m" is R-7K3M… or D-7K3M…; "d7k3" is D-7K3… or R-D7K3….
    """
    letters, marked = _letters(written), bool(_MARKED.search(written))
    bodies = [letters] if len(letters) in (range(4, 9) if marked else (8,)) else []
    if letters[:1] == kind and len(letters) in (range(4, 10) if marked else (9,)):
        bodies.insert(0, letters[1:])
    split = [(body[:4], body[4:]) for body in (one.translate(_READ_AS) for one in bodies)]
    return [f"{kind}-{first}-{second}" if second else f"{kind}-{first}" for first, second in split]


def halves(written: str) -> list[str]:
    """The second half of a reference, if this could be one: what people read out first."""
    letters = _letters(written)
    return [letters.translate(_READ_AS)] if len(letters) == 4 and _MARKED.search(written) else []


def _letters(written: str) -> str:
    """The letters and digits of what may be a reference; nothing where something else is in it."""
    return "".join(re.findall("[A-Z0-9]", written.upper())) if _TYPED.fullmatch(written) else ""
