"""One event to a thousand and to five thousand live clients of the feed: how soon each has it, and memory a client.

The bare limit is Starlette alone: NOTIFY with the same bytes, one event for all, no record, no filter, no audience.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bench import county, outside
from bench.county import Layout
from bench.figures import Figure, interleaved, median, percentile
from bench.house import House, county_of, family, house_on, rss_kb
from bench.outside import Crowd
from bench.run import Run
from services.api.feed_hub import encode
from shared.domain.audience import Audience
from shared.domain.events import Consumer
from shared.store import deliveries, feed
from shared.store.engine import reading, transaction
from tests import databases

NAME = "fanout"
PAUSE_SECONDS = 0.25
"""Between the last client's line and the next event, so that each is alone."""


Happen = Callable[[], tuple[int, float]]
"""Lets one event happen: its number, and when."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Seconds from the commit to each client, for every event; and kB a client that the server holds more than before
    the first crowd: what one crowd leaves behind the next one uses."""

    delays: Sequence[Sequence[float]]
    kb_a_client: float
    cpu: float


def measure(run: Run) -> list[Figure]:
    """For each crowd: the API's feed, then the bare one, then both again."""
    crowds, events, repeats = ([200], 3, 1) if run.quick else ([1_000, 5_000], 8, 2)
    figures: list[Figure] = []
    with county_of(run.template, Layout.with_spots(1_000, 1_000)) as url, house_on(url, bare=True) as house:
        house.stack.start_api()
        fan = _Fan(house, Layout.with_spots(1_000, 1_000), events)
        for clients in crowds:
            mine, bare = interleaved(repeats, lambda _: fan.product(clients), lambda _: fan.bare(clients))  # noqa: B023
            for heard in (*mine, *bare):
                run.note_generator(f"{NAME} to {clients:,}", heard.cpu)
            figures += _figures(clients, mine, bare, events)
    return figures


class _Fan:
    """Gathers a crowd of clients at a feed, lets events happen, and asks when each client had them."""

    def __init__(self, house: House, layout: Layout, events: int) -> None:
        self.house, self.layout, self.events = house, layout, events
        self._spot = 0
        self._number = 0
        self._idle_kb: dict[str, int] = {}
        self._line = self._one_line()

    def product(self, clients: int) -> Heard:
        pids = self.house.pids("api")
        return self._heard(int(self.house.stack.variables["ROADMEND_PORT"]), "/api/v1/feed", pids, clients, self._tell)

    def bare(self, clients: int) -> Heard:
        assert self.house.bare is not None
        pids = family(self.house.bare.child.pid)
        return self._heard(self.house.bare.port, "/feed", pids, clients, self._notify)

    def _heard(self, port: int, path: str, pids: list[int], clients: int, happen: Happen) -> Heard:
        before = self._idle_kb.setdefault(path, rss_kb(pids))
        with outside.crowd(port=port, path=path, clients=clients) as crowd:
            grown = (rss_kb(pids) - before) / clients
            crowd.arrivals([happen()[0]])
            told, cpu = self._all(crowd, happen)
        if any(len(delays) != clients for delays in told):
            raise RuntimeError(f"of {clients} clients only {[len(delays) for delays in told]} had the lines")
        return Heard(told, grown, cpu)

    def _all(self, crowd: Crowd, happen: Happen) -> tuple[list[list[float]], float]:
        told: list[list[float]] = []
        cpu = 0.0
        for _ in range(self.events):
            time.sleep(PAUSE_SECONDS)
            number, began = happen()
            arrived, cpu = crowd.arrivals([number])
            told.append([one - began for one in arrived[number]])
        return told, cpu

    def _tell(self) -> tuple[int, float]:
        """One more line of the feed: its number, and when its transaction began to commit."""
        after = county.add_waiting_reports(self.house.db, self.layout, 1, self._spot)
        self._spot += 1
        self.house.db.execute(_DUE_TO_FEED, {"after": after})
        with databases.in_force(self.house.url):
            with transaction("bench") as tx:
                due = deliveries.take(tx, Consumer.FEED, datetime.now(UTC), 1)
                feed.project(tx, due)
                deliveries.done(tx, due)
                number = feed.last_number(tx)
                began = time.perf_counter()
            return number, began

    def _notify(self) -> tuple[int, float]:
        """The same bytes to the bare server."""
        self._number += 1
        chunk = f"id: {self._number}\n{self._line}"
        began = time.perf_counter()
        self.house.db.execute("SELECT pg_notify('bare', %s)", [chunk])
        return self._number, began

    def _one_line(self) -> str:
        """A line as the public gets it, without its number."""
        number, _ = self._tell()
        with databases.in_force(self.house.url), reading() as tx:
            line = feed.lines_after(tx, number - 1, 1)[0]
        return encode(line, Audience()).decode().partition("\n")[2]


def _figures(clients: int, mine: Sequence[Heard], bare: Sequence[Heard], events: int) -> Iterator[Figure]:
    conditions = {"clients": clients, "events": events * len(mine), "audience": "public", "durable": True}
    for share in (0.5, 0.99):
        values, limits = (
            [percentile(one, share) * 1000 for heard in many for one in heard.delays] for many in (mine, bare)
        )
        yield Figure(
            measure=NAME,
            name=f"one event to {clients:,} clients, {share:.0%}",
            value=median(values),
            unit="ms",
            bare=median(limits),
            bare_name="bare Starlette ms",
            ratio=median(values) / median(limits),
            target="≤ 1.5 x bare" if share == 0.99 else "",
            met=median(values) <= 1.5 * median(limits) if share == 0.99 else None,
            repeats=values,
            conditions=conditions,
        )
    grown, least = ([heard.kb_a_client for heard in many] for many in (mine, bare))
    yield Figure(
        measure=NAME,
        name=f"memory a client, {clients:,} clients",
        value=grown[0],
        unit="kB",
        bare=least[0],
        bare_name="bare Starlette kB",
        ratio=grown[0] / least[0],
        target="≤ 40 kB",
        met=grown[0] <= 40,
        repeats=grown,
        conditions=conditions,
    )


_DUE_TO_FEED = """
    INSERT INTO delivery (consumer, event_id, event_at, kind, subject_id, due_at)
    SELECT 'feed', id, at, kind, subject_id, now() FROM event WHERE kind = 'ReportReceived' AND id > %(after)s
"""
