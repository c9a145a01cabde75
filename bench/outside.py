"""Runs the load generator in its own process and reads what it found."""

import asyncio
import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    with _process() as process:
        said, _ = process.communicate(json.dumps(task) + "\n", timeout=task.get("seconds", 60) + 120)
    return _answer(process, said)


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
        self._tell(json.dumps({"kind": "crowd", **task}))
        if (said := self._line()) != "ready":
            raise RuntimeError(f"The clients could not all join: {said}")

    def arrivals(self, numbers: Sequence[int]) -> tuple[dict[int, list[float]], float]:
        """When each client had each of these lines; and the share of a processor that the clients took."""
        self._tell(json.dumps(list(numbers)))
        told = json.loads(self._line())
        return {int(number): times for number, times in told["arrived"].items()}, told["cpu"]

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


def _process() -> "subprocess.Popen[str]":
    command = [str(PYTHON), "-m", "bench.load"]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _answer(process: "subprocess.Popen[str]", said: str) -> dict[str, Any]:
    if process.returncode != 0:
        raise RuntimeError(f"The load generator ended with code {process.returncode}.")
    told: dict[str, Any] = json.loads(said)
    return told


def write_bodies(file: Path, bodies: Iterable[bytes]) -> str:
    """Bodies for a task, one a line."""
    file.write_bytes(b"\n".join(bodies))
    return str(file)
