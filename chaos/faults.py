"""What breaks servers and processes: each fault strikes, lasts, and is mended as an operator or a supervisor would."""

import contextlib
import os
import signal
from abc import ABC, abstractmethod
from random import Random
from typing import ClassVar

import psycopg
from redis import Redis

from chaos.site import OURS, WORKERS, Site
from tests.waiting import until

WORKERS_TABLES = ("sighting", "feed_line")
"""Tables that workers write in the middle of their transactions, and the API hardly ever."""
MOST_STARTS = 5
"""PostgreSQL may not start while a process of the killed one has not noticed yet; a supervisor tries again."""


class Fault(ABC):
    """One kind. `hits`: the process it takes away; `lasts`: seconds between its strike and its mending."""

    kind: str
    hits: ClassVar[str]
    lasts: ClassVar[tuple[float, float]] = (0.0, 0.0)

    def __init__(self, site: Site, random: Random) -> None:
        self.site, self.random = site, random

    @classmethod
    def part(cls) -> str:
        """What of the house it hits: two that strike at once hit different parts."""
        return cls.hits.rstrip("0123456789")

    @abstractmethod
    def strike(self) -> None:
        """Do it."""

    def mend(self) -> None:  # noqa: B027 (most kinds do)
        """Take the cause away; nothing, where it strikes and is over."""


class _Killed(Fault):
    """kill -9 of one process and its children, started again a little later."""

    lasts = (0.2, 3.0)

    def strike(self) -> None:
        self.site.stack.kill(self.hits)

    def mend(self) -> None:
        self.site.stack.start_again(self.hits)


class ApiKilled(_Killed):
    kind, hits = "API killed", "api"


class BeatKilled(_Killed):
    kind, hits = "beat killed", "beat"
    lasts = (0.5, 5.0)


class WorkerKilled(_Killed):
    kind, hits = "worker killed", "worker0"


class WorkersKilled(Fault):
    """Both at once: nobody works until they are back."""

    kind, hits = "all workers killed", "worker"
    lasts = (0.5, 4.0)

    def strike(self) -> None:
        for name in WORKERS:
            self.site.stack.kill(name)

    def mend(self) -> None:
        for name in WORKERS:
            self.site.stack.start_again(name)


class WorkerKilledInTransaction(Fault):
    """One that stands in the middle of its transaction, before a table that we hold. Nobody came: any."""

    kind, hits = "worker killed in mid-transaction", "worker"

    def __init__(self, site: Site, random: Random) -> None:
        super().__init__(site, random)
        self.victim = ""

    def strike(self) -> None:
        with self.site.house.held(self.random.choice(WORKERS_TABLES)), contextlib.suppress(AssertionError):
            self.victim = until(self._waiting, 8, "a worker to stand in the middle of its transaction")
            self.site.stack.kill(self.victim)
        if not self.victim:
            self.kind, self.victim = WorkerKilled.kind, WorkerKilled.hits
            self.site.stack.kill(self.victim)

    def _waiting(self) -> str:
        """A worker that waits for a lock with its transaction open; "" when none does."""
        statement = (
            "SELECT application_name FROM pg_stat_activity "
            "WHERE wait_event_type = 'Lock' AND application_name LIKE 'worker%%' AND backend_xid IS NOT NULL LIMIT 1"
        )
        return str(self.site.ask(statement) or "")

    def mend(self) -> None:
        self.site.stack.start_again(self.victim)


class RedisStopped(_Killed):
    """It keeps nothing, so it comes back empty."""

    kind, hits = "Redis stopped, back empty", "redis"
    lasts = (1.0, 8.0)


class RedisEmptied(Fault):
    kind, hits = "Redis emptied", "redis"

    def strike(self) -> None:
        with Redis.from_url(self.site.stack.variables["ROADMEND_REDIS_URL"], socket_timeout=5) as redis:
            redis.flushall()


class RedisFrozen(Fault):
    """It is there and does not answer, as behind a broken network."""

    kind, hits = "Redis frozen", "redis"
    lasts = (1.0, 6.0)

    def strike(self) -> None:
        self.site.stack.freeze("redis")

    def mend(self) -> None:
        self.site.stack.thaw("redis")


class PostgresKilled(Fault):
    kind, hits = "PostgreSQL killed", "postgres"
    lasts = (0.2, 4.0)

    def strike(self) -> None:
        self.site.stack.kill("postgres")

    def mend(self) -> None:
        for left in range(MOST_STARTS, 0, -1):
            try:
                return self.site.stack.start_again("postgres")
            except AssertionError:
                if left == 1:
                    raise
        return None


class PostgresStoppedAtOnce(PostgresKilled):
    """Its "immediate" stop: no checkpoint, it recovers when it starts."""

    kind = "PostgreSQL stopped at once"

    def strike(self) -> None:
        child = self.site.stack.children["postgres"]
        os.kill(child.pid, signal.SIGQUIT)
        until(lambda: child.ended() is not None, 30, "PostgreSQL to stop")


class ConnectionsCut(Fault):
    kind, hits = "connections cut", "postgres"

    def strike(self) -> None:
        self.site.ask(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE backend_type = 'client backend' AND application_name <> %s",
            OURS,
        )


class BackendKilled(Fault):
    """kill -9 of one connection's process, as when memory runs out: PostgreSQL ends all others and recovers."""

    kind, hits = "PostgreSQL backend killed", "postgres"

    def strike(self) -> None:
        with contextlib.suppress(ProcessLookupError, psycopg.OperationalError):
            pid = self.site.ask(
                "SELECT pid FROM pg_stat_activity WHERE application_name <> %s AND backend_type = 'client backend' "
                "ORDER BY state <> 'active', random() LIMIT 1",
                OURS,
            )
            if pid is not None:
                os.kill(int(str(pid)), signal.SIGKILL)


KINDS: tuple[type[Fault], ...] = (
    ApiKilled,
    WorkerKilled,
    WorkersKilled,
    WorkerKilledInTransaction,
    BeatKilled,
    RedisStopped,
    RedisEmptied,
    RedisFrozen,
    PostgresKilled,
    PostgresStoppedAtOnce,
    ConnectionsCut,
    BackendKilled,
)
