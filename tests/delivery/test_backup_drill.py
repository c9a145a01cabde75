"""The drill: a county is backed up in the middle of its day, and goes on elsewhere from there."""

import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import URL

from infra.demo import account as accounts
from infra.demo import reckoning
from infra.demo.account import Account
from infra.demo.client import Client, Ledger
from infra.demo.county import made
from infra.demo.drive import Drive, Plan
from infra.demo.truth import Truth
from infra.demo.world import World
from tests import databases
from tests.delivery.house import House, a_report, send
from tests.factories import a_picture
from tests.stack import Stack
from tests.waiting import until

pytestmark = pytest.mark.slow


@pytest.fixture
def county(stack: Stack) -> House:
    """The made-up county, running."""
    lived_in = House(stack)
    assert lived_in.command("demo", "load").returncode == 0
    stack.start_all()
    return lived_in


@pytest.fixture
def elsewhere(county: House, server: URL, tmp_path: Path) -> Iterator[House]:
    """Another machine: an empty database, no photos, a Redis of its own, and the secret key. Nothing runs."""
    url = databases.create(server)
    (tmp_path / "elsewhere").mkdir()
    key = county.stack.variables["ROADMEND_SECRET_KEY"]
    stack = Stack(tmp_path / "elsewhere", databases.as_setting(url), secret_key=key)
    yield House(stack)
    stack.stop_all()
    databases.drop(url)


@dataclass
class Photographer:
    """A resident who reports and sends a photo, again and again; `taken`: SHA-256 by the photo's reference."""

    url: str
    taken: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(60)

    def _go(self) -> None:
        with httpx.Client(base_url=self.url, timeout=30) as client:
            while not self._stop.is_set():
                with suppress(httpx.TransportError):
                    self._once(client, len(self.taken))

    def _once(self, client: httpx.Client, number: int) -> None:
        body = a_report(60.0 * (number % 40))
        answer = client.post("/api/v1/reports", json=body, headers={"Idempotency-Key": uuid4().hex})
        if answer.status_code != 201:
            return
        told, picture = answer.json(), a_picture(number)
        answer = client.post(
            f"/api/v1/reports/{told['reference']}/photos",
            files={"photo": ("hole.jpg", picture)},
            headers={"Authorization": f"Bearer {told['tracking']['secret']}"},
        )
        if answer.status_code == 201:
            self.taken[answer.json()["reference"]] = sha256(picture).digest()


@contextmanager
def photographed(url: str) -> Iterator[Photographer]:
    """A photographer goes about for as long as the block lasts."""
    photographer = Photographer(url)
    try:
        yield photographer
    finally:
        photographer.stop()


@contextmanager
def driven(county: House, account: Account) -> Iterator[tuple[Drive, dict[str, Any]]]:
    """A day of the county's, which comes to rest at the end of the block; then it holds what came of it."""
    drive, day = Drive(county.stack.url, account, Plan(seconds=6, seed=5, speed=5)), dict[str, Any]()
    driving = threading.Thread(target=lambda: day.update(drive.run(lambda _: None)), daemon=True)
    driving.start()
    try:
        yield drive, day
    except BaseException:
        drive.world.stop.set()
        raise
    finally:
        driving.join(180)


def test_a_county_that_was_backed_up_in_use_goes_on_elsewhere(county: House, elsewhere: House, tmp_path: Path) -> None:
    account = accounts.read(county.stack.folder / "demo.json")
    assert account is not None
    folder = tmp_path / "backup"

    # Backed up while residents, vehicles, operators and crews go on: nobody notices.
    with driven(county, account) as (drive, day), photographed(county.stack.url) as photographer:
        until(lambda: drive.world.ledger.visits and len(photographer.taken) > 10, 120, "a visit and photos")
        promised, taken = _copy(drive.world.ledger), dict(photographer.taken)
        backed_up = county.command("backup", str(folder))
        assert backed_up.returncode == 0, backed_up.stderr
        after = until(lambda: set(photographer.taken) - set(taken), 60, "photos after the backup")
    assert day["broken promises"] == []
    history = _lines(county.stack.url, account)
    county.stack.stop_all()

    # Restored elsewhere: whole, and the doctor finds it so before anything runs.
    restored = elsewhere.command("restore", str(folder))
    assert restored.returncode == 0, restored.stderr
    assert elsewhere.broken() == []
    elsewhere.stack.start_all()
    assert send(elsewhere.stack.url, a_report(-500.0)).status_code == 201
    elsewhere.comes_to_rest()

    # Every promise that was made before the backup began is kept.
    assert _broken(elsewhere.stack.url, account, promised) == []
    kept = _photos(elsewhere)
    assert {name: kept.get(name) for name in taken} == taken
    assert after - set(kept), "nothing came after the backup: this proves nothing"

    # Followers of the feed: who had read no further goes on without a gap; who had is told.
    newest = json.loads((folder / "manifest.json").read_text())["feed_number"]
    assert history[-1]["number"] > newest
    old = history[newest - 5]
    follows = _lines(elsewhere.stack.url, account, last=_id(old))
    assert follows[:4] == history[newest - 4 : newest]
    assert [line["number"] for line in follows] == list(range(old["number"] + 1, len(follows) + old["number"] + 1))
    assert follows[4]["hash_before"] == history[newest - 1]["hash"]
    assert _lines(elsewhere.stack.url, account, last=_id(history[-1]), most=1)[0]["kind"] == "Reset"


def _copy(ledger: Ledger) -> Ledger:
    """What was promised until now."""
    with ledger.lock:
        return Ledger(dict(ledger.reports), dict(ledger.secrets), dict(ledger.batches), deepcopy(ledger.visits))


def _broken(url: str, account: Account, promised: Ledger) -> list[str]:
    """Which of these promises are not kept there."""
    world = World(url, account, Truth(made(), 5), promised, 5)
    with closing(world.client()) as client:
        client.sign_in(account.who("supervisor"))
        reckoning.promises(world, client, reckoning.reports(world, client))
    return promised.broken


def _photos(house: House) -> dict[str, bytes]:
    """SHA-256 of every original that a row names, by its reference."""
    named = house.ask("SELECT array_agg(reference) FROM photo")
    originals = Path(house.stack.variables["ROADMEND_PHOTO_DIR"]) / "original"
    return {name: sha256((originals / name[:2] / name).read_bytes()).digest() for name in named}


def _lines(url: str, account: Account, last: str = "0", most: int = 1_000_000) -> list[dict[str, Any]]:
    """What the feed tells a supervisor after an id, until nothing new is there."""
    with closing(Client(url, Ledger(), threading.Event())) as client:
        client.sign_in(account.who("supervisor"))
        newest = _newest(client)
        found: list[dict[str, Any]] = []
        with client.stream("/api/v1/feed", last) as answer:
            for text in answer.iter_lines():
                if text.startswith("data: "):
                    found.append(json.loads(text[6:]))
                    if len(found) == most or found[-1]["number"] >= newest:
                        return found
    return found


def _newest(client: Client) -> int:
    told = client.ask("GET", "/metrics").text
    return int(float(next(line for line in told.splitlines() if line.startswith("roadmend_feed_line ")).split()[1]))


def _id(line: dict[str, Any]) -> str:
    return f"{line['number']}-{line['hash'][:8]}"
