"""From the POST of a report to its line on a client that follows the live feed, at a steady pace."""

from collections.abc import Iterator
from typing import Any

from bench import county, outside
from bench.county import Layout
from bench.figures import Figure, interleaved, median, percentile
from bench.house import House, county_of, house_on
from bench.measures.intake import body
from bench.outside import write_bodies
from bench.run import Run
from tests import databases

NAME = "delay"
RATES = (20, 50)
WARMING_SECONDS = 1
LINE = '{"number":1,"at":"2026-07-01T09:30:00+00:00","kind":"ReportReceived","reference":"R-0000-0000","padding":"%s"}'
LINE_BYTES = 420
"""As long as a line of the public's feed is."""

Told = dict[str, Any]


def measure(run: Run) -> list[Figure]:
    """API, worker and beat; a bare NOTIFY to a bare client of the feed between."""
    repeats, seconds = run.of(2, 1), run.of(8, 5)
    spots = sum(RATES) * (WARMING_SECONDS + seconds * repeats)
    layout = Layout.with_spots(run.of(65_000, 10_000), spots)
    figures: list[Figure] = []
    with county_of(run.template, layout) as url, house_on(url, bare=True) as house:
        house.stack.start_all(workers=1)
        places = iter(list(county.spots(house.db, layout, layout.spots)))
        for rate in RATES:
            pace = _Pace(run, house, places, rate, seconds)
            pace.product(0, seconds=WARMING_SECONDS)
            taken, bare = interleaved(repeats, pace.product, pace.notify)
            figures += _figures(run, rate, layout.defects, taken, bare)
        house.comes_to_rest()
        house.refuse_parked()
    return figures


class _Pace:
    """Sends reports, or bare notifications, so many a second."""

    def __init__(self, run: Run, house: House, places: Iterator[tuple[float, float]], rate: int, seconds: int) -> None:
        self.run, self.house, self.places, self.rate, self.seconds = run, house, places, rate, seconds

    def product(self, _: int, seconds: int | None = None) -> Told:
        """From POST to line. Raises RuntimeError: a line never came, or a report was refused."""
        lasting = seconds or self.seconds
        bodies = [body(next(self.places)) for _ in range(self.rate * lasting)]
        told = outside.load(
            kind="delay",
            method="POST",
            port=int(self.house.stack.variables["ROADMEND_PORT"]),
            path="/api/v1/reports",
            feed="/api/v1/feed",
            bodies=write_bodies(self.run.folder / "paced", bodies),
            rate=self.rate,
            seconds=lasting,
        )
        if told["unseen"] or set(told["statuses"]) != {"201"}:
            raise RuntimeError(f"{told['unseen']} lines never came; answers were {told['statuses']}")
        return told

    def notify(self, _: int) -> Told:
        """From NOTIFY to line, for half as long: it hardly varies."""
        assert self.house.bare is not None
        return outside.load(
            kind="notify",
            port=self.house.bare.port,
            feed="/feed",
            database=databases.as_driver(self.house.url),
            line=LINE % ("x" * (LINE_BYTES - len(LINE))),
            rate=self.rate,
            seconds=self.seconds / 2,
        )


def _figures(run: Run, rate: int, defects: int, taken: list[Told], bare: list[Told]) -> Iterator[Figure]:
    for told in taken:
        run.note_generator(f"{NAME} at {rate}/s", told["cpu"])
    for share, target, most in ((0.5, "≤ 100 ms; first 150 ms", 100.0), (0.99, "≤ 500 ms", 500.0)):
        mine = [percentile(told["seconds"], share) * 1000 for told in taken]
        least = median([percentile(told["seconds"], share) * 1000 for told in bare])
        yield Figure(
            measure=NAME,
            name=f"POST to feed line at {rate}/s, {share:.0%}",
            value=median(mine),
            unit="ms",
            bare=least,
            bare_name="NOTIFY to client ms",
            ratio=median(mine) / least,
            target=target,
            met=median(mine) <= most,
            repeats=mine,
            conditions={
                "reports a second": rate,
                "open defects": defects,
                "samples": sum(len(told["seconds"]) for told in taken),
                "bare samples": sum(len(told["seconds"]) for told in bare),
                "workers": 1,
                "worker processes": 2,
                "durable": True,
                "feed clients": 1,
            },
        )
