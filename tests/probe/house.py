"""What is probed: the real processes on a county where two contractors, two vendors and a resident have something."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import make_url, select

from shared.domain.terms import Role, VisitOutcome
from shared.flows import manage_access, record_visit
from shared.store.engine import WriteTx, transaction
from shared.store.tables import defect, recall
from tests import databases
from tests.factories import a_defect, a_verified_repair, a_visit, adopt_default_policy, an_order, triaged
from tests.stack import Stack

AREAS = {"alder": "E07000123", "birch": "E07000117"}
"""A contractor's code, and an area that the shipped policy gives to it."""
APART_M = 5_000.0
PASSWORD = "a long enough password"
PEOPLE = {f"{role}@roadmend.example": role for role in (Role.OPERATOR, Role.SUPERVISOR, Role.ADMIN)}
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Works:
    """What one contractor has: an order that is issued, and a repair under warranty that has failed."""

    order: str
    visited: str
    visit: str
    defect: str
    recall: str


@dataclass
class House:
    """A running stack, a client of nobody's, and what everybody has. Times are aware."""

    stack: Stack
    works: dict[str, Works] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    """By the name of a role, a contractor or a vendor: its key, which holds every scope; the clerk's only `search`."""
    report: str = ""

    def __post_init__(self) -> None:
        self._client = httpx.Client(base_url=self.stack.url, timeout=60)

    def bearer(self, who: str) -> dict[str, str]:
        """The headers of somebody; of the public, none."""
        return {"Authorization": f"Bearer {self.keys[who]}"} if who in self.keys else {}

    def ask(self, method: str, path: str, who: str = "public", **more: Any) -> httpx.Response:
        """Ask as somebody, without any cookie that came before."""
        headers = {**self.bearer(who), **more.pop("headers", {})}
        self._client.cookies.clear()
        return self._client.request(method, path, headers=headers, **more)

    def post_report(self, **more: Any) -> dict[str, Any]:
        """A resident sends a report. Returns what is answered."""
        answer = self.ask("POST", "/api/v1/reports", json=a_report(**more))
        assert answer.status_code == 201, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def close(self) -> None:
        self._client.close()
        self.stack.stop_all()

    def log(self, name: str) -> str:
        """All that a process has written."""
        return Path(self.stack.folder / f"{name}.log").read_text(errors="replace")

    def prepare(self) -> None:
        """Before anything runs: policy, keys, people, and the works of both contractors."""
        with databases.in_force(make_url(self.stack.variables["ROADMEND_DATABASE_URL"])), transaction("test") as tx:
            adopt_default_policy(tx)
            for at, (code, area) in enumerate(AREAS.items()):
                self.works[code] = _works(tx, area, at * APART_M)
            self._let_in(tx)

    def _let_in(self, tx: WriteTx) -> None:
        for role in (Role.OPERATOR, Role.SUPERVISOR, Role.ADMIN):
            self.keys[role] = _key(tx, role)
        self.keys["clerk"] = _key(tx, Role.OPERATOR, "search")
        for code in AREAS:
            self.keys[code] = _key(tx, Role.CONTRACTOR, contractor=code)
        for source in ("van", "bus"):
            self.keys[source] = _key(tx, Role.VENDOR, source=source)
        for email, role in PEOPLE.items():
            manage_access.add_person(tx, email, role.title(), role, datetime.now(UTC), password=PASSWORD)

    def move_in(self) -> None:
        """Once it runs: a resident's report with a photo, whose secret is the key of "reporter"."""
        told = self.post_report()
        self.report, self.keys["reporter"] = told["reference"], told["tracking"]["secret"]


def a_report(**more: Any) -> Mapping[str, Any]:
    """A report of a pothole in Preston, far from the contractors' works."""
    return {"category": "pothole", "location": {"lat": 53.7583, "lon": -2.7062, "accuracy_m": 5}, **more}


def _key(tx: WriteTx, role: Role, scope: str = "*", **of: str) -> str:
    return manage_access.make_key(tx, f"{role} of a probe", role, [scope], datetime.now(UTC), **of).told


def _works(tx: WriteTx, area: str, metres_north: float) -> Works:
    now = datetime.now(UTC)
    here = {"area_code": area, "northing": 430_000.0 + metres_north}
    waiting = an_order(tx, a_defect(tx, **here, easting=353_500.0), now=now - DAY / 4)
    mended = a_defect(tx, **here, known_at=now - 2 * DAY, street_key="low-street")
    an_order(tx, mended, now=now - DAY)
    lat, lon = tx.execute(select(defect.c.lat, defect.c.lon).where(defect.c.id == mended)).one()
    order = a_verified_repair(tx, mended, now, length_m=1.2, width_m=0.8, lat=lat, lon=lon)
    triaged(tx, now, northing=here["northing"], street_key="low-street")
    told = a_visit(waiting, VisitOutcome.MADE_SAFE, now - DAY / 8)
    record_visit.record(WriteTx(tx.connection, "person:77"), told, waiting.contractor_id, now)
    return Works(
        order=waiting.reference,
        visited=order.reference,
        visit=str(told.client_id),
        defect=str(tx.scalar(select(defect.c.reference).where(defect.c.id == mended))),
        recall=str(tx.scalar(select(recall.c.reference).where(recall.c.defect_id == mended))),
    )
