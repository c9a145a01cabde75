"""One report sent right after a fault: how long until it is answered, told on the live feed, and all is drained."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID

import httpx
import psycopg

from chaos.promises import REPORTS, Promises
from chaos.readers import Reader
from chaos.site import Site
from infra.demo.drive import Drive
from infra.demo.truth import Hole, to_wgs84

LOOK_EVERY_SECONDS = 0.05
_PROGRESS = """
SELECT line.number,
       report.state <> 'received' AND NOT EXISTS (
           SELECT FROM delivery WHERE delivery.event_id <= event.id AND delivery.parked_at IS NULL)
FROM report
JOIN event ON event.subject = 'report' AND event.subject_id = report.id AND event.kind = 'ReportReceived'
LEFT JOIN feed_line AS line ON line.event_id = event.id
WHERE report.reference = %s
"""


@dataclass(frozen=True, slots=True)
class Recovery:
    """Seconds since the cause was taken away: until a report is answered, its line has reached a live reader who had
    to come back, and every delivery up to it is heard. Infinite: not while we waited.
    """

    answered: float
    told: float
    drained: float


class Canary:
    """Somebody who reports standing holes, and watches what comes of it. `patience`: seconds for each."""

    def __init__(self, site: Site, drive: Drive, reader: Reader, random: Random, patience: float) -> None:
        self.site, self.drive, self.reader, self.random, self.patience = site, drive, reader, random, patience

    @property
    def promises(self) -> Promises:
        ledger = self.drive.world.ledger
        assert isinstance(ledger, Promises)
        return ledger

    def hole(self) -> Hole:
        """A hole that is there."""
        return self.random.choice(self.drive.world.truth.standing() or self.drive.world.truth.holes)

    def body(self, hole: Hole) -> dict[str, Any]:
        """A report of it, well placed."""
        lat, lon = to_wgs84(hole.x, hole.y)
        return {"category": hole.kind, "location": {"lat": lat, "lon": lon, "accuracy_m": 4}}

    def report(self) -> tuple[str, str]:
        """Report one. Returns its reference and secret.

        Raises:
            TimeoutError: nobody answered in time.
        """
        hole, key = self.hole(), UUID(int=self.random.getrandbits(128)).hex
        body, asked = self.body(hole), time.monotonic()
        told = _until(lambda: self._answer(body, key), asked + self.patience)
        if told is None:
            raise TimeoutError("a report")
        reference, secret = str(told["reference"]), str(told["tracking"]["secret"])
        self.promises.promised_report(reference, hole.number, secret, asked)
        with self.promises.lock:
            self.promises.keys[key] = reference
        return reference, secret

    def _answer(self, body: dict[str, Any], key: str) -> Any:
        url, headers = self.drive.world.url + REPORTS, {"Idempotency-Key": key}
        try:
            answer = httpx.post(url, json=body, headers=headers, timeout=5)
        except httpx.TransportError:
            return None
        if answer.status_code not in (201, 429, 503):
            self.promises.broke(f"a good report was answered {answer.status_code}: {answer.text[:200]}")
        return answer.json() if answer.status_code == 201 else None

    def measure(self, since: float) -> Recovery:
        """Report now, and watch."""
        try:
            reference, _ = self.report()
        except TimeoutError:
            return Recovery(float("inf"), float("inf"), float("inf"))
        answered = time.monotonic() - since
        deadline = time.monotonic() + self.patience
        told = self._passed(lambda: self._is_told(reference), since, deadline)
        return Recovery(answered, told, self._passed(lambda: self._progress(reference)[1], since, deadline))

    def _passed(self, condition: Callable[[], object], since: float, deadline: float) -> float:
        return time.monotonic() - since if _until(condition, deadline) else float("inf")

    def _is_told(self, reference: str) -> bool:
        number, _ = self._progress(reference)
        return number is not None and self.reader.last >= number

    def _progress(self, reference: str) -> tuple[int | None, bool]:
        """Its line's number, and whether everything up to it was heard. Nothing while the database is away."""
        try:
            with self.site.database() as db:
                row = db.execute(_PROGRESS, [reference]).fetchone()
        except psycopg.OperationalError:
            return None, False
        return (None, False) if row is None else (row[0], bool(row[1]))  # type: ignore[return-value]


def _until(condition: Callable[[], Any], deadline: float) -> Any:
    """The first answer that is true; None when there was none until then."""
    while True:
        if answer := condition():
            return answer
        if time.monotonic() > deadline:
            return None
        time.sleep(LOOK_EVERY_SECONDS)
