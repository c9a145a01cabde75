"""A reporter looked up by an e-mail address: only a whole one is, and the record keeps a mark of it, never itself."""

import hmac
import re

LONGEST = 254
_WHOLE = re.compile(r"[^@\s,;:<>\"()]{1,64}@(?:[^@\s.,;:<>\"()]+\.)+[^@\s.,;:<>\"()]{2,63}")


def whole_address(typed: str) -> str | None:
    """The address in lower case, as addresses are compared; None: it is none, or only a part of one."""
    written = typed.strip().lower()
    return written if len(written) <= LONGEST and _WHOLE.fullmatch(written) else None


def mark(address: str, secret: str) -> str:
    """64 hex digits by which two look-ups of one address are known to be of one, and by which nobody without the
    secret can tell whose it is, nor try addresses out."""
    return hmac.new(secret.encode(), f"looked up: {address}".encode(), "sha256").hexdigest()
