"""The virtual environment from the lock file, and beside it the `roadmend` command, PROJ's grid, the pages' files."""

import fcntl
import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.native import packages, say, web
from infra.native.layout import PYTHON, ROOT, RUN, VENV, SetupError

LOCK = ROOT / "requirements-dev.lock"
STAMP = VENV / ".made-from"
GRID = RUN / "proj" / "OSTN15_NTv2_OSGBtoETRS.gsb"
SUPPORTED = ((3, 11), (3, 13))

COMMAND = """#!/bin/sh
'''exec' "$(dirname "$(readlink -f "$0")")/python" "$0" "$@"
'''
import sys

from services.cli.main import app

sys.exit(app())
"""
"""Starts with the Python beside it, wherever the folder lies: a shebang line holds no blanks and no long path."""


def prepare(with_servers: bool = True, with_browser: bool = False) -> None:
    """Bring the machine and the folder to where Roadmend can start. Costs next to nothing when all is there."""
    with _one_at_a_time():
        packages.install_missing(with_servers, with_browser)
        _make_venv()
        _make_grid()
        web.build()


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    RUN.mkdir(exist_ok=True)
    with (RUN / "setup.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say.line("Another command is setting up; waiting for it.")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make_venv() -> None:
    wanted = _fingerprint()
    if STAMP.exists() and STAMP.read_text() == wanted:
        return
    if not _venv_works():
        shutil.rmtree(VENV, ignore_errors=True)
        say.step("Making the virtual environment")
        _run([sys.executable, "-m", "venv", str(VENV)], "python -m venv")
    say.step("Installing the Python packages of the lock file")
    _install()
    _link_project()
    STAMP.write_text(wanted)


def _install() -> None:
    """By uv, which takes a sixth of pip's time; by pip where uv fails, since only pip reads this machine's pip.conf."""
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-cache-dir", "install", "--no-input"]
    pip += ["--progress-bar", "off", "--require-hashes", "-r"]
    uv = [
        str(VENV / "bin" / "uv"),
        "--no-cache",
        "--no-config",
        "--native-tls",
        "pip",
        "install",
        "--python",
        str(PYTHON),
    ]
    try:
        _run([*pip, str(_lock_of_uv_alone())], "pip install uv")
        _run([*uv, "--compile-bytecode", "--require-hashes", "-r", str(LOCK)], "uv pip install")
    except SetupError:
        say.step("Installing by pip, which takes longer")
        _run([*pip, str(LOCK)], "pip install")


def _lock_of_uv_alone() -> Path:
    entries = re.split(r"\n(?=\S)", LOCK.read_text())
    file = RUN / "uv.lock"
    file.write_text("\n".join(entry for entry in entries if entry.startswith("uv==")) + "\n")
    return file


def _fingerprint() -> str:
    """Changes when the lock file does, the Python does, or the folder was moved."""
    parts = (LOCK.read_bytes(), str(VENV).encode(), repr(sys.version_info[:2]).encode())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _venv_works() -> bool:
    probe = f"import sys, pip; assert sys.prefix == {str(VENV)!r} and sys.version_info[:2] == {sys.version_info[:2]!r}"
    return PYTHON.exists() and subprocess.run([PYTHON, "-c", probe], capture_output=True, check=False).returncode == 0


def _link_project() -> None:
    """Make the checkout importable and its command runnable, with two files and no build."""
    packages_folder = VENV / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    (packages_folder / "roadmend.pth").write_text(f"{ROOT}\n")
    command = VENV / "bin" / "roadmend"
    command.unlink(missing_ok=True)
    command.write_text(COMMAND)
    command.chmod(0o755)


def _make_grid() -> None:
    if not GRID.exists():
        GRID.parent.mkdir(exist_ok=True)
        _run([str(PYTHON), "-m", "infra.ostn15", str(GRID)], "Writing the OSTN15 grid")
        say.step("Wrote the OSTN15 grid for PostGIS")


def _run(command: list[str], what: str) -> None:
    log = RUN / "setup.log"
    with log.open("ab") as output:
        done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False)
    if done.returncode != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise SetupError(f"{what} failed (the whole of it is in {log}):\n{tail}")


def check_python() -> None:
    """Refuse a Python that the lock file is not made for.

    Raises:
        SetupError: it is too old or too new.
    """
    oldest, newest = SUPPORTED
    if not oldest <= sys.version_info[:2] <= newest:
        names = " to ".join(".".join(map(str, version)) for version in SUPPORTED)
        raise SetupError(f"Roadmend needs Python {names}; this is {sys.version.split()[0]}. Set PYTHON3=… for make.")
