"""How the simulated ones talk to Roadmend: real requests, asked again as real clients do, and what they were promised.

A client that gets no answer, or is told to wait, asks again with the same key. What was answered is written into the
ledger; whatever contradicts it later is a broken promise.
"""

import threading
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import httpx

from infra.demo.account import SignIn

PATIENCE_SECONDS = 90.0
"""A client asks again for so long before it gives up."""
MOST_KEPT = 200


@dataclass
class Ledger:
    """What was promised, what was broken, and how it went. Every method may be called from any thread."""

    reports: dict[str, int | None] = field(default_factory=dict)
    """By reference: the number of the hole that was meant; None when none was."""
    secrets: dict[str, str] = field(default_factory=dict)
    batches: dict[str, int] = field(default_factory=dict)
    visits: dict[str, str] = field(default_factory=dict)
    """By the visit's own id: the order that it was told for."""
    sent: dict[str, float] = field(default_factory=dict)
    """By a report's reference: when its answer was asked for, in monotonic seconds."""
    broken: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lock = threading.Lock()

    def count(self, what: str, times: int = 1) -> None:
        with self.lock:
            self.counts[what] += times

    def broke(self, sentence: str) -> None:
        """A promise was broken."""
        with self.lock:
            if len(self.broken) < MOST_KEPT:
                self.broken.append(sentence)
            self.counts["promises broken"] += 1

    def promised_report(self, reference: str, hole: int | None, secret: str, asked: float) -> None:
        with self.lock:
            self.reports[reference] = hole
            self.secrets[reference] = secret
            self.sent[reference] = asked

    def asked_at(self, reference: str, patience: float = 0.25) -> float | None:
        """When this report was sent. Its line in the feed may come a little before its answer is written down here."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            with self.lock:
                if reference in self.sent:
                    return self.sent[reference]
            time.sleep(0.002)
        return None

    def took(self, seconds: float) -> None:
        with self.lock:
            self.seconds.append(seconds)

    def heard(self, asked: "Asked", answer: httpx.Response) -> None:
        """An answer came that is not "later". For who keeps more of it than the ledger does."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it was sent, and by whom: it may be sent once more."""

    client: "Client"
    method: str
    path: str
    request: Mapping[str, Any]


class GaveUp(Exception):
    """The service did not answer for longer than a client waits, or was stopped."""


class Client:
    """One client. `stop` ends its waiting.

    `asked`: when its last request was sent, in monotonic seconds. One that was told to wait is sent anew after it; one
    whose answer was lost may have been taken the first time.
    """

    def __init__(self, url: str, ledger: Ledger, stop: threading.Event) -> None:
        self.asked, self._told_to_wait = 0.0, True
        self.ledger, self._stop = ledger, stop
        self._http = httpx.Client(base_url=url, timeout=15.0, headers={"User-Agent": "roadmend-demo"})
        self.is_signed_in = False

    def close(self) -> None:
        self._http.close()

    def sign_in(self, who: SignIn) -> None:
        """Sign in, and send the session's token from then on."""
        answer = self.ask("POST", "/api/v1/sign-in", json={"email": who.email, "password": who.password})
        answer.raise_for_status()
        self._http.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
        self.is_signed_in = True

    def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Ask until there is an answer that is not "later". Whoever may not repeat a request gives it a key.

        Raises:
            GaveUp: there was none in time.
        """
        deadline, wait = time.monotonic() + PATIENCE_SECONDS, 0.1
        self._told_to_wait = True
        while True:
            answer = self._once(method, path, request)
            if answer is not None:
                self.ledger.heard(Asked(self, method, path, request), answer)
                return answer
            if time.monotonic() > deadline or self._stop.wait(min(wait, 2.0)):
                raise GaveUp(f"{method} {path}")
            wait *= 2

    def _once(self, method: str, path: str, request: Mapping[str, Any]) -> httpx.Response | None:
        began = time.monotonic()
        self.asked, self._told_to_wait = began if self._told_to_wait else self.asked, False
        try:
            answer = self._http.request(method, path, **request)
        except httpx.TransportError as error:
            self.ledger.count(f"no answer ({type(error).__name__})")
            return None
        self.ledger.took(time.monotonic() - began)
        if answer.status_code in (429, 503):
            self._told_to_wait = True
            self.ledger.count(f"told to wait ({answer.status_code})")
            if "Retry-After" not in answer.headers:
                self.ledger.broke(f"{method} {path} was answered {answer.status_code} without Retry-After")
            return None
        if answer.status_code >= 500:
            self.ledger.broke(f"{method} {path} was answered {answer.status_code}: {answer.text[:200]}")
        return answer

    def stream(self, path: str, last: str | None) -> AbstractContextManager[httpx.Response]:
        """Server-Sent Events from after the one of that id, until the caller leaves."""
        headers = {} if last is None else {"Last-Event-ID": last}
        return self._http.stream("GET", path, headers=headers, timeout=httpx.Timeout(15.0, read=40.0))

    def get(self, path: str, **params: Any) -> Any:
        """Read something as JSON; None when it is not there."""
        answer = self.ask("GET", path, params={name: value for name, value in params.items() if value is not None})
        return answer.json() if answer.status_code == 200 else None

    def post(self, path: str, body: Any = None, *, key: str | None = None, **request: Any) -> httpx.Response:
        """Send something, with a key where sending it twice must count once."""
        headers = {**request.pop("headers", {}), **({"Idempotency-Key": key} if key else {})}
        if body is not None:
            request["json"] = body
        return self.ask("POST", path, headers=headers, **request)

    def pages(self, path: str, rows: str, **params: Any) -> list[dict[str, Any]]:
        """Every row of a paged list."""
        found: list[dict[str, Any]] = []
        after = None
        while True:
            page = self.get(path, **params, after=after) or {}
            found += page.get(rows, [])
            after = page.get("next")
            if not after:
                return found
