"""`make clean`: throws away what was made in the folder, but for the results of `make bench`."""

import shutil
from pathlib import Path

from infra.native import say, web
from infra.native.layout import ROOT, RUN, VENV, Instance, Lock, SetupError

CACHES = (
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".hypothesis",
    ".schemathesis",
    ".import_linter_cache",
    "build",
)
PARTS = ("shared", "services", "infra", "bench", "chaos", "tests")


def clean() -> None:
    """Remove data, virtual environment and caches.

    Raises:
        SetupError: an instance runs, or something belongs to another user.
    """
    for folder in RUN.iterdir() if RUN.exists() else ():
        if folder.is_dir() and Lock(Instance(folder.name)).holder() is not None:
            raise SetupError(f"{folder.name} runs. Stop it first: make down INSTANCE={folder.name}")
    for folder in (RUN, VENV, web.MODULES, web.BUILT, *(ROOT / name for name in CACHES), *ROOT.glob("*.egg-info")):
        _remove(folder)
    for part in PARTS:
        for folder in [*(ROOT / part).rglob("__pycache__")]:
            _remove(folder)
    say.line("Clean.")


def _remove(folder: Path) -> None:
    try:
        shutil.rmtree(folder, ignore_errors=False)
    except FileNotFoundError:
        return
    except PermissionError as error:
        raise SetupError(f"{error.filename} belongs to another user; remove it as that user or as root.") from None
