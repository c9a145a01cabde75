"""The bench's own connections, and tables that are filled with millions of rows in little time."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from os import cpu_count
from queue import SimpleQueue

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from sqlalchemy import URL

from tests import databases

Db = psycopg.Connection[tuple[object, ...]]


def connect(url: URL) -> Db:
    """Each statement commits."""
    return _open(databases.as_driver(url))


def _open(address: str) -> Db:
    return psycopg.connect(
        address,
        autocommit=True,
        options="-c timezone=UTC -c jit=off",
        cursor_factory=psycopg.ClientCursor,
    )


@contextmanager
def unhampered(db: Db, *tables: str) -> Iterator[None]:
    """Tables are emptied and filled without their foreign keys and plain indexes, which are made anew at the end; what
    begins empty in a transaction needs no log of it either."""
    with unhampered_still(db, *tables):
        db.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.SQL(", ").join(map(sql.Identifier, tables))))
        yield


@contextmanager
def unhampered_still(db: Db, *tables: str) -> Iterator[None]:
    """The same for tables that keep what is in them. One transaction, and then one for each index."""
    with db.transaction():
        db.execute("SET LOCAL session_replication_role = replica")
        indexes = db.execute(_INDEXES, {"tables": list(tables)}).fetchall()
        for name, _ in indexes:
            db.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(str(name))))
        yield
    _make(db, [str(definition) for _, definition in indexes])


def _make(db: Db, definitions: Sequence[str]) -> None:
    """Indexes, by as many connections as there are processors, the slowest kind first: one of places in ten million
    defects takes a minute, and PostgreSQL makes it by one process."""
    with ExitStack() as open_ones, ThreadPoolExecutor(cpu_count() or 1) as makers:
        idle: SimpleQueue[Db] = SimpleQueue()
        address = make_conninfo(db.info.dsn, password=db.info.password)
        for _ in range(cpu_count() or 1):
            idle.put(maker := open_ones.enter_context(_open(address)))
            maker.execute("SET maintenance_work_mem = '512MB'")
            maker.execute("SET max_parallel_maintenance_workers = 0")

        def make(definition: str) -> None:
            maker = idle.get()
            try:
                maker.execute(definition)  # type: ignore[call-overload]
            finally:
                idle.put(maker)

        list(makers.map(make, sorted(definitions, key=lambda one: "USING gist" not in one)))


_INDEXES = """
    SELECT index.relname, pg_get_indexdef(index.oid)
    FROM pg_index JOIN pg_class AS index ON index.oid = indexrelid
    WHERE indrelid = ANY(CAST(%(tables)s AS regclass[])) AND NOT EXISTS (
        SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""
