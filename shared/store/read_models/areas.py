"""Areas by their codes, as people call them."""

from collections.abc import Sequence

from sqlalchemy import func, select

from shared.store.engine import ReadTx
from shared.store.tables import area


def names(tx: ReadTx, codes: Sequence[str]) -> dict[str, str]:
    """The name of each code that is loaded."""
    rows = select(area.c.code, area.c.name).where(area.c.code == func.any(list(codes)))
    return {row.code: row.name for row in tx.execute(rows)}
