"""Where the commit is: one engine a process, and `transaction()`; `LoopLine` for the event loop."""

import os
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import psycopg
from psycopg.errors import DeadlockDetected, LockNotAvailable, SerializationFailure
from psycopg.rows import namedtuple_row
from sqlalchemy import (
    Connection,
    CursorResult,
    Engine,
    Executable,
    ScalarResult,
    Select,
    TextClause,
    create_engine,
    make_url,
    text,
)
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import InterfaceError, OperationalError

from shared.logs import correlation
from shared.settings import settings

Params = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None

LOST = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
"""The database went away or could not be reached, or `collided`: try again later, nothing was done."""

_COLLISIONS = (DeadlockDetected, SerializationFailure, LockNotAvailable)


def collided(error: BaseException) -> bool:
    """Whether the database is there, and gave this transaction up because others were at the same rows."""
    return isinstance(getattr(error, "orig", error), _COLLISIONS)


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ask:
    """One statement that returns rows, with its values. The statement is made once, at import: it is kept compiled."""

    statement: TextClause | Select[Any]
    params: Mapping[str, Any]


Steps = Generator[Ask, Sequence[Any], T]
"""Work that asks the database and goes on with the rows. Whoever runs it chooses how to wait: `ReadTx.run` holds its
thread, `LoopLine.run` lets the event loop go on."""


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

    def run(self, steps: Steps[T]) -> T:
        """Go through the steps, one statement after the other."""
        try:
            asked = next(steps)
            while True:
                asked = steps.send(self.execute(asked.statement, asked.params).all())
        except StopIteration as end:
            done: T = end.value
            return done


class Acting:
    """Who acts in a transaction, what ties its events together, and whom they woke."""

    def __init__(self, actor: str) -> None:
        self.actor = actor
        self.correlation = correlation()
        self.woken: set[str] = set()


class WriteTx(ReadTx, Acting):
    """A transaction that writes."""

    def __init__(self, connection: Connection, actor: str) -> None:
        ReadTx.__init__(self, connection)
        Acting.__init__(self, actor)

    @contextmanager
    def part(self, actor: str) -> Iterator["WriteTx"]:
        """A part of this transaction in another's name. When it raises, what it wrote is gone, and the rest stays."""
        with self.connection.begin_nested():
            acting = WriteTx(self.connection, actor)
            yield acting
        self.woken |= acting.woken


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


class UnkeptTx(WriteTx):
    """A transaction that writes and is never kept: what would follow is done, looked at, and gone."""


_PATIENCE = text("SELECT set_config('lock_timeout', '3s', true)")


@contextmanager
def foreseeing(actor: str) -> Iterator[UnkeptTx]:
    """One transaction that always rolls back, whatever is done in it. It waits three seconds for a lock at most.

    Raises:
        OperationalError: the database went away (`LOST`), or others held a lock for longer (`collided`).
    """
    with engine().connect() as connection:
        connection.execute(_PATIENCE)
        try:
            yield UnkeptTx(connection, actor)
        finally:
            connection.rollback()


class LoopLine:
    """A connection for one task of the event loop: for much small work without what a thread costs each piece.

    Each statement is a transaction of its own, so steps may write in one of theirs. Made when first wanted and again
    after it was lost.
    """

    def __init__(self) -> None:
        self._cursor: psycopg.AsyncCursor[Any] | None = None

    async def run(self, steps: Steps[T]) -> T:
        """Go through the steps, one statement after the other. Not twice at a time.

        Raises:
            OperationalError: the database went away (`LOST`).
        """
        cursor = await self._connected()
        try:
            asked = next(steps)
            while True:
                await cursor.execute(_as_driver_writes(asked.statement), asked.params, prepare=True)
                asked = steps.send(await cursor.fetchall())
        except StopIteration as end:
            done: T = end.value
            return done

    async def close(self) -> None:
        if self._cursor is not None:
            await self._cursor.connection.close()

    async def _connected(self) -> psycopg.AsyncCursor[Any]:
        if self._cursor is None or self._cursor.connection.closed:
            connection = await psycopg.AsyncConnection.connect(
                conninfo(), autocommit=True, connect_timeout=5, options=_OPTIONS
            )
            self._cursor = connection.cursor(row_factory=namedtuple_row)
        return self._cursor


_PSYCOPG = PGDialect_psycopg()  # type: ignore[no-untyped-call]


@lru_cache(maxsize=64)
def _as_driver_writes(statement: TextClause | Select[Any]) -> str:
    """A statement as psycopg takes it."""
    return str(statement.compile(dialect=_PSYCOPG))


def conninfo() -> str:
    """The database's address as psycopg takes it."""
    return make_url(settings().database_url).set(drivername="postgresql").render_as_string(hide_password=False)


@contextmanager
def reading() -> Iterator[ReadTx]:
    """One consistent view to read from."""
    with engine().connect() as connection:
        connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with connection.begin():
            yield ReadTx(connection)


def warm(connections: int) -> None:
    """Open so many of this process's connections, each with the grid's transformation loaded: 45 ms for its first.

    Raises:
        OperationalError: the database does not answer.
    """
    with ExitStack() as held:
        for _ in range(connections):
            held.enter_context(engine().connect()).execute(_FIRST_TRANSFORMATION, {"grid": settings().grid_epsg})


_FIRST_TRANSFORMATION = text("SELECT ST_Transform(ST_SetSRID(ST_MakePoint(0, 52), 4326), CAST(:grid AS integer))")
