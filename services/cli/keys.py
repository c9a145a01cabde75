"""`roadmend keys`: API keys for vendors, contractors and systems."""

from typing import Annotated

import typer
from rich.table import Table

from services.cli.run import now, out, say, writing
from shared.domain.terms import Role
from shared.flows import manage_access
from shared.store.engine import reading
from shared.store.read_models import access

app = typer.Typer(no_args_is_help=True, help="API keys for vendors, contractors and systems.")


@app.command()
def make(
    name: Annotated[str, typer.Argument(help="What it is for, as colleagues read it")],
    role: Annotated[Role, typer.Option(help="vendor, contractor, operator, supervisor or admin")],
    scope: Annotated[list[str], typer.Option(help="What it may do, for example detections:write; * for all")],
    source: Annotated[str | None, typer.Option(help="The fleet's code, for the role vendor")] = None,
    contractor: Annotated[str | None, typer.Option(help="The contractor's code, for the role contractor")] = None,
) -> None:
    """Make a key and print it, this once."""
    with writing("command:keys") as tx:
        made = manage_access.make_key(tx, name, role, scope, now(), source=source, contractor=contractor)
    say(made.told)


@app.command("list")
def list_keys() -> None:
    """List every key by its prefix."""
    table = Table("prefix", "name", "role", "scopes", "for", "since", "revoked")
    with reading() as tx:
        for one in access.keys(tx, most=10_000).rows:
            ended = one["revoked_at"]
            table.add_row(
                one["prefix"],
                one["name"],
                one["role"],
                " ".join(one["scopes"]),
                one["source"] or one["contractor"] or "",
                f"{one['made_at']:%Y-%m-%d}",
                f"{ended:%Y-%m-%d}" if ended else "",
            )
    out.print(table)


@app.command()
def revoke(prefix: str) -> None:
    """Refuse a key from the next request on."""
    with writing("command:keys") as tx:
        manage_access.revoke_key(tx, prefix, now())
    say(f"The key {prefix} is refused from now on.")
