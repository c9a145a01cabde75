"""The private servers: behind closed folders, on the right grid, behind passwords, and there again after a crash."""

import socket
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from tests.databases import as_driver
from tests.stack import Stack

CAISTER = (1.7160739722, 52.6580078333)
"""Ordnance Survey's worked example (Caister water tower): longitude and latitude in ETRS89."""
ON_THE_GRID = (651409.804, 313177.450)


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Stack]:
    """A PostgreSQL and a Redis in a folder that only its owner may enter."""
    tmp_path.chmod(0o700)
    stack = Stack(tmp_path, "")
    stack.start_postgres()
    stack.start_redis()
    yield stack
    stack.stop_all()


def _address(stack: Stack) -> str:
    return as_driver(make_url(stack.variables["ROADMEND_DATABASE_URL"]))


def test_what_was_committed_is_there_after_kill_minus_nine(servers: Stack) -> None:
    with psycopg.connect(_address(servers)) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")

    servers.kill("postgres")
    servers.start_again("postgres")

    with psycopg.connect(_address(servers)) as connection:
        assert connection.execute("SELECT number FROM kept").fetchone() == (7,)
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)


def test_a_gps_position_comes_out_on_the_right_metre(servers: Stack) -> None:
    with psycopg.connect(_address(servers)) as connection:
        connection.execute("CREATE EXTENSION postgis")
        point = "ST_Transform(ST_SetSRID(ST_MakePoint(%s, %s), 4326), 27700)"

        found = connection.execute(f"SELECT ST_X(p), ST_Y(p) FROM {point} AS p", CAISTER).fetchone()

    assert found == pytest.approx(ON_THE_GRID, abs=0.02)


def test_nobody_gets_in_without_the_password(servers: Stack) -> None:
    url = make_url(servers.variables["ROADMEND_DATABASE_URL"])
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(as_driver(url.set(password="wrong")))

    redis = make_url(servers.variables["ROADMEND_REDIS_URL"])
    with socket.create_connection(("127.0.0.1", int(redis.port or 0)), timeout=5) as link:
        link.sendall(b"PING\r\n")
        assert link.recv(100).startswith(b"-NOAUTH")


def test_passwords_and_data_are_the_owners_alone(servers: Stack) -> None:
    kept = [servers.folder / name for name in ("postgres", "postgres/password", "redis/password", "redis/redis.conf")]

    assert [file.stat().st_mode & 0o077 for file in kept] == [0, 0, 0, 0]
