"""Roadmend's own processes: how each is started. Used by `make up` and by the tests that kill them."""

import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from infra.native.child import Program
from infra.native.layout import PYTHON, ROOT, VENV

UNWANTED = ("PYTHONHOME", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """What they run with: ours, what was given, and the virtual environment first on the PATH."""
    inherited = {key: value for key, value in os.environ.items() if key not in UNWANTED}
    path = f"{VENV / 'bin'}{os.pathsep}{inherited.get('PATH', os.defpath)}"
    return {**inherited, **variables, "PATH": path, "VIRTUAL_ENV": str(VENV), "PYTHONUNBUFFERED": "1"}


def api(variables: Mapping[str, str], name: str = "api") -> Program:
    """The API on ROADMEND_HOST and ROADMEND_PORT."""
    return _python(name, environment(variables), "services.api")


def worker(variables: Mapping[str, str], name: str = "worker", processes: int = 2) -> Program:
    """A Celery worker for all queues."""
    size = ["--concurrency", str(processes), "--hostname", f"{name}@%h"]
    return _celery(name, variables, "worker", *size, "--without-gossip", "--without-mingle", "--without-heartbeat")


def beat(variables: Mapping[str, str]) -> Program:
    """The clock. It keeps no file: every sweep may be missed or repeated."""
    return _celery("beat", variables, "beat", "--scheduler", "celery.beat:Scheduler", "--pidfile", "")


def _celery(name: str, variables: Mapping[str, str], *arguments: str) -> Program:
    given = environment(variables)
    level = given.get("ROADMEND_LOG_LEVEL", "INFO")
    return _python(name, given, "celery", "-A", "services.workers.app", *arguments, "--loglevel", level)


def _python(name: str, environment: Mapping[str, str], module: str, *arguments: str) -> Program:
    return Program(name, [str(PYTHON), "-m", module, *arguments], environment, ROOT)


def answers(url: str) -> bool:
    """True when a GET of it answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 (our own address)
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def says(log: Path, words: str) -> bool:
    """True when the log has these words."""
    return words.encode() in log.read_bytes()
