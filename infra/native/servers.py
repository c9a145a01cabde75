"""The two servers of an instance: PostgreSQL and Redis, private, or those that the environment names."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from infra.native import say
from infra.native.environment import GRID, prepare
from infra.native.layout import ROOT, Instance, Lock, SetupError
from infra.native.ports import Ports
from infra.native.postgres import Cluster
from infra.native.redis import Broker
from infra.native.settings import given, write_env
from infra.native.supervisor import Supervisor

DATABASE_URL, REDIS_URL = "ROADMEND_DATABASE_URL", "ROADMEND_REDIS_URL"
FIRST_PORTS = {"postgres": 5532, "redis": 6479, "api": 8000}


def start(instance: Instance, supervisor: Supervisor, theirs: Mapping[str, str]) -> dict[str, str]:
    """Start what was not given. The answer: both URLs as environment variables."""
    ports = Ports(instance.folder / "ports.json")
    urls = {key: theirs[key] for key in (DATABASE_URL, REDIS_URL) if theirs.get(key)}
    if DATABASE_URL not in urls:
        urls[DATABASE_URL] = _start_postgres(instance, supervisor, ports)
    if REDIS_URL not in urls:
        urls[REDIS_URL] = _start_redis(instance, supervisor, ports)
    return urls


def are_ours(theirs: Mapping[str, str]) -> bool:
    """True unless both servers were given: then none need be installed."""
    return not (theirs.get(DATABASE_URL) and theirs.get(REDIS_URL))


def _start_postgres(instance: Instance, supervisor: Supervisor, ports: Ports) -> str:
    cluster = Cluster(instance.folder / "postgres", instance.durable, _shared_buffers_mb(), GRID)
    if cluster.make(instance.logs / "initdb.log"):
        say.step("Made a private PostgreSQL cluster")
    port = ports.choose("postgres", FIRST_PORTS["postgres"])
    supervisor.start(cluster.program(port), lambda: cluster.is_ready(port), seconds=120)
    cluster.create_database(port)
    say.step(f"PostgreSQL answers on port {port}")
    return cluster.url(port)


def _start_redis(instance: Instance, supervisor: Supervisor, ports: Ports) -> str:
    broker = Broker(instance.folder / "redis")
    broker.make()
    port = ports.choose("redis", FIRST_PORTS["redis"])
    supervisor.start(broker.program(port), lambda: broker.is_ready(port))
    say.step(f"Redis answers on port {port}")
    return broker.url(port)


def _shared_buffers_mb() -> int:
    """512 MB, or an eighth of a smaller machine's memory."""
    total_kb = int(Path("/proc/meminfo").read_text().split()[1])
    return max(64, min(512, total_kb // 1024 // 8))


class InUse(SetupError):
    """Another process runs the instance."""


@contextmanager
def running(instance: Instance) -> Iterator[Supervisor]:
    """Hold an instance: nobody else runs it, and at the end nothing of it is left.

    Raises:
        InUse: it is running already.
    """
    instance.make()
    _check_owner(instance)
    lock = Lock(instance)
    if not lock.take():
        raise InUse(f"{instance.folder} is in use by process {lock.holder()}. `make down` stops it.")
    instance.env_file.unlink(missing_ok=True)
    supervisor = Supervisor(instance)
    try:
        yield supervisor
    finally:
        supervisor.stop()
        instance.env_file.unlink(missing_ok=True)
        lock.release()


def _check_owner(instance: Instance) -> None:
    owner = instance.folder.stat().st_uid
    if owner != os.geteuid():
        raise SetupError(
            f"{instance.folder} belongs to user {owner}. Run as that user, or remove it with `make clean`."
        )


def hold(instance: Instance) -> None:
    """Run both servers in the foreground until stopped."""
    theirs = given()
    prepare(with_servers=are_ours(theirs))
    with running(instance) as supervisor:
        write_env(instance, start(instance, supervisor, theirs), theirs)
        supervisor.watch()


def in_background(instance: Instance) -> None:
    """Run both servers behind our back, unless they do already, and say how to use them.

    Raises:
        SetupError: they do not start.
    """
    instance.make()
    if Lock(instance).holder() is None:
        _spawn(instance)
    say.line(instance.env_file.read_text().rstrip())
    say.line(f"# set -a; . {instance.env_file.relative_to(ROOT)}; set +a")


def _spawn(instance: Instance) -> None:
    instance.env_file.unlink(missing_ok=True)
    log = instance.logs / "servers.log"
    with log.open("wb") as output:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "infra.native", "hold-servers", "--instance", instance.name],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + 600
    while not instance.env_file.exists():
        if keeper.poll() is not None or time.monotonic() > deadline:
            raise SetupError(f"The servers did not start:\n{log.read_text(errors='replace')}")
        time.sleep(0.05)
