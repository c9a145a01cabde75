"""The `roadmend` command: finds its commands by name, and turns a refusal into one sentence and exit code 2."""

import importlib
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

from services.cli import run
from shared import logs
from shared.errors import Refusal
from shared.settings import settings
from shared.store.engine import LOST

COMMANDS = (
    "backup",
    "dedupe",
    "deliveries",
    "demo",
    "doctor",
    "keys",
    "kpi",
    "load",
    "messages",
    "people",
    "policy",
    "privacy",
    "restore",
    "score",
)
"""Each is a module of this package with a Typer `app`. It is imported only when it is asked for."""


class Commands(TyperGroup):
    """A group that imports a command when it is named; `app` with one command of its module's name is that command."""

    def list_commands(self, ctx: Any) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        found: typer.Typer = importlib.import_module(f"services.cli.{cmd_name}").app
        command = get_command(found) if _stands_alone(found, cmd_name) else get_group(found)
        command.name = cmd_name
        return command

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Refusal as no:
            run.complain(no.detail, *(f"{field}: {why}" for field, why in no.errors.items()))
        except LOST as error:
            run.complain(f"The database does not answer ({type(error).__name__}): is ROADMEND_DATABASE_URL right?")
        raise typer.Exit(2)


def _stands_alone(found: typer.Typer, name: str) -> bool:
    commands = found.registered_commands
    named = [command.name or getattr(command.callback, "__name__", "") for command in commands]
    return named == [name] and not found.registered_callback and not found.registered_groups


app = typer.Typer(cls=Commands, no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)


@app.callback()
def main() -> None:
    """Roadmend: a county's highway defects, from first detection to verified repair."""
    logs.configure(settings().log_level)


if __name__ == "__main__":
    app()
