"""Watches the live feed as a control hub would: counts what happens, times how soon it is told, checks the chain."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx

from infra.demo.account import SignIn
from infra.demo.client import GaveUp
from infra.demo.world import World


class Watcher:
    """One reader of the whole feed. It resumes where it was, and sees each number once."""

    def __init__(self, world: World, who: SignIn) -> None:
        self.world, self.who = world, who
        self.kinds: Counter[str] = Counter()
        self.number: int | None = None
        self.hash = ""
        self.told_after: list[float] = []

    def run(self) -> None:
        """Read until everything stops; a lost connection is taken up again."""
        while not self.world.stop.is_set():
            try:
                self._read()
            except (httpx.HTTPError, GaveUp) as error:
                self.world.ledger.count(f"feed lost ({type(error).__name__})")
                self.world.stop.wait(0.5)

    def _read(self) -> None:
        client = self.world.client()
        try:
            client.sign_in(self.who)
            with client.stream("/api/v1/feed", self._place()) as answer:
                answer.raise_for_status()
                for said in _lines(answer):
                    self._take(said)
                    if self.world.stop.is_set():
                        return
        finally:
            client.close()

    def _place(self) -> str | None:
        """The id of the last line: its number and the beginning of its hash."""
        return None if self.number is None else f"{self.number}-{self.hash[:8]}"

    def _take(self, line: dict[str, Any]) -> None:
        number = int(line["number"])
        if line["kind"] == "Reset":
            self.world.ledger.broke(f"feed line {self.number} is no longer what it was")
            self.number = None
            return
        if self.number is not None and (number != self.number + 1 or line["hash_before"] != self.hash):
            self.world.ledger.broke(f"feed line {number} follows {self.number}, or does not chain to it")
        self.number, self.hash = number, line["hash"]
        self.kinds[line["kind"]] += 1
        if line["kind"] == "ReportReceived":
            self._time(line["reference"])

    def _time(self, reference: str) -> None:
        """How long after the report was sent its line came here. A line may come before the answer is written down."""
        asked = self.world.ledger.asked_at(reference)
        if asked is not None:
            self.told_after.append(time.monotonic() - asked)


def _lines(answer: httpx.Response) -> Iterator[dict[str, Any]]:
    for text in answer.iter_lines():
        if text.startswith("data: "):
            yield json.loads(text.removeprefix("data: "))
