"""ROADMEND_* variables: what was given, what we chose, and the file that hands both to a shell."""

import os
import shlex
import time
import zlib
from collections.abc import Mapping

from infra.native.layout import ROOT, VENV, Instance, Lock, SetupError

CHOSEN = "ROADMEND_CHOSEN"
"""In an env file: what we chose ourselves, as NAME:checksum. In a shell that has read the file such a value is nobody's
wish, and may be out of date, so it is not taken for one unless it was changed since."""


def given() -> dict[str, str]:
    """What a person set in the environment or, where the environment says nothing, in the file .env.

    Raises:
        SetupError: a line of .env is not NAME=value.
    """
    ours = {name for name, checksum in _chosen() if _checksum(os.environ.get(name, "")) == checksum}
    theirs = {name: value for name, value in os.environ.items() if name.startswith("ROADMEND_") and name != CHOSEN}
    return {**_from_file(), **{name: value for name, value in theirs.items() if name not in ours}}


def _chosen() -> list[tuple[str, str]]:
    pairs = (word.partition(":") for word in os.environ.get(CHOSEN, "").split())
    return [(name, checksum) for name, _, checksum in pairs]


def _checksum(value: str) -> str:
    return f"{zlib.crc32(value.encode()):08x}"


def _from_file() -> dict[str, str]:
    """NAME=value lines; `#` begins a comment line, quotes are a shell's. An empty value is no value."""
    file = ROOT / ".env"
    found = {}
    for number, line in enumerate(file.read_text().splitlines() if file.exists() else [], start=1):
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if not name or name.startswith("#"):
            continue
        if not equals:
            raise SetupError(f"{file}, line {number}: NAME=value was expected, this was found: {line!r}")
        found[name.strip()] = " ".join(shlex.split(value))
    return {name: value for name, value in found.items() if name.startswith("ROADMEND_") and value}


def write_env(instance: Instance, variables: Mapping[str, str], theirs: Mapping[str, str]) -> None:
    """Leave the settings where `. .run/NAME/env` finds them, with the `roadmend` command on the PATH."""
    chosen = " ".join(f"{name}:{_checksum(value)}" for name, value in variables.items() if theirs.get(name) != value)
    lines = [f"export {name}={shlex.quote(value)}" for name, value in {**variables, CHOSEN: chosen}.items()]
    lines.append(f'export PATH={shlex.quote(str(VENV / "bin"))}:"$PATH"')
    fresh = instance.env_file.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text("\n".join(lines) + "\n")
    fresh.rename(instance.env_file)


def read_env(instance: Instance) -> dict[str, str]:
    """The settings of an instance that runs; waits while it starts.

    Raises:
        SetupError: it does not run.
    """
    while not instance.env_file.exists():
        if Lock(instance).holder() is None:
            raise SetupError(f"{instance.name} does not run. Start it with `make up`.")
        time.sleep(0.05)
    words = (line.removeprefix("export ").partition("=") for line in instance.env_file.read_text().splitlines())
    return {name: "".join(shlex.split(value)) for name, _, value in words if name not in ("PATH", CHOSEN)}
