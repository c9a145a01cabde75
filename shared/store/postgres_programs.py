"""PostgreSQL's own programs, pg_dump and pg_restore: found in the right version, and told where the database is.

They are told by environment variables, never on a command line, which every user of a machine can read.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from psycopg import pq
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.engine import make_url

from shared.errors import NotFound, Refusal
from shared.settings import settings

_USUAL = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin")
"""Where Debian's and Red Hat's packages put them, below the root."""


class ProgramFailed(Refusal):
    """A program of PostgreSQL's said no; the detail holds what it said."""

    code = "program-failed"
    title = "A program of PostgreSQL's failed"


def find(name: str, version: int) -> Path:
    """The program for a server of this major version: the nearest that is not older.

    An older one refuses a newer server; a much newer one writes what an older server cannot read.

    Raises:
        NotFound: there is none; the detail says what to install.
    """
    found = {major: program for program in _candidates(name) if (major := major_version(program)) is not None}
    fit = sorted(major for major in found if major >= version)
    if fit:
        return found[fit[0]]
    others = f" (there is {', '.join(map(str, sorted(found)))})" if found else ""
    raise NotFound(
        f"There is no {name} of PostgreSQL {version} or newer here{others}. Install the package postgresql-client-"
        f"{version}, or name the folder that holds it in ROADMEND_POSTGRES_BIN."
    )


def _candidates(name: str) -> Iterator[Path]:
    given = settings().postgres_bin
    if given is not None:
        yield given / name
        return
    if (on_the_path := shutil.which(name)) is not None:
        yield Path(on_the_path)
    for usual in _USUAL:
        yield from Path("/").glob(f"{usual}/{name}")


@lru_cache
def major_version(program: Path) -> int | None:
    """What the program says of itself: 15. None when it does not run."""
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    except OSError:
        return None
    found = re.search(r"\(PostgreSQL\) (\d+)", said.stdout)
    return None if found is None else int(found[1])


def run(program: Path, *arguments: str | Path) -> None:
    """Run a program on the deployment's database until it ends. What it writes is for its owner only.

    Raises:
        ProgramFailed: it ended with an error.
    """
    command = [program, "--no-password", *arguments]
    done = subprocess.run(  # noqa: S603
        command,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        umask=0o077,
        check=False,
    )
    if done.returncode != 0:
        raise ProgramFailed(f"{program.name} ended with code {done.returncode}. {_complaints(program, done.stderr)}")


def _complaints(program: Path, said: str) -> str:
    """Its own lines of error. What follows them (DETAIL, CONTEXT) may hold a row, and so a person's data."""
    lines = [line for line in said.splitlines() if line.startswith((f"{program.name}: error", "FATAL"))]
    return " ".join(lines[:5]) or "It said nothing."


def _environment() -> dict[str, str]:
    """libpq's own variables for what the address of the database says; what it leaves open stays as it is given."""
    url = make_url(settings().database_url).set(drivername="postgresql")
    names = {option.keyword.decode(): option.envvar for option in pq.Conninfo.get_defaults()}
    told = conninfo_to_dict(url.render_as_string(hide_password=False))
    ours = {name.decode(): str(value) for key, value in told.items() if (name := names.get(key)) is not None}
    return {**os.environ, "PGCONNECT_TIMEOUT": "10", "LC_ALL": "C.UTF-8", **ours}
