"""The `roadmend` command finds its commands, and says a refusal in one sentence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli.main import COMMANDS, app
from shared.settings import ROOT


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_be_asked_for_help(name: str) -> None:
    told = CliRunner().invoke(app, [name, "--help"])

    assert told.exit_code == 0, told.output
    assert "Usage:" in told.stdout


def test_every_module_with_commands_is_listed() -> None:
    folder = ROOT / "services" / "cli"

    found = {file.stem for file in folder.glob("*.py") if "\napp = typer.Typer(" in file.read_text()}

    assert found - {"main"} == set(COMMANDS)


def test_a_refusal_is_one_sentence_on_standard_error_and_exit_code_2(tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["load", "streets", str(tmp_path / "nothing.gpkg")])

    assert told.exit_code == 2
    assert told.stdout == ""
    assert told.stderr == f"There is no file {tmp_path / 'nothing.gpkg'}.\n"


def test_an_unknown_command_is_named() -> None:
    told = CliRunner().invoke(app, ["mend"])

    assert told.exit_code == 2
    assert "No such command 'mend'" in told.output


def test_a_database_that_does_not_answer_is_one_sentence_without_its_address() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "services.cli.main", "deliveries", "list"],
        cwd=ROOT,
        env={**os.environ, "ROADMEND_DATABASE_URL": "postgresql+psycopg://nobody:hidden@127.0.0.1:1/none"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert told.returncode == 2
    assert "The database does not answer" in told.stderr
    assert "Traceback" not in told.stderr
    assert "hidden" not in told.stderr
