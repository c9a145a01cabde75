"""What the queue can be filtered by that the database knows: contractors and districts, each by its code."""

from sqlalchemy import select

from shared.store.engine import ReadTx
from shared.store.tables import area, contractor, street


def contractors(tx: ReadTx) -> dict[str, str]:
    """Names by code, in the order of the names."""
    rows = tx.execute(select(contractor.c.code, contractor.c.name).order_by(contractor.c.name))
    return {row.code: row.name for row in rows}


def districts(tx: ReadTx) -> dict[str, str]:
    """Names by code, in the order of the names."""
    rows = select(area.c.code, area.c.name).where(area.c.kind == "district").order_by(area.c.name)
    return {row.code: row.name for row in tx.execute(rows)}


def street_name(tx: ReadTx, key: str) -> str | None:
    """What a street is called, by its key; None where it is not known, or has no name."""
    name: str | None = tx.scalar(select(street.c.name).where(street.c.street_key == key).limit(1))
    return name or None
