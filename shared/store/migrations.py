"""The schema's revisions: which this release knows, and bringing a database to the newest."""

import logging

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from shared.settings import ROOT

_FOLDER = ROOT / "infra" / "migrations"


def known() -> list[str]:
    """Every revision of this release, the newest first."""
    return [script.revision for script in ScriptDirectory(str(_FOLDER)).walk_revisions()]


def upgrade(to: str = "head") -> None:
    """Run the migrations that the database of the settings has not had yet."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    command.upgrade(Config(_FOLDER / "alembic.ini"), to)
