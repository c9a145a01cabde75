"""A running Roadmend under test: its stack, its database, and residents who send reports as real clients would."""

import json
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import psycopg
from sqlalchemy import make_url

from infra.native.layout import ROOT, VENV
from shared.store.engine import transaction
from tests import databases
from tests.factories import adopt_default_policy
from tests.stack import Stack
from tests.waiting import until

NORTH_OF_M = 1 / 111_300.0
"""Degrees of latitude in a metre, nearly."""
PLACE = (53.7642, -2.7144)


class House:
    """`db` is the test's own connection; it commits each statement."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.address = databases.as_driver(make_url(stack.variables["ROADMEND_DATABASE_URL"]))

    def adopt_policy(self) -> None:
        """Put the shipped policy in force, before anything runs."""
        with databases.in_force(make_url(self.stack.variables["ROADMEND_DATABASE_URL"])), transaction("test") as tx:
            adopt_default_policy(tx)

    def ask(self, statement: str, *values: Any) -> Any:
        """The first column of the first row."""
        with psycopg.connect(self.address, autocommit=True) as db:
            row = db.execute(statement, values).fetchone()
            return None if row is None else row[0]

    def tell(self, statement: str, *values: Any) -> None:
        """A statement that changes something."""
        with psycopg.connect(self.address, autocommit=True) as db:
            db.execute(statement, values)

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The `roadmend` command, on this house."""
        told = [str(VENV / "bin" / "roadmend"), *words]
        environment = dict(self.stack.environment())
        return subprocess.run(told, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120)

    def is_at_rest(self) -> bool:
        """Nothing is due or waiting."""
        return bool(self.ask("SELECT count(*) = 0 FROM delivery WHERE parked_at IS NULL"))

    def comes_to_rest(self, seconds: float = 90) -> None:
        until(self.is_at_rest, seconds, "every delivery to be heard")

    def broken(self) -> list[str]:
        """What the doctor finds, a line each; nothing when all is well."""
        said = self.command("doctor", "--audit", "--json")
        assert said.returncode in (0, 1), said.stderr
        findings = json.loads(said.stdout)["findings"]
        return [f"{one['check']}: {ref}" for one in findings for ref in (one["shown"] or ["?"]) if one["broken"]]

    @contextmanager
    def held(self, table: str) -> Iterator[None]:
        """Nobody writes to a table for as long as this lasts: who tries stands in the middle of its transaction."""
        with psycopg.connect(self.address) as db:
            db.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
            yield
            db.rollback()

    def waiting_for_a_lock(self) -> int:
        """How many stand before the table that is held, or behind one who does."""
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return int(self.ask(waiting))

    def vendor_key(self) -> str:
        """A key of a survey fleet's own."""
        told = self.command("keys", "make", "Van", "--role", "vendor", "--scope", "detections:write", "--source", "van")
        assert told.returncode == 0, told.stderr
        return told.stdout.strip()


def a_report(metres_north: float = 0.0, **more: Any) -> dict[str, Any]:
    """A report of a pothole, so far north of the place."""
    where = {"lat": PLACE[0] + metres_north * NORTH_OF_M, "lon": PLACE[1], "accuracy_m": 4}
    return {"category": "pothole", "location": where, "description": "A hole.", **more}


def send(url: str, body: Mapping[str, Any], key: str | None = None) -> httpx.Response:
    """Send one report once."""
    return httpx.post(f"{url}/api/v1/reports", json=body, headers={"Idempotency-Key": key or uuid4().hex}, timeout=30)


def survey(url: str, key: str, survey_pass: str, places: Sequence[float]) -> None:
    """A vehicle sees a pothole at each of these places, metres north of the place."""
    items = [
        {
            "external_id": f"{survey_pass}-{metres}",
            "survey_pass_id": survey_pass,
            "captured_at": datetime.now(UTC).isoformat(),
            "class_code": "D40",
            "confidence": 0.9,
            "lat": PLACE[0] + metres * NORTH_OF_M,
            "lon": PLACE[1],
            "h_accuracy_m": 2,
        }
        for metres in places
    ]
    headers = {"Authorization": f"Bearer {key}"}
    answer = httpx.post(f"{url}/api/v1/detections", json=items, headers=headers, timeout=30)
    assert answer.json()["accepted"] == len(items), answer.text


@dataclass
class Load:
    """Residents who go on sending until told to stop, and send again, with the same key, what was not answered."""

    url: str
    threads: int = 4
    accepted: dict[str, str] = field(default_factory=dict)
    """By key: the reference that was promised."""
    refused: list[str] = field(default_factory=list)
    """Answers that no client should get."""
    waited: int = 0
    """How often a clean 503 said to come again."""
    lost: int = 0
    """How often the connection broke before an answer."""
    slowest: float = 0.0

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._number = 0

    @contextmanager
    def running(self) -> Iterator["Load"]:
        """Send for as long as the block lasts; whoever waits for an answer still gets it."""
        threads = [threading.Thread(target=self._send, daemon=True) for _ in range(self.threads)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(60)

    def _send(self) -> None:
        with httpx.Client(base_url=self.url, timeout=20) as client:
            while not self._stop.is_set():
                with self._lock:
                    self._number += 1
                    body = a_report(metres_north=(self._number % 40) * 80.0)
                self._until_answered(client, body, uuid4().hex)
                time.sleep(0.02)

    def _until_answered(self, client: httpx.Client, body: Mapping[str, Any], key: str) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self._once(client, body, key):
                return
            time.sleep(0.1)
        self.refused.append("no answer in a minute")

    def _once(self, client: httpx.Client, body: Mapping[str, Any], key: str) -> bool:
        began = time.monotonic()
        try:
            answer = client.post("/api/v1/reports", json=body, headers={"Idempotency-Key": key})
        except httpx.TransportError:
            self.lost += 1
            return False
        self.slowest = max(self.slowest, time.monotonic() - began)
        if answer.status_code == 201:
            self._keep(key, answer.json()["reference"])
            return True
        if answer.status_code == 503 and answer.headers.get("Retry-After"):
            self.waited += 1
            return False
        self.refused.append(f"{answer.status_code}: {answer.text[:200]}")
        return True

    def _keep(self, key: str, reference: str) -> None:
        with self._lock:
            self.accepted[key] = reference
