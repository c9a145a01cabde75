"""Hands many rows to one statement: as JSON when they are few, by COPY into a temporary table when they are many."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import text

from shared.store.engine import WriteTx
from shared.store.staging import stage

MANY = 2_000
"""From so many rows on COPY is quicker than JSON; below it a temporary table costs more than it saves."""


@dataclass(frozen=True, slots=True)
class Told:
    """`relation` stands in a FROM clause and is named "told"; bind `params` with the statement."""

    relation: str
    params: dict[str, Any] = field(default_factory=dict)


def tell(tx: WriteTx, columns: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> Told:
    """Rows for one statement of this transaction; `columns` maps names to PostgreSQL types, in the order of the fields.

    The statement must run before the next `tell` of this transaction.
    """
    if len(rows) < MANY:
        listed = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
        stated = [dict(zip(columns, row, strict=True)) for row in rows]
        params = {"told": orjson.dumps(stated).decode()}
        return Told(f"jsonb_to_recordset(CAST(:told AS jsonb)) AS told({listed})", params)
    stage(tx, "told", columns, rows)
    tx.execute(text("ANALYZE pg_temp.told"))
    return Told("pg_temp.told AS told")
