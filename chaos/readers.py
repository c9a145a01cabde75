"""Readers of the live feed who come back after every cut, and remember each line that they ever saw."""

import json
import threading
from collections.abc import Iterator, Sequence
from random import Random

import httpx

from infra.demo.account import SignIn
from infra.demo.client import Client, GaveUp
from infra.demo.world import World

Seen = tuple[int, str, str]
"""A line's number, the hash before it, and its own."""
HANGS_UP_AFTER = (5, 60)


class Reader:
    """One reader, from the first line on. `who` None: one of the public. Restless: it hangs up by itself now and then.

    It resumes as a browser does: from the last id that it was told, with or without a line of it.
    """

    def __init__(self, name: str, world: World, who: SignIn | None, *, restless: bool = False) -> None:
        self.name, self.world, self.who = name, world, who
        self.seen: list[Seen] = []
        self.place = "0"
        self.connections = 0
        self._restless = Random(name) if restless else None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def last(self) -> int:
        """The number of the last line that it was told of."""
        return int(self.place.partition("-")[0])

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End at the next line or beat; a thread that waits for one is left to the end of the process."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            client = Client(self.world.url, self.world.ledger, self._stop)
            try:
                if self.who is not None:
                    client.sign_in(self.who)
                self._read(client)
            except (httpx.HTTPError, GaveUp):
                self._stop.wait(0.3)
            finally:
                client.close()

    def _read(self, client: Client) -> None:
        left = self._restless.randint(*HANGS_UP_AFTER) if self._restless else -1
        with client.stream("/api/v1/feed", self.place) as answer:
            answer.raise_for_status()
            self.connections += 1
            for place, line in _events(answer):
                if line is not None:
                    self.seen.append(line)
                    left -= 1
                self.place = place
                if self._stop.is_set() or left == 0:
                    return


def _events(answer: httpx.Response) -> Iterator[tuple[str, Seen | None]]:
    """Whole events only, as a browser takes them: what was cut off before its empty line never came."""
    place, line = None, None
    for text in answer.iter_lines():
        if text.startswith("id: "):
            place = text.removeprefix("id: ")
        elif text.startswith("data: "):
            said = json.loads(text.removeprefix("data: "))
            # A reset has no hashes: it stands among the lines as one that the record does not hold.
            line = (int(said["number"]), str(said.get("hash_before")), str(said.get("hash")))
        elif not text and place is not None:
            yield place, line
            place, line = None, None


def lies(name: str, seen: Sequence[Seen], record: Sequence[Seen]) -> list[str]:
    """What a reader saw amiss. `record`: every line that was for it, as it is kept, in order."""
    told = [line for line, before in zip(seen, [(0, "", ""), *seen], strict=False) if line[0] <= before[0]]
    if told:
        return [f"{name} saw line {told[0][0]} twice or out of order ({len(told)} such)"]
    had, kept = {line[0]: line for line in seen}, {line[0]: line for line in record}
    missed = sorted(kept.keys() - had.keys())
    foreign = sorted(number for number in had if had[number] != kept.get(number))
    found = [f"{name} never saw line {missed[0]} ({len(missed)} such of {len(kept)})"] if missed else []
    return found + ([f"{name} saw another line {foreign[0]} than is kept ({len(foreign)} such)"] if foreign else [])
