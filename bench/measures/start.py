"""`make up` from a clean clone, cold and warm: from the command to the printed addresses."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.figures import Figure
from bench.run import Run
from infra.native.layout import ROOT

NAME = "start"
SAYS = b"Everything runs"
LONGEST_SECONDS = 600.0


def measure(run: Run) -> list[Figure]:
    """A clone of what is committed; packages of the operating system are there already, Python's are fetched."""
    if run.quick:
        run.note("make up: a cold start takes a minute or more, so that --quick leaves it out.")
        return []
    clone = run.folder / "clone"
    subprocess.run(["git", "clone", "-q", "--no-hardlinks", str(ROOT), str(clone)], check=True)
    # PostgreSQL's own user must reach its data below it.
    for folder in (run.folder, clone):
        folder.chmod(0o755)
    cold, warm = _up(clone), [_up(clone) for _ in range(2)]
    shutil.rmtree(clone, ignore_errors=True)
    return [
        _figure("make up, cold: a clean clone", cold, 300, "< 5 min"),
        _figure("make up, warm", min(warm), 15, "< 15 s"),
    ]


def _figure(name: str, seconds: float, most: float, target: str) -> Figure:
    conditions = {"operating system's packages": "there already", "Python's packages": "fetched when cold"}
    return Figure(
        measure=NAME,
        name=name,
        value=seconds,
        unit="s",
        target=target,
        met=seconds < most,
        conditions=conditions,
    )


def _up(clone: Path) -> float:
    """Seconds until everything runs; then it is stopped as by Ctrl-C."""
    log = clone.parent / "up.log"
    began = time.monotonic()
    with _started(clone, log) as process:
        while SAYS not in log.read_bytes():
            if process.poll() is not None or time.monotonic() - began > LONGEST_SECONDS:
                raise RuntimeError("make up did not start:\n" + log.read_text(errors="replace")[-2000:])
            time.sleep(0.05)
        return time.monotonic() - began


@contextmanager
def _started(clone: Path, log: Path) -> "Iterator[subprocess.Popen[bytes]]":
    """`make up` as a person would start it: with none of our own settings."""
    unwanted = ("ROADMEND_", "MAKE", "VIRTUAL_ENV", "PYTHON")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["make", "up"], cwd=clone, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(120)
