"""Reports accepted over HTTP by one API process: durable, 32 clients, each report at a place of its own."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench import county, outside
from bench.county import Layout
from bench.figures import Figure, interleaved, median, percentile
from bench.house import House, county_of, cpu_seconds, family, house_on
from bench.outside import write_bodies
from bench.run import Run

NAME = "intake"
CLIENTS = 32
MOST_A_SECOND = 4_000
"""More reports than this are not prepared for each second."""
WORDS = "A hole by the kerb, outside the bakery. Two cars had to swerve round it while I stood there this morning."

Told = dict[str, Any]


def measure(run: Run) -> list[Figure]:
    """The API alone and a no-op POST on a server like it, in turn; then with a worker that triages what comes."""
    repeats, seconds = run.of(3, 2), run.of(5, 2)
    share = seconds * MOST_A_SECOND
    layout = Layout.with_spots(run.of(65_000, 10_000), share * 2 * repeats)
    with county_of(run.template, layout) as url, house_on(url, bare=True) as house:
        files = _bodies(run.folder, house, layout, share, 2 * repeats)
        house.stack.start_api()
        load = _Load(house, seconds, files)
        alone, bare = interleaved(repeats, load.product, load.noop)
        house.tell("DELETE FROM delivery")
        house.stack.start_worker(size=1)
        house.stack.start_beat()
        (busy,) = interleaved(repeats, load.product)
        house.refuse_parked()
        rows = county.size_of(house.db)
    for told in (*alone, *bare, *busy):
        run.note_generator(NAME, told["cpu"])
    conditions = {"clients": CLIENTS, "durable": True, "seconds": seconds, "rows": rows, "rate limit": "off"}
    return [*_figures("", alone, bare, conditions), *_figures(", a worker triages meanwhile", busy, bare, conditions)]


def _bodies(folder: Path, house: House, layout: Layout, share: int, parts: int) -> list[str]:
    """Files of bodies, one for each repeat."""
    places = list(county.spots(house.db, layout, share * parts))
    return [
        write_bodies(folder / f"reports{part}", map(body, places[part * share : (part + 1) * share]))
        for part in range(parts)
    ]


def body(place: tuple[float, float]) -> bytes:
    """A report as a resident's form sends it."""
    return json.dumps(
        {
            "category": "pothole",
            "location": {"lat": round(place[0], 6), "lon": round(place[1], 6), "accuracy_m": 4},
            "description": WORDS,
            "contact": {"name": "Sam Lee", "email": "sam@example.org"},
        }
    ).encode()


class _Load:
    """Sends for some seconds, and says what that cost."""

    def __init__(self, house: House, seconds: int, files: Sequence[str]) -> None:
        self.house, self.seconds = house, seconds
        self._files: Iterator[str] = iter(files)
        self._first = files[0]
        row = house.db.execute("SELECT pg_backend_pid()").fetchone()
        stat = Path(f"/proc/{row[0] if row else 0}/stat").read_text()
        self._postgres = int(stat.rpartition(")")[2].split()[1])

    def product(self, _: int) -> Told:
        """Reports to the API, and the processor time of each."""
        before = self._used()
        told = self._send(int(self.house.stack.variables["ROADMEND_PORT"]), "/api/v1/reports", next(self._files))
        used = [now - then for now, then in zip(self._used(), before, strict=True)]
        told["ms_each"] = [seconds * 1000 / len(told["seconds"]) for seconds in used]
        if set(told["statuses"]) != {"201"} or told["ran_dry"]:
            raise RuntimeError(f"not all reports were accepted: {told['statuses']}, ran dry: {told['ran_dry']}")
        return told

    def noop(self, _: int) -> Told:
        """The same bodies to the bare server."""
        assert self.house.bare is not None
        pids = family(self.house.bare.child.pid)
        before = cpu_seconds(pids)
        told = self._send(self.house.bare.port, "/noop", self._first, again=True)
        told["ms_each"] = [(cpu_seconds(pids) - before) * 1000 / len(told["seconds"])]
        return told

    def _send(self, port: int, path: str, bodies: str, **more: Any) -> Told:
        return outside.load(
            kind="closed",
            method="POST",
            port=port,
            path=path,
            bodies=bodies,
            connections=CLIENTS,
            seconds=self.seconds,
            most=self.seconds * MOST_A_SECOND * (4 if more else 1),
            **more,
        )

    def _used(self) -> list[float]:
        return [cpu_seconds(self.house.pids("api")), cpu_seconds(family(self._postgres))]


def _figures(when: str, taken: Sequence[Told], bare: Sequence[Told], conditions: Told) -> Iterator[Figure]:
    rates, limit = [_rate(told) for told in taken], median([_rate(told) for told in bare])
    seconds = [one for told in taken for one in told["seconds"]]
    cost = [round(median([told["ms_each"][n] for told in taken]), 2) for n in (0, 1)]
    yield Figure(
        measure=NAME,
        name=f"reports accepted a second{when}",
        value=median(rates),
        unit="/s",
        bare=limit,
        bare_name="no-op FastAPI POST /s",
        ratio=median(rates) / limit,
        target="" if when else "≥ 0.50 of the no-op; first 400/s",
        met=None if when else median(rates) >= limit / 2,
        repeats=rates,
        conditions=conditions
        | {"API ms of processor each": cost[0], "PostgreSQL ms of processor each": cost[1]}
        | {"generator": round(max(told["cpu"] for told in taken), 2)},
    )
    least = median([told["ms_each"][0] for told in bare])
    yield Figure(
        measure=NAME,
        name=f"processor time of the API for one report{when}",
        value=cost[0],
        unit="ms",
        bare=least,
        bare_name="no-op ms",
        ratio=cost[0] / least,
        repeats=[told["ms_each"][0] for told in taken],
        conditions=conditions | {"PostgreSQL ms": cost[1]},
    )
    waits = [one for told in bare for one in told["seconds"]]
    for share in (0.5, 0.95, 0.99):
        value, least = percentile(seconds, share) * 1000, percentile(waits, share) * 1000
        yield Figure(
            measure=NAME,
            name=f"answered within, {share:.0%}{when}",
            value=value,
            unit="ms",
            bare=least,
            bare_name="no-op ms",
            ratio=value / least,
            conditions=conditions,
        )


def _rate(told: Told) -> float:
    return len(told["seconds"]) / float(told["took"])
