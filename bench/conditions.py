"""Under what conditions a run was made: machine, versions, settings, and how busy the machine was with other things."""

import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from bench.database import connect
from bench.figures import clocked, median
from infra.native.layout import ROOT
from infra.native.redis import binary

PACKAGES = ("fastapi", "starlette", "uvicorn", "uvloop", "sqlalchemy", "psycopg", "celery", "msgspec", "pydantic")
SETTINGS = ("fsync", "synchronous_commit", "shared_buffers", "work_mem", "max_wal_size", "wal_level", "jit")


def told(server: URL, scratch: Path) -> dict[str, Any]:
    """All of it. `scratch` is a folder on the disk that PostgreSQL's data lies on."""
    return {
        "at": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
        "commit": _commit(),
        "machine": _machine() | {"fsync_ms": round(_fsync_ms(scratch), 2)},
        "versions": _versions(server),
        "postgres": _settings(server),
    }


def _machine() -> dict[str, Any]:
    model = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.processor(),
    )
    memory_kb = int(Path("/proc/meminfo").read_text().split()[1])
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "memory_gb": round(memory_kb / 2**20, 1),
        "kernel": platform.release(),
        "loop_ms": round(_loop_ms(), 1),
    }


def _loop_ms() -> float:
    """A fixed piece of Python: how quick one core is now, beside what else it does."""
    return median([clocked(lambda: sum(range(2_000_000))) for _ in range(5)]) * 1000


def _fsync_ms(folder: Path) -> float:
    """What one durable write of 8 kB costs here."""
    with tempfile.NamedTemporaryFile(dir=folder) as file:

        def once() -> None:
            file.write(bytes(8192))
            file.flush()
            os.fdatasync(file.fileno())

        return median([clocked(once) for _ in range(50)]) * 1000


def _versions(server: URL) -> dict[str, str]:
    with connect(server.set(database="postgres")) as db:
        row = db.execute(
            "SELECT current_setting('server_version'), default_version FROM pg_available_extensions "
            "WHERE name = 'postgis'"
        ).fetchone()
    found = {"python": sys.version.split()[0], "postgresql": str(row and row[0]), "postgis": str(row and row[1])}
    return found | {"redis": _redis()} | {name: version(name) for name in PACKAGES}


def _redis() -> str:
    said = subprocess.run(
        ["redis-server", "--version"], executable=binary(), capture_output=True, text=True, check=False
    )
    return next((word[2:] for word in said.stdout.split() if word.startswith("v=")), "?")


def _settings(server: URL) -> dict[str, str]:
    with connect(server.set(database="postgres")) as db:
        rows = db.execute("SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY(%s)", [list(SETTINGS)])
        return {str(name): str(value) for name, value in rows}


def _commit() -> str:
    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()

    return git("rev-parse", "--short", "HEAD") + (" and changes" if git("status", "--porcelain", "-uno") else "")


class Busy:
    """How much of the machine others used while something was measured: all that is not idle and not ours."""

    def __init__(self) -> None:
        self._before = _ticks()

    def share(self) -> dict[str, float]:
        """Shares of all processors' time since then."""
        now = _ticks()
        passed = {name: now[name] - self._before[name] for name in now}
        whole = sum(passed.values()) or 1
        return {name: round(passed[name] / whole, 2) for name in ("idle", "steal", "iowait")} | {
            "load": round(os.getloadavg()[0], 1)
        }


def _ticks() -> dict[str, int]:
    names = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
    return dict(zip(names, map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]), strict=True))
