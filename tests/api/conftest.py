"""The API in this process, on a database of its own, and askers of every role."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import URL

from services.api.main import create_app
from shared.domain.terms import Role
from shared.flows import manage_access
from shared.settings import settings
from shared.store.engine import transaction
from tests.factories import adopt_default_policy

ORIGIN = "http://testserver"


@pytest.fixture
def api(own_db: URL, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client of the whole application; the policy is in force, limits are off."""
    monkeypatch.setenv("ROADMEND_SECRET_KEY", "0123456789abcdef0123456789abcdef")
    monkeypatch.setenv("ROADMEND_RATE_LIMIT", "")
    monkeypatch.setenv("ROADMEND_PHOTO_DIR", str(tmp_path_factory.mktemp("photos")))
    monkeypatch.setenv("ROADMEND_PUBLIC_URL", ORIGIN)
    settings.cache_clear()
    with transaction("test") as tx:
        adopt_default_policy(tx)
    with TestClient(create_app(), base_url=ORIGIN, raise_server_exceptions=False) as client:
        yield client
    settings.cache_clear()


@dataclass(frozen=True)
class Key:
    """An API key as a caller sends it."""

    told: str
    prefix: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.told}"}


MakeKey = Callable[..., Key]


@pytest.fixture
def a_key(api: TestClient) -> MakeKey:
    """Make a key for a role: `a_key(Role.OPERATOR)`, `a_key(Role.CONTRACTOR, contractor="…")`."""

    def make(role: Role, *scopes: str, contractor: str | None = None, source: str | None = None) -> Key:
        with transaction("test") as tx:
            made = manage_access.make_key(
                tx, f"{role} of a test", role, scopes or ("*",), datetime.now(UTC), contractor=contractor, source=source
            )
        return Key(made.told, made.prefix)

    return make
