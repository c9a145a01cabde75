"""For those who run it: is it alive, is it ready and if not which part, and the numbers that Prometheus collects."""

import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from pydantic import BaseModel, Field

from services.api.deps import PUBLIC, Asker, Now, requires
from services.api.problems import RETRY_AFTER
from shared.domain.events import Consumer
from shared.store import health
from shared.store.engine import LOST, reading
from shared.store.read_models import operations
from shared.store.read_models.operations import Numbers

router = APIRouter(tags=["operations"])

LOOK_EVERY_SECONDS = 5.0
"""However often Prometheus asks, the database is looked at no more often than this."""


class Alive(BaseModel):
    alive: bool


class PartOut(BaseModel):
    name: str = Field(examples=["database"])
    fit: bool
    detail: str = Field(examples=[""])
    needed: bool = Field(description="False: without it the service does less, and still takes reports")


class Readiness(BaseModel):
    ready: bool = Field(description="Every part that is needed is fit")
    degraded: bool = Field(description="A part that is not needed is unfit")
    parts: list[PartOut]


@router.get("/health/live")
def live(asker: Annotated[Asker, requires(PUBLIC)]) -> Alive:  # noqa: ARG001 (the rule)
    """The process answers. It says nothing of the parts that it stands on."""
    return Alive(alive=True)


@router.get("/health/ready", responses={503: {"model": Readiness, "description": "A part that is needed is unfit"}})
def ready(asker: Annotated[Asker, requires(PUBLIC)], now: Now, response: Response) -> Readiness:  # noqa: ARG001 (the rule)
    """Whether reports can be taken now, and which part is unfit if not. Without Redis they are taken, and wait."""
    parts = health.parts(now)
    fit = all(part.fit for part in parts if part.needed)
    if not fit:
        response.status_code = 503
        response.headers.update(RETRY_AFTER)
    said = [PartOut(**asdict(part)) for part in parts]
    return Readiness(ready=fit, degraded=any(not part.fit for part in parts if not part.needed), parts=said)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(asker: Annotated[Asker, requires(PUBLIC)], now: Now, request: Request) -> Response:  # noqa: ARG001 (the rule)
    """Prometheus's numbers: intake, deliveries due and parked, lag by consumer, feed clients, clocks missed."""
    look: _Look = request.app.state.look
    seen = look.at(now)
    ours = [*_gauges(seen), _gauge("feed_clients", "Clients of the live feed in this process", _clients(request))]
    return Response(generate_latest(REGISTRY) + _written(ours), media_type=CONTENT_TYPE_LATEST)


def _clients(request: Request) -> int:
    hub = getattr(request.app.state, "feed", None)
    return hub.clients if hub is not None else 0


class _Look:
    """The newest look at the database. One thread looks; the others take what was seen last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: Numbers | None = None
        self._due = 0.0

    def at(self, now: datetime) -> Numbers | None:
        """Numbers no older than `LOOK_EVERY_SECONDS`; None when the database does not answer."""
        with self._lock:
            if time.monotonic() >= self._due:
                self._seen = _numbers(now)
                self._due = time.monotonic() + LOOK_EVERY_SECONDS
            return self._seen


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Each application looks for itself."""
    app.state.look = _Look()
    yield


def _numbers(now: datetime) -> Numbers | None:
    try:
        with reading() as tx:
            return operations.numbers(tx, now)
    except LOST:
        return None


def _gauges(seen: Numbers | None) -> Iterator[Metric]:
    yield _gauge("database_up", "1 when the database answered the last look", 0 if seen is None else 1)
    if seen is None:
        return
    of_consumer = {
        "due": ("deliveries_due", "Deliveries that a worker could take now"),
        "waiting": ("deliveries_waiting", "Deliveries that wait after a failure"),
        "parked": ("deliveries_parked", "Deliveries that wait for a person"),
        "lag_seconds": ("consumer_lag_seconds", "Age of the oldest delivery that is due"),
    }
    for name, (metric, words) in of_consumer.items():
        known = {one["consumer"]: float(one[name]) for one in seen.backlog}
        yield _by("consumer", metric, words, {str(each): known.get(str(each), 0.0) for each in Consumer})
    yield _by("state", "reports_awaiting", "Reports for which somebody has to decide", seen.reports_awaiting)
    yield _by("state", "works_orders", "Works orders that have not ended", seen.orders_live)
    yield _gauge("reports_last_hour", "Reports received in the last hour", seen.reports_last_hour)
    yield _gauge("detections_last_hour", "Detections accepted in the last hour", seen.detections_last_hour)
    yield _gauge("defects_overdue", "Defects of which a clock of repair has run out", seen.defects_overdue)
    yield _gauge("feed_line", "Number of the newest line of the feed", seen.feed_line)
    yield _gauge("messages_unsent", "Messages to residents that have not left, parked ones apart", seen.messages_unsent)
    yield _gauge("messages_lag_seconds", "For how long the oldest of them has been due", seen.messages_lag_seconds)
    missed = CounterMetricFamily(
        "roadmend_clocks_missed", "Clocks that ran out before what they ask for", labels=["clock"]
    )
    for clock, count in seen.clocks_missed.items():
        missed.add_metric([clock], count)
    yield missed


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(f"roadmend_{name}", words, value=value)


def _by(label: str, name: str, words: str, values: dict[str, Any]) -> Metric:
    family = GaugeMetricFamily(f"roadmend_{name}", words, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family


class _Once:
    """A collector of what was counted already."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> list[Metric]:
        return self._families


def _written(families: list[Metric]) -> bytes:
    return generate_latest(_Once(families))
