"""Databases for tests: one is migrated for a run, all others are copies of it. Every run makes its own."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from sqlalchemy import URL, make_url

from shared.settings import settings
from shared.store import engine as store_engine


def server_url() -> URL:
    """The server that the environment names."""
    return make_url(os.environ["ROADMEND_DATABASE_URL"])


def new_name() -> str:
    """A name that no other run uses."""
    return f"test_{os.getpid()}_{secrets.token_hex(4)}"


def create(server: URL, template: str = "template0") -> URL:
    """A database of its own: empty, or a copy of another."""
    name = new_name()
    _administer(server, "CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, template)
    return server.set(database=name)


def drop(url: URL) -> None:
    """Drop it, whoever is still connected."""
    _administer(url, "DROP DATABASE IF EXISTS {} WITH (FORCE)", str(url.database))


def _administer(server: URL, statement: str, *names: str) -> None:
    with psycopg.connect(as_driver(server.set(database="postgres")), autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*(sql.Identifier(name) for name in names)))


def as_driver(url: URL) -> str:
    """The address as psycopg itself wants it."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def as_setting(url: URL) -> str:
    """The address as ROADMEND_DATABASE_URL wants it."""
    return url.render_as_string(hide_password=False)


@contextmanager
def in_force(url: URL) -> Iterator[None]:
    """Let this process's own engine use that database, and go back to the one before at the end."""
    before = os.environ["ROADMEND_DATABASE_URL"]
    _switch(as_setting(url))
    try:
        yield
    finally:
        _switch(before)


def _switch(address: str) -> None:
    store_engine.engine().dispose()
    os.environ["ROADMEND_DATABASE_URL"] = address
    settings.cache_clear()
    store_engine._engine.cache_clear()
