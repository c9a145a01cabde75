"""Nearby candidates and one report's triage, at ten thousand to ten million open defects of one density.

Everything is asked in this process, in turn of every size, without HTTP and without the commit. Every fourth defect was
seen by a person; whose reports those were is not filled in. The bare limit is the spatial index alone: how much slower
it becomes with its depth.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import URL, create_engine

from bench import county
from bench.counties import County
from bench.county import GAP_M, ROW_M, SOUTH, WEST, Layout
from bench.database import Db, connect
from bench.figures import Figure, clocked, median
from bench.run import Run
from shared.domain.terms import ReportId
from shared.domain.verdicts import Sighting
from shared.flows import report_to_defect
from shared.store import matching, policies
from shared.store.engine import ReadTx, WriteTx
from tests import databases

NAME = "nearby"
REACH_M = 100
OPTIONS = "-c timezone=UTC -c jit=off"
"""As the product's own engine sets them."""


def _sizes(run: Run) -> list[int]:
    return [10_000, 100_000] if run.quick else [10_000, 100_000, 1_000_000, 10_000_000]


def counties(run: Run) -> list[County]:
    """Of one density, whatever the size."""

    def fill(db: Db, layout: Layout) -> None:
        county.add_defects(db, layout)
        county.add_sightings(db)

    return [County(Layout(size), fill) for size in _sizes(run)]


def measure(run: Run) -> list[Figure]:
    """Sizes side by side on one server, each question asked of every size in turn."""
    sizes, times = _sizes(run), run.of(200, 60)
    with ExitStack() as open_ones:
        urls = open_ones.enter_context(run.counties.of(NAME))
        opened = [
            open_ones.enter_context(_opened(url, Layout(size), times)) for url, size in zip(urls, sizes, strict=True)
        ]
        taken: dict[str, list[list[float]]] = {name: [[] for _ in sizes] for name in _ASKED}
        for turn in range(times):
            for name, act in _ASKED.items():
                for place, one in enumerate(opened):
                    taken[name][place].append(act(one, turn))
    return list(_figures(sizes, {name: [one[times // 10 :] for one in many] for name, many in taken.items()}))


@dataclass
class _County:
    """One size: connections to it, reports that wait among its defects, and dice of its own."""

    db: Db
    tx: WriteTx
    layout: Layout
    reports: list[int]
    dice: random.Random

    def place(self) -> tuple[float, float]:
        """Somewhere on a street among the defects."""
        along = self.dice.randrange(self.layout.defects_a_row) * GAP_M + self.dice.uniform(0, GAP_M)
        return WEST + along, SOUTH + self.dice.randrange(max(1, self.layout.first_free_row - 1)) * ROW_M + 2


class _opened(ExitStack):  # noqa: N801 (used as a context manager)
    """Connections to a county, closed at the end."""

    def __init__(self, url: URL, layout: Layout, times: int) -> None:
        super().__init__()
        self.url, self.layout, self.times = url, layout, times

    def __enter__(self) -> _County:  # type: ignore[override]
        db = self.enter_context(connect(self.url))
        spread = random.Random(7)
        last = int(self.layout.first_free_row * self.layout.spots_a_row * 0.9)
        for _ in range(10):
            county.add_waiting_reports(db, self.layout, self.times // 10, spread.randrange(last), among=True)
        reports = [int(str(row[0])) for row in db.execute("SELECT id FROM report ORDER BY id")]
        engine = create_engine(databases.as_setting(self.url), connect_args={"options": OPTIONS})
        self.callback(engine.dispose)
        tx = WriteTx(self.enter_context(engine.connect()), "bench")
        return _County(db, tx, self.layout, reports, random.Random(1))


def _index(one: _County, _: int) -> float:
    """The ids in the box, by the index alone."""
    x, y = one.place()
    box = [x - REACH_M, y - REACH_M, x + REACH_M, y + REACH_M]
    statement = "SELECT id FROM defect WHERE geom && ST_MakeEnvelope(%s, %s, %s, %s, 27700)"
    return clocked(lambda: one.db.execute(statement, box).fetchall())


def _candidates(one: _County, _: int) -> float:
    """What matching fetches for one sighting of a person's."""
    now = datetime.now(UTC)
    x, y = one.place()
    seen = Sighting("pothole", x, y, 4.0, now, now, None, None, 0)
    policy = _policy(one)
    taken = clocked(lambda: matching.surroundings(ReadTx(one.tx.connection), [seen], policy))
    one.tx.connection.rollback()
    return taken


def _triage(one: _County, turn: int) -> float:
    """All that triage does for one report, up to the commit, which is a rollback here."""
    now = datetime.now(UTC)
    taken = clocked(lambda: report_to_defect.triage(one.tx, [ReportId(one.reports[turn])], now))
    one.tx.connection.rollback()
    return taken


def _policy(one: _County) -> policies.Policy:
    return policies.in_force(one.tx, datetime.now(UTC)).policy


_ASKED: dict[str, Callable[[_County, int], float]] = {
    "the index alone": _index,
    "nearby candidates": _candidates,
    "triage of one report": _triage,
}


def _figures(sizes: list[int], taken: dict[str, list[list[float]]]) -> Iterator[Figure]:
    bare = [median(one) * 1000 for one in taken["the index alone"]]
    for name, many in taken.items():
        medians = [median(one) * 1000 for one in many]
        growth = medians[-1] / medians[0]
        wanted = name != "the index alone"
        yield Figure(
            measure=NAME,
            name=f"{name}, at {sizes[-1]:,} against {sizes[0]:,}",
            value=growth,
            unit="x",
            bare=bare[-1] / bare[0],
            bare_name="the index alone, x",
            ratio=growth / (bare[-1] / bare[0]),
            target="≤ 1.3 x" if wanted else "",
            met=growth <= 1.3 if wanted else None,
            repeats=medians,
            conditions={"sizes": sizes, "median ms at each size": [round(one, 3) for one in medians]}
            | {"asked": len(many[0]), "commit": False},
        )
        for size, value in zip(sizes, medians, strict=True):
            yield Figure(measure=NAME, name=f"{name}, {size:,} open defects", value=value, unit="ms")
