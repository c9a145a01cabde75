"""Debian and Ubuntu packages: what is missing is installed, and nothing else about the machine changes.

Installing PostgreSQL would also make and start a cluster of the machine's own. Its scripts call pg_createcluster,
invoke-rc.d and deb-systemd-invoke by name, so for this one apt-get run dpkg's path begins with a folder in which these
do nothing. No file of the system is written for that.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.native import postgres, redis, say
from infra.native.layout import RUN, SetupError

QUIETED = ("pg_createcluster", "invoke-rc.d", "deb-systemd-invoke")
POSTGRES_VERSIONS = (18, 17, 16, 15)


BROWSERS = ("chromium", "chromium-browser", "google-chrome")
"""Commands that tests look at pages with."""


def install_missing(with_servers: bool = True, with_browser: bool = False) -> None:
    """Install what Roadmend needs and the machine has not got.

    A browser is installed where the package lists have Chromium as a package of their own: Ubuntu's is a snap.

    Raises:
        SetupError: packages are needed, and this is not Debian or Ubuntu, or neither root nor sudo is to be had.
    """
    needed = _needed(with_servers)
    if with_browser and not any(map(shutil.which, BROWSERS)) and _candidate("chromium"):
        needed.append("chromium")
    if not needed:
        return
    if shutil.which("apt-get") is None:
        raise SetupError(f"Please install these (known here by their Debian names): {' '.join(needed)}")
    say.step(f"Installing packages: {' '.join(p for p in needed)}")
    if not _known(needed):
        _apt("update", "-q")
    wanted = [_postgres_package() if name == "postgresql-postgis" else name for name in needed]
    _apt("install", "-q", "-y", "--no-install-recommends", *wanted)
    if left := _needed(with_servers):
        raise SetupError(f"These are still missing after their installation: {' '.join(left)}")


def _needed(with_servers: bool) -> list[str]:
    needed = []
    if with_servers and postgres.binaries() is None:
        needed.append("postgresql-postgis")
    if with_servers and redis.binary() is None:
        needed.append("redis-tools")
    if not _has_ensurepip():
        needed.append(f"python3.{sys.version_info.minor}-venv")
    return needed


def _has_ensurepip() -> bool:
    """Debian keeps ensurepip's wheels in a package of its own; the module may be there without them."""
    probe = "import ensurepip, venv; assert ensurepip.version()"
    return subprocess.run([sys.executable, "-c", probe], capture_output=True, check=False).returncode == 0


def _known(needed: Sequence[str]) -> bool:
    return all(_candidate(name) for name in needed if name != "postgresql-postgis") and bool(_postgres_versions())


def _candidate(name: str) -> bool:
    shown = subprocess.run(["apt-cache", "policy", name], capture_output=True, text=True, check=False).stdout
    return "Candidate:" in shown and "Candidate: (none)" not in shown


def _postgres_versions() -> list[int]:
    return [v for v in POSTGRES_VERSIONS if _candidate(f"postgresql-{v}-postgis-3")]


def _postgres_package() -> str:
    versions = _postgres_versions()
    if not versions:
        raise SetupError("This machine's package lists have no PostGIS for PostgreSQL 15 or newer.")
    return f"postgresql-{versions[0]}-postgis-3"


def _apt(*arguments: str) -> None:
    quiet = _quiet_folder()
    command = [*_as_root(), "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    command += ["-o", f"DPkg::Path={quiet}:/usr/sbin:/usr/bin:/sbin:/bin", "-o", "DPkg::Lock::Timeout=300"]
    log = RUN / "packages.log"
    with log.open("ab") as output:
        done = subprocess.run(
            [*command, *arguments], stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
        )
    if done.returncode != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise SetupError(f"apt-get {arguments[0]} failed (the whole of it is in {log}):\n{tail}")


def _quiet_folder() -> Path:
    folder = RUN / "quiet"
    folder.mkdir(parents=True, exist_ok=True)
    for name in QUIETED:
        file = folder / name
        file.write_text("#!/bin/sh\nexit 0\n")
        file.chmod(0o755)
    return folder


def _as_root() -> list[str]:
    """What to put before a command so that it runs as root; asks for a password at the terminal when sudo needs one.

    Raises:
        SetupError: we are not root, and there is no sudo.
    """
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        raise SetupError("Packages are missing; install sudo, or run this once as root.")
    say.line("Packages are installed through sudo.")
    return ["sudo"]
