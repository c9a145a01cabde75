"""Rows on their way in: a temporary table filled by COPY, from which one statement places them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from psycopg import sql

from shared.store.engine import WriteTx


def stage(tx: WriteTx, name: str, columns: Mapping[str, str], rows: Iterable[Sequence[Any]]) -> None:
    """Fill the temporary table `name`, made anew and gone with the transaction. `columns` are names and types."""
    made = sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(n), sql.SQL(t)) for n, t in columns.items())
    table = sql.Identifier(name)
    with tx.raw().cursor() as cursor:
        cursor.execute(sql.SQL("DROP TABLE IF EXISTS pg_temp.{}").format(table))
        cursor.execute(sql.SQL("CREATE TEMPORARY TABLE {} ({}) ON COMMIT DROP").format(table, made))
        with cursor.copy(sql.SQL("COPY {} FROM STDIN").format(table)) as copy:
            for row in rows:
                copy.write_row(row)
