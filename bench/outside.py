"""Runs the load generator in its own process and reads what it found."""

import asyncio
import json
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import client
from bench.client import Answer
from infra.native.layout import PYTHON, ROOT


def load(**task: Any) -> dict[str, Any]:
    """Do one task of `bench.load`, and give back what it told.

    Raises:
        RuntimeError: it failed.
    """
    with generator() as generate:
        return generate(**task)


@contextmanager
def generator() -> Iterator[Callable[..., dict[str, Any]]]:
    """`load` by one process for many `closed` tasks: a third of a second goes by until a process has begun."""
    with _process() as process:

        def generate(**task: Any) -> dict[str, Any]:
            _tell(process, json.dumps(task))
            return _answer(process, task.get("seconds", 60) + 120)

        try:
            yield generate
        finally:
            process.kill()


def ask(request: bytes, port: int) -> Answer:
    """One request from this process, which does nothing else meanwhile."""

    async def once() -> Answer:
        link = await client.connect(port)
        try:
            return await link.ask(request)
        finally:
            link.close()

    return asyncio.run(once())


@contextmanager
def crowd(**task: Any) -> Iterator["Crowd"]:
    """So many live clients of one feed, for as long as the block lasts."""
    with _process() as process:
        gathered = Crowd(process)
        gathered.begin(task)
        try:
            yield gathered
        finally:
            process.kill()


class Crowd:
    """The clients, seen from outside."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def begin(self, task: Mapping[str, Any]) -> None:
        """Wait until every client hears."""
        _tell(self._process, json.dumps({"kind": "crowd", **task}))
        if (said := _line(self._process)) != "ready":
            raise RuntimeError(f"The clients could not all join: {said}")

    def arrivals(self, numbers: Sequence[int]) -> tuple[dict[int, list[float]], float]:
        """When each client had each of these lines; and the share of a processor that the clients took."""
        _tell(self._process, json.dumps(list(numbers)))
        told = json.loads(_line(self._process))
        return {int(number): times for number, times in told["arrived"].items()}, told["cpu"]


def _process() -> "subprocess.Popen[str]":
    command = [str(PYTHON), "-m", "bench.load"]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _tell(process: "subprocess.Popen[str]", line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()


def _line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _answer(process: "subprocess.Popen[str]", patience_seconds: float) -> dict[str, Any]:
    late = threading.Timer(patience_seconds, process.kill)
    late.start()
    said = _line(process)
    late.cancel()
    if not said:
        raise RuntimeError(f"The load generator ended with code {process.wait()}.")
    told: dict[str, Any] = json.loads(said)
    return told


def write_bodies(file: Path, bodies: Iterable[bytes]) -> str:
    """Bodies for a task, one a line."""
    file.write_bytes(b"\n".join(bodies))
    return str(file)
