"""Fixtures: a migrated PostGIS for each run, transactions that roll back, copies for real processes."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from hypothesis import settings
from sqlalchemy import URL

from infra.native.layout import ROOT
from shared.store.engine import WriteTx, engine
from tests import databases
from tests.stack import Stack

# How long an example takes says how busy the machine is, and nothing of the rule.
settings.register_profile("roadmend", parent=settings.default, deadline=None)
settings.load_profile("roadmend")

SLOW = ("chaos", "delivery", "probe", "infra", "journey", "pages")
"""Folders whose tests wait for real processes and browsers, the slowest files first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what is slow, so that at the end no process of tests is left alone with it."""
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    folder = item.path.relative_to(ROOT / "tests").parts[0]
    return SLOW.index(folder) if folder in SLOW else len(SLOW)


@pytest.fixture(scope="session")
def server() -> URL:
    """The PostgreSQL that the environment names; Redis is asked for with it."""
    if not (os.environ.get("ROADMEND_DATABASE_URL") and os.environ.get("ROADMEND_REDIS_URL")):
        pytest.exit("These tests need PostgreSQL and Redis: use `make test`, or `make servers` first.", returncode=2)
    return databases.server_url()


@pytest.fixture(scope="session")
def template(server: URL) -> Iterator[URL]:
    """A database with all migrations, to be copied and never to be written to."""
    url = databases.create(server)
    config = Config(ROOT / "infra" / "migrations" / "alembic.ini")
    config.attributes["url"] = databases.as_setting(url)
    command.upgrade(config, "head")
    yield url
    databases.drop(url)


@pytest.fixture(scope="session")
def shared_db(template: URL) -> Iterator[URL]:
    """This process's own database: empty before and after each test, because each test's transaction rolls back."""
    url = databases.create(template, str(template.database))
    with databases.in_force(url):
        yield url
    databases.drop(url)


@pytest.fixture
def tx(shared_db: URL) -> Iterator[WriteTx]:
    """A transaction on the migrated database, rolled back at the end."""
    with engine().connect() as connection:
        work = connection.begin()
        yield WriteTx(connection, "test")
        work.rollback()


@pytest.fixture
def fresh_db(template: URL) -> Iterator[str]:
    """A copy for real processes, as ROADMEND_DATABASE_URL wants it."""
    url = databases.create(template, str(template.database))
    yield databases.as_setting(url)
    databases.drop(url)


@pytest.fixture
def own_db(template: URL) -> Iterator[URL]:
    """A copy that this process itself uses: for tests that commit (`transaction()`, the API in this process)."""
    url = databases.create(template, str(template.database))
    with databases.in_force(url):
        yield url
    databases.drop(url)


@pytest.fixture
def stack(fresh_db: str, tmp_path: Path) -> Iterator[Stack]:
    """Real processes on a database and a Redis of their own; nothing runs until the test starts it."""
    made = Stack(tmp_path, fresh_db)
    yield made
    made.stop_all()
