"""What goes wrong at the clients' end: a full disk for photos, wrong clocks, and everything sent once more."""

import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, ClassVar
from uuid import UUID

import httpx

from chaos.canary import Canary
from chaos.promises import DETECTIONS, REPORTS, VISITS, Promises, Said
from chaos.site import Site
from infra.demo.client import Client, GaveUp
from infra.demo.drive import Drive
from infra.demo.shots import shot
from infra.demo.truth import to_wgs84
from infra.demo.vehicles import Vehicle

CLOCKS_OFF = tuple(timedelta(minutes=minutes) for minutes in (-26 * 60, -180, -45, 40, 120, 24 * 60))
FULL_SECONDS = (1.0, 5.0)
PASSES_OF_YESTERDAY = 6


class Mischief(ABC):
    """One kind. Returns the seconds that it took to be as before, where that can be measured."""

    kind: ClassVar[str]

    def __init__(self, site: Site, drive: Drive, canary: Canary, random: Random) -> None:
        self.site, self.drive, self.canary, self.random = site, drive, canary, random
        self.world = drive.world

    @property
    def promises(self) -> Promises:
        ledger = self.world.ledger
        assert isinstance(ledger, Promises)
        return ledger

    @abstractmethod
    def happen(self, client: Client) -> float | None:
        """Let it happen once."""


class DiskFull(Mischief):
    """A resident's photo is refused cleanly while there is no room, and taken when there is."""

    kind = "disk for photos full"

    def happen(self, client: Client) -> float | None:
        assert self.site.disk is not None
        reference, secret = self.canary.report()
        photo = _Photo(self.world.url, reference, secret, self._picture())
        self.site.disk.fill()
        try:
            self._is_refused(photo)
            self.world.stop.wait(self.random.uniform(*FULL_SECONDS))
        finally:
            self.site.disk.empty()
        began = time.monotonic()
        answer = client.post(photo.path, headers=photo.headers, files=photo.files)
        if answer.status_code not in (200, 201):
            self.promises.broke(f"a photo of {reference} with room again was answered {answer.status_code}")
        return time.monotonic() - began

    def _picture(self) -> bytes:
        hole = self.canary.hole()
        return shot(self.random, mended=False, at=None, place=to_wgs84(hole.x, hole.y))

    def _is_refused(self, photo: "_Photo") -> None:
        """Send it until it is refused for want of room; other faults may stand in the way meanwhile."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            answer = photo.sent_once()
            if answer is not None and answer.is_success:
                self.promises.broke(f"a photo was taken ({answer.text[:100]}) on a disk that is full")
                return
            if answer is not None and "storage-full" in answer.text:
                if answer.status_code != 503 or "Retry-After" not in answer.headers:
                    self.promises.broke(f"a photo without room was answered {answer.status_code}: {answer.text[:200]}")
                self.promises.count("photos refused for want of room")
                return
            self.world.stop.wait(0.2)


class _Photo:
    """A resident's photo, ready to be sent."""

    def __init__(self, url: str, reference: str, secret: str, data: bytes) -> None:
        self.url, self.path = url, f"{REPORTS}/{reference}/photos"
        self.headers = {"Authorization": f"Bearer {secret}"}
        self.files = {"photo": ("hole.jpg", data, "image/jpeg")}

    def sent_once(self) -> httpx.Response | None:
        try:
            return httpx.post(self.url + self.path, headers=self.headers, files=self.files, timeout=15)
        except httpx.TransportError:
            return None


class PhoneSkewed(Mischief):
    """The clock of a crew's phone goes wrong until the crew has told of a visit by it, or for a while."""

    kind = "phone's clock wrong"

    def happen(self, client: Client) -> float | None:
        del client
        crew, before = self.random.choice(self.drive.crews), len(self.promises.skewed)
        crew.clock_off = self.random.choice(CLOCKS_OFF)
        deadline = time.monotonic() + 12
        while time.monotonic() < deadline and not self.world.stop.wait(0.1):
            if len(self.promises.skewed) > before:
                break
        crew.clock_off = timedelta(0)
        return None


class SentAgain(Mischief):
    """A few requests that were answered are sent again as they were: the answer must be about the same thing."""

    kind = "request sent again"

    def happen(self, client: Client) -> float | None:
        del client
        with self.promises.lock:
            recent = list(self.promises.recent)
        for said in self.random.sample(recent, min(4, len(recent))):
            self._again(said)
        return None

    def _again(self, said: Said) -> None:
        asked = said.asked
        try:
            answer = asked.client.ask(asked.method, asked.path, **asked.request)
        except RuntimeError:  # its client has gone home
            return
        self.promises.count("requests sent again")
        if answer.status_code not in (200, 201, 202) or not same(asked.path, said.answer, answer.json()):
            self.promises.broke(
                f"{asked.method} {asked.path} was answered {said.answer}; the same again {answer.status_code}: "
                f"{answer.text[:300]}"
            )


def same(path: str, first: Mapping[str, Any], again: Mapping[str, Any]) -> bool:
    """Whether the second answer is about what the first one made, and made nothing."""
    if path == VISITS:
        return bool(again["client_id"] == first["client_id"] and not again["new"])
    if path == DETECTIONS:
        return bool(again["accepted"] == 0 and again["repeated"] == first["accepted"] + first["repeated"])
    return bool(again["reference"] == first["reference"])


class SentAtOnce(Mischief):
    """An impatient thumb: one new report, four times at the same instant, under one key."""

    kind = "request sent four times at once"

    def happen(self, client: Client) -> float | None:
        hole = self.canary.hole()
        body, key = self.canary.body(hole), UUID(int=self.random.getrandbits(128)).hex
        asked = time.monotonic()
        with ThreadPoolExecutor(4) as thumbs:
            answers = list(thumbs.map(lambda _: client.post(REPORTS, body, key=key), range(4)))
        made = Counter(answer.json()["reference"] if answer.status_code == 201 else answer.text for answer in answers)
        if len(made) != 1:
            self.promises.broke(f"one report sent four times at once was answered {made}")
        else:
            told = answers[0].json()
            self.promises.promised_report(told["reference"], hole.number, told["tracking"]["secret"], asked)
        return None


class YesterdayAgain(Mischief):
    """The vendor's uploader sends yesterday's batch: the first time late, from then on again."""

    kind = "yesterday's batch sent again"

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.van = _YesterdaysVan(self.world, "van-yesterday")

    def happen(self, client: Client) -> float | None:
        self.van.upload(client)
        return None


class _YesterdaysVan(Vehicle):
    """What it saw yesterday, in one batch."""

    def upload(self, client: Client) -> None:
        if self.last:
            self._upload(client, self.last, repeated=True)
            return
        items = [item for _ in range(PASSES_OF_YESTERDAY) for item in self._pass()]
        at = (datetime.now(UTC) - timedelta(days=1)).isoformat()
        driven = [{**item, "captured_at": at} for item in items]
        self._upload(client, driven, repeated=False)
        self.last = driven


KINDS: tuple[type[Mischief], ...] = (DiskFull, PhoneSkewed, SentAgain, SentAtOnce, YesterdayAgain)


class Clients:
    """Lets mischief happen on a thread of its own, beside whatever the servers suffer."""

    def __init__(self, site: Site, drive: Drive, canary: Canary, random: Random) -> None:
        kinds = [kind for kind in KINDS if kind is not DiskFull or site.disk is not None]
        self._mischief = [kind(site, drive, canary, random) for kind in kinds]
        self._world, self._random = drive.world, random
        self._client = drive.world.client()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.counts: Counter[str] = Counter()
        self.seconds: dict[str, list[float]] = {}

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        """Wait until the county has closed and what happens is over."""
        self._thread.join()

    def _run(self) -> None:
        while not self._world.closing.is_set():
            for one in self._random.sample(self._mischief, len(self._mischief)):
                if self._world.closing.wait(self._random.uniform(0.5, 3.0)):
                    return
                self._happens(one)

    def _happens(self, one: Mischief) -> None:
        try:
            seconds = one.happen(self._client)
        except GaveUp as error:
            self._world.ledger.count(f"gave up: {error}")
            return
        self.counts[one.kind] += 1
        if seconds is not None:
            self.seconds.setdefault(one.kind, []).append(seconds)
