"""The pages' scripts and styles: packages by npm from the lock file, one build by Vite; nothing when all is fresh."""

import hashlib
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from infra.native import node, say
from infra.native.layout import ROOT, RUN, SetupError

MODULES = ROOT / "node_modules"
WEB = ROOT / "services" / "api" / "web"
BUILT = WEB / "built"
_PACKAGES = [ROOT / name for name in ("package.json", "package-lock.json", ".npmrc")]
_INSTALLED, _MADE = MODULES / ".made-from", BUILT / ".made-from"


def build() -> None:
    """Bring node_modules and the built files to what the sources say.

    Raises:
        SetupError: there is no Node, the packages cannot be had, or the build fails.
    """
    packages, sources = _fingerprint(_PACKAGES), _fingerprint([*_PACKAGES, *_sources()])
    if _says(_INSTALLED, packages) and _says(_MADE, sources):
        return
    program, npm = node.programs()
    if not _says(_INSTALLED, packages):
        say.step("Installing the pages' packages of the lock file")
        _run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], "npm ci", program)
        _INSTALLED.write_text(packages)
    if not _says(_MADE, sources):
        say.step("Building the pages' scripts and styles")
        _run([str(program), str(MODULES / "vite" / "bin" / "vite.js"), "build"], "vite build", program)
        _MADE.write_text(sources)


def check() -> None:
    """The types of the scripts.

    Raises:
        SetupError: one does not fit; the message is the compiler's.
    """
    program, _ = node.programs()
    tsc = [str(program), str(MODULES / "typescript" / "bin" / "tsc"), "--noEmit", "--pretty", "false"]
    done = subprocess.run(tsc, cwd=ROOT, env=node.environment(program), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SetupError(f"{done.stdout}{done.stderr}The scripts' types do not fit.")


def _sources() -> list[Path]:
    found = (file for file in (WEB / "src").rglob("*") if file.is_file())
    return [ROOT / "vite.config.ts", ROOT / "tsconfig.json", *sorted(found)]


def _fingerprint(files: Iterable[Path]) -> str:
    """Changes with the files' names and contents."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _says(stamp: Path, wanted: str) -> bool:
    return stamp.exists() and stamp.read_text() == wanted


def _run(command: Sequence[str], what: str, program: Path) -> None:
    log = RUN / "web.log"
    with log.open("wb") as output:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=node.environment(program),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=False,
        )
    if done.returncode != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-25:])
        raise SetupError(f"{what} failed (the whole of it is in {log}):\n{tail}")
