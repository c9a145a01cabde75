"""Who else has a thing open: told to staff, forgotten when they leave, and nothing breaks without Redis."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from services.api import presence
from services.api.main import create_app
from services.api.presence import View
from shared.domain.terms import Role
from shared.flows import manage_access
from shared.settings import settings
from shared.store import references
from shared.store.engine import transaction
from tests.api.conftest import ORIGIN, MakeKey

PASSWORD = "a long password for tests"
NOBODY = "redis://127.0.0.1:1/0"
"""Nothing listens there."""


@dataclass(frozen=True)
class Desk:
    """A browser with somebody signed in."""

    client: TestClient
    token: str
    view: str

    def look(self, subject: str, **more: Any) -> list[Any]:
        answer = self._post("", {"subject": subject, "view": self.view, **more})
        assert answer.status_code == 200, answer.text
        others: list[Any] = answer.json()["others"]
        return others

    def leave(self, subject: str) -> None:
        assert self._post("/leave", {"subject": subject, "view": self.view}).status_code == 204

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        return self.client.post(f"/api/v1/presence{path}", json=body, headers={"X-CSRF-Token": self.token})


def at_a_desk(name: str) -> Desk:
    email = f"{uuid4().hex}@roads.example"
    with transaction("test") as tx:
        manage_access.add_person(tx, email, name, Role.OPERATOR, datetime.now(UTC), password=PASSWORD)
    client = TestClient(create_app(), base_url=ORIGIN)
    token = client.post("/api/v1/sign-in", json={"email": email, "password": PASSWORD}).json()["csrf_token"]
    return Desk(client, token, uuid4().hex[:8])


@pytest.fixture
def subject() -> str:
    """A reference that no other test looks at."""
    return references.fresh("D")


@pytest.fixture
def desks(api: TestClient) -> tuple[Desk, Desk]:
    del api
    return at_a_desk("Ada Fell"), at_a_desk("Ben Carr")


def test_two_who_look_at_one_thing_see_each_other(desks: tuple[Desk, Desk], subject: str) -> None:
    ada, ben = desks
    assert ada.look(subject) == []

    (seen,) = ben.look(subject.lower(), writing=True)

    assert (seen["name"], seen["writing"]) == ("Ada Fell", False)
    (back,) = ada.look(subject)
    assert (back["name"], back["writing"]) == ("Ben Carr", True)


def test_who_leaves_is_not_shown_any_more(desks: tuple[Desk, Desk], subject: str) -> None:
    ada, ben = desks
    ben.look(subject)

    ben.leave(subject)

    assert ada.look(subject) == []


def test_a_key_is_told_who_is_there_and_is_not_shown(
    api: TestClient, a_key: MakeKey, desks: tuple[Desk, Desk], subject: str
) -> None:
    headers = a_key(Role.OPERATOR).headers
    desks[0].look(subject)
    posted = api.post("/api/v1/presence", json={"subject": subject, "view": "a"}, headers=headers)

    read = api.get("/api/v1/presence", params={"subject": [subject, references.fresh("D")]}, headers=headers)

    assert [one["name"] for one in posted.json()["others"]] == ["Ada Fell"]
    assert [(one["subject"], one["others"][0]["name"]) for one in read.json()] == [(subject, "Ada Fell")]
    assert desks[0].look(subject) == []


def test_who_says_nothing_for_half_a_minute_counts_as_gone(api: TestClient, subject: str) -> None:
    del api
    now = datetime.now(UTC)
    board = presence.board()
    board.look(View(subject, 7, "one"), now)

    (still,) = board.at([subject], now + timedelta(seconds=29))[subject]
    gone = board.at([subject], now + timedelta(seconds=31))[subject]

    assert (still.person_id, gone) == (7, [])


def test_two_pages_of_one_person_are_one_person_since_the_first(api: TestClient, subject: str) -> None:
    del api
    now = datetime.now(UTC).replace(microsecond=0)
    board = presence.board()
    board.look(View(subject, 7, "one", writing=True), now)

    board.look(View(subject, 7, "two"), now + timedelta(seconds=5))
    (one,) = board.look(View(subject, 7, "two"), now + timedelta(seconds=9))

    assert (one.person_id, one.since, one.writing) == (7, now, True)


@pytest.fixture
def without_redis(api: TestClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    del api
    monkeypatch.setenv("ROADMEND_REDIS_URL", NOBODY)
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


@pytest.mark.usefixtures("without_redis")
def test_without_redis_nobody_is_shown_and_nothing_breaks(desks: tuple[Desk, Desk], subject: str) -> None:
    ada, ben = desks

    assert (ada.look(subject), ben.look(subject)) == ([], [])
    ben.leave(subject)
    headers = {"X-CSRF-Token": ada.token}
    assert ada.client.get("/api/v1/presence", params={"subject": subject}, headers=headers).json() == []
