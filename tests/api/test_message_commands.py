"""`roadmend messages`: what is parked is listed without its reader and driven again; every message can be looked at."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import URL, insert, select, update
from typer.testing import CliRunner

from services.cli.main import app
from shared.letters.render import templates
from shared.store import messages
from shared.store.engine import reading, transaction
from shared.store.messages import NewMessage
from shared.store.tables import contact, message
from tests.factories import a_report

NOW = datetime.now(UTC)


def _run(*words: str) -> str:
    answer = CliRunner().invoke(app, list(words))
    assert answer.exit_code == 0, answer.output
    return answer.stdout


@pytest.fixture
def parked(own_db: URL) -> int:
    """One message that is parked, and one that is due."""
    assert own_db
    with transaction("test") as tx:
        report_id = a_report(tx)
        tx.execute(insert(contact).values(report_id=report_id, email="sam@example.org"))
        for key in ("1:a", "2:b"):
            new = NewMessage(key=key, channel="email", template="made_safe", due_at=NOW, report_id=report_id)
            messages.add(tx, [new], NOW)
        first = update(message).where(message.c.key == "1:a")
        tx.execute(first.values(parked_at=NOW, tries=10, error="Never: 550 … is unknown"))
        found: int = tx.scalar(select(message.c.id).where(message.c.key == "1:a"))
    return found


def test_what_is_parked_is_listed_without_who_reads_it(parked: int) -> None:
    listed, everything = _run("messages", "list"), _run("messages", "list", "--all")

    assert f"{parked} made_safe by email" in listed
    assert "10 tries, parked at" in listed
    assert "550 … is unknown" in listed
    assert "1 due, 0 waiting, 1 parked, 0 sent." in listed
    assert "sam@example.org" not in everything
    assert len(everything.splitlines()) == 3


def test_what_is_parked_is_driven_again(parked: int) -> None:
    assert "0 messages are due again." in _run("messages", "retry", "--message", "987654")
    assert "1 message is due again." in _run("messages", "retry")

    with reading() as tx:
        row = tx.execute(select(message).where(message.c.id == parked)).one()
    # Kept as one that may have left: its provider is asked first.
    assert (row.parked_at, row.tries) == (None, 1)


def test_every_message_can_be_looked_at(tmp_path: Path) -> None:
    file = tmp_path / "all.html"

    said = _run("messages", "preview", "--html", str(file))

    assert all(f"=== {name}\n" in said for name in templates())
    assert file.read_text().count("<h1>") == len(templates())
    assert "=== verified" not in _run("messages", "preview", "--template", "made_safe")
    assert CliRunner().invoke(app, ["messages", "preview", "--template", "nonsense"]).exit_code == 2
