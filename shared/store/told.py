"""Hands many rows to one statement: as JSON when they are few, by COPY into a temporary table when they are many."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from psycopg import sql

from shared.store.engine import WriteTx

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
    _copy(tx, columns, rows)
    return Told("pg_temp.told AS told")


def _copy(tx: WriteTx, columns: Mapping[str, str], rows: Iterable[Sequence[Any]]) -> None:
    names = [sql.Identifier(name) for name in columns]
    typed = [sql.SQL("{} {}").format(name, sql.SQL(kind)) for name, kind in zip(names, columns.values(), strict=True)]
    with tx.raw().cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.told")
        cursor.execute(sql.SQL("CREATE TEMPORARY TABLE told ({}) ON COMMIT DROP").format(sql.SQL(", ").join(typed)))
        with cursor.copy(sql.SQL("COPY told ({}) FROM STDIN").format(sql.SQL(", ").join(names))) as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute("ANALYZE told")
