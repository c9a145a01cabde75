"""What a reference names that somebody read off a letter or a telephone: with its first letter or without."""

from sqlalchemy import select, union_all

from shared.store import references
from shared.store.engine import ReadTx
from shared.store.tables import defect, report

_BODY = 8


def find(tx: ReadTx, typed: str) -> str | None:
    """The report or the defect of this reference; None when there is none. Case, spaces and dashes do not matter."""
    letters = "".join(letter for letter in typed.upper() if letter.isalnum())
    as_typed = [references.read(letters)] if len(letters) == _BODY + 1 else []
    bare = [references.read(f"{prefix}{letters}") for prefix in ("R", "D")] if len(letters) == _BODY else []
    wanted = [*as_typed, *bare]
    columns = [select(table.c.reference).where(table.c.reference.in_(wanted)) for table in (report, defect)]
    found = set(tx.scalars(union_all(*columns)))
    return next((one for one in wanted if one in found), None)
