"""Migrations beside a running service: two processes at once, and one that begins again after a failure."""

import os
import subprocess
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import URL

from infra.native.layout import PYTHON, ROOT
from tests import databases


@pytest.fixture
def empty(server: URL) -> Iterator[URL]:
    """A database without anything in it."""
    url = databases.create(server)
    yield url
    databases.drop(url)


def _begin(url: URL, revision: str = "head") -> "subprocess.Popen[str]":
    command = [str(PYTHON), "-m", "alembic", "-c", "infra/migrations/alembic.ini", "upgrade", revision]
    given = os.environ | {"ROADMEND_DATABASE_URL": databases.as_setting(url)}
    return subprocess.Popen(command, cwd=ROOT, env=given, stderr=subprocess.PIPE, text=True)


def _end(process: "subprocess.Popen[str]") -> str:
    """What it said when it failed; nothing otherwise."""
    _, said = process.communicate(timeout=240)
    return said if process.returncode else ""


def _ask(url: URL, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(databases.as_driver(url), autocommit=True) as db:
        asked = db.execute(statement.encode())
        return asked.fetchall() if asked.description else []


def test_two_processes_that_migrate_at_once_do_not_wait_for_each_other_for_ever(empty: URL) -> None:
    both = [_begin(empty), _begin(empty)]

    assert [_end(process) for process in both] == ["", ""]
    assert _ask(empty, "SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid") == []
    assert len(_ask(empty, "SELECT version_num FROM alembic_version")) == 1


def test_a_migration_that_begins_again_makes_anew_what_a_failure_left(empty: URL) -> None:
    assert _end(_begin(empty, "0001")) == ""
    _ask(empty, "CREATE INDEX ix_report_danger ON report (received_at)")

    assert _end(_begin(empty)) == ""

    (made,) = _ask(empty, "SELECT indexdef FROM pg_indexes WHERE indexname = 'ix_report_danger'")
    assert str(made[0]).endswith("(id) WHERE danger")
