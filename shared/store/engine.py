"""Where the commit is: one engine a process, and `transaction()`, the only place that commits."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import psycopg
from sqlalchemy import Connection, CursorResult, Engine, Executable, ScalarResult, create_engine, text
from sqlalchemy.exc import InterfaceError, OperationalError

from shared.logs import correlation
from shared.settings import settings

Params = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None

LOST = (OperationalError, InterfaceError, psycopg.OperationalError)
"""The database went away or could not be reached: try again later, nothing was done."""


_FOR_VALUES = text(
    "SELECT set_config('plan_cache_mode', 'force_custom_plan', true),"
    " set_config('max_parallel_workers_per_gather', '0', true)"
)


class ReadTx:
    """A transaction that only reads; PostgreSQL itself refuses a write in it."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def execute(self, statement: Executable, params: Params = None) -> CursorResult[Any]:
        return self.connection.execute(statement, params)

    def scalars(self, statement: Executable, params: Params = None) -> ScalarResult[Any]:
        return self.connection.scalars(statement, params)

    def scalar(self, statement: Executable, params: Mapping[str, Any] | None = None) -> Any:
        return self.connection.scalar(statement, params)

    def plan_for_values(self) -> None:
        """Let PostgreSQL plan each statement from here to the transaction's end for the very values that it carries.

        For lists with filters: their statements come often enough to be prepared, and a plan for any value does not
        know a partial index, nor that a street is one of thousands. Nor do they call up parallel workers, which take
        longer to come than most of these answers, and other requests' processors.
        """
        self.connection.execute(_FOR_VALUES)

    def raw(self) -> psycopg.Connection[Any]:
        """psycopg's own connection, for COPY and server-side cursors; still inside this transaction."""
        driver = self.connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)  # noqa: S101 (narrows a type)
        return driver


class WriteTx(ReadTx):
    """A transaction that writes: who acts in it, what ties its events together, and whom they woke."""

    def __init__(self, connection: Connection, actor: str) -> None:
        super().__init__(connection)
        self.actor = actor
        self.correlation = correlation()
        self.woken: set[str] = set()


_OPTIONS = "-c timezone=UTC -c jit=off -c temp_buffers=64MB -c idle_in_transaction_session_timeout=60000"
"""Compiling statements costs more than it saves: 20,000 detections were placed in 2.6 s with it, in 1.1 s without.
Batches are staged in temporary tables: 100,000 positions were placed in 10 s with the usual 8 MB, in 5 s so."""


@lru_cache
def _engine(_process: int) -> Engine:
    return create_engine(
        settings().database_url,
        pool_size=settings().database_pool,
        max_overflow=0,
        pool_timeout=10,
        pool_pre_ping=False,
        pool_use_lifo=True,
        # A failed statement is logged without its values: they may be a person's.
        hide_parameters=True,
        connect_args={"connect_timeout": 5, "options": _OPTIONS},
    )


def engine() -> Engine:
    """This process's engine: made on first use, so that a forked worker never shares its parent's connections."""
    return _engine(os.getpid())


@contextmanager
def transaction(actor: str) -> Iterator[WriteTx]:
    """One transaction: commits when the block ends, rolls back when it raises. Nothing else in Roadmend commits.

    `actor` stands in every event of it: "public", "person:7", "key:3", "worker:triage", "command:load".
    After the block, hand `tx.woken` to `bus.nudge`.

    Raises:
        OperationalError: the database went away (`LOST`); nothing of the block was kept, unless it went away in the
            commit itself, when whoever asks again must do so with the same key.
    """
    with engine().connect() as connection, connection.begin():
        yield WriteTx(connection, actor)


@contextmanager
def reading() -> Iterator[ReadTx]:
    """One consistent view to read from."""
    with engine().connect() as connection:
        connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with connection.begin():
            yield ReadTx(connection)


def ping() -> None:
    """Ask the database for an answer.

    Raises:
        OperationalError: it does not answer.
    """
    with reading() as tx:
        tx.execute(text("SELECT 1"))
