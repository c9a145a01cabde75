"""What the county's people were promised, beyond what the demo's ledger keeps, and what they may send once more."""

import hashlib
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from infra.demo.client import Asked, Ledger

REPORTS, VISITS, DETECTIONS = "/api/v1/reports", "/api/v1/visits", "/api/v1/detections"
SKEWED_SECONDS = 900.0
"""A phone that is off by more than this was set wrong by us: a retry is at most a client's patience late."""
MOST_RECENT = 300


@dataclass(frozen=True, slots=True)
class Said:
    """A request that was answered well, and the answer: whoever sends it again must be told the same."""

    asked: Asked
    answer: Mapping[str, Any]


@dataclass
class Promises(Ledger):
    """A ledger that also keeps photos by their bytes, keys by their reports, and the clocks that were wrong."""

    photos: dict[str, str] = field(default_factory=dict)
    """By reference: the SHA-256 of what was sent."""
    keys: dict[str, str] = field(default_factory=dict)
    """By Idempotency-Key: the report that was promised."""
    skewed: dict[str, float] = field(default_factory=dict)
    """By a visit's own id: by how many seconds its phone's clock was wrong."""
    recent: deque[Said] = field(default_factory=lambda: deque(maxlen=MOST_RECENT))

    def heard(self, asked: Asked, answer: httpx.Response) -> None:
        """Remember what was promised, whoever asked."""
        if asked.method != "POST" or answer.status_code not in (200, 201, 202):
            return
        keep = self._keeper(asked.path)
        if keep is not None:
            told = answer.json()
            with self.lock:
                keep(asked, told)
                self.recent.append(Said(asked, told))

    def _keeper(self, path: str) -> Any:
        if path.endswith("/photos"):
            return self._photo
        return {REPORTS: self._report, VISITS: self._visit, DETECTIONS: lambda *_: None}.get(path)

    def _report(self, asked: Asked, told: Mapping[str, Any]) -> None:
        self.keys[asked.request["headers"]["Idempotency-Key"]] = told["reference"]

    def _photo(self, asked: Asked, told: Mapping[str, Any]) -> None:
        _, data, _ = asked.request["files"]["photo"]
        self.photos[told["reference"]] = hashlib.sha256(data).hexdigest()

    def _visit(self, asked: Asked, told: Mapping[str, Any]) -> None:
        body = asked.request["json"]
        if body["client_id"] in self.visits:
            return
        self.visits[body["client_id"]] = told["order"]
        wrong = (datetime.fromisoformat(body["sent_at"]) - datetime.now(UTC)).total_seconds()
        if abs(wrong) > SKEWED_SECONDS:
            self.skewed[body["client_id"]] = wrong

    def told(self) -> dict[str, int]:
        """How many promises of each kind stand."""
        return {
            "reports": len(self.reports),
            "batches": len(self.batches),
            "visits": len(self.visits),
            "of them by a wrong clock": len(self.skewed),
            "photos": len(self.photos),
        }
