"""`roadmend people`: who may sign in."""

from typing import Annotated

import typer
from rich.table import Table

from services.cli.run import now, out, say, writing
from shared.domain.terms import Role
from shared.flows import manage_access
from shared.store.engine import reading
from shared.store.read_models import access

app = typer.Typer(no_args_is_help=True, help="Who may sign in.")


@app.command()
def add(
    email: str,
    name: Annotated[str, typer.Option(help="The person's name, as colleagues read it")],
    role: Annotated[Role, typer.Option(help="contractor, operator, supervisor or admin")],
    contractor: Annotated[str | None, typer.Option(help="The contractor's code, for the role contractor")] = None,
    password: Annotated[
        str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True, help="Asked for when not given")
    ] = "",
) -> None:
    """Add a person who may sign in."""
    with writing("command:people") as tx:
        manage_access.add_person(tx, email, name, role, now(), password=password, contractor=contractor)
    say(f"{email} may sign in as {role}.")


@app.command("list")
def list_people() -> None:
    """List everybody who may sign in, or once might."""
    table = Table("e-mail", "name", "role", "contractor", "since", "disabled")
    with reading() as tx:
        for one in access.people(tx, most=10_000).rows:
            ended = one["disabled_at"]
            table.add_row(
                one["email"],
                one["name"],
                one["role"],
                one["contractor"] or "",
                f"{one['made_at']:%Y-%m-%d}",
                f"{ended:%Y-%m-%d}" if ended else "",
            )
    out.print(table)


@app.command()
def disable(email: str) -> None:
    """Let a person in no more, and end every session."""
    with writing("command:people") as tx:
        manage_access.disable_person(tx, email, now())
    say(f"{email} may not sign in any more.")
