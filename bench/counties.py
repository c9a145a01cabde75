"""Counties that take long to fill: made before they are measured on, side by side, and dropped when they were.

To fill one is mostly the work of one processor, so that two take little longer than one.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import URL

from bench import county
from bench.county import Layout
from bench.database import Db, connect
from tests import databases


@dataclass(frozen=True)
class County:
    """What a measure wants to be there: areas and streets are drawn, then `fill` puts in the rest."""

    layout: Layout
    fill: Callable[[Db, Layout], None]


class Counties:
    """Those of all measures of a run, by the measure's name."""

    def __init__(self, template: URL) -> None:
        self._template = template
        self._made: dict[str, list[Future[URL]]] = {}

    def make(self, wanted: Mapping[str, Sequence[County]]) -> None:
        """The largest first. At the end all of it lies on the disk, so that no measure waits for that."""
        pairs = [(name, place) for name, many in wanted.items() for place in range(len(many))]
        pairs.sort(key=lambda pair: -wanted[pair[0]][pair[1]].layout.defects)
        with ThreadPoolExecutor(os.cpu_count()) as makers:
            made = {(name, place): makers.submit(self._filled, wanted[name][place]) for name, place in pairs}
        self._made = {name: [made[name, place] for place in range(len(many))] for name, many in wanted.items()}
        with connect(self._template.set(database="postgres")) as db:
            db.execute("CHECKPOINT")
        os.sync()

    def _filled(self, wanted: County) -> URL:
        url = databases.create(self._template, str(self._template.database))
        try:
            with connect(url) as db:
                county.draw(db, wanted.layout)
                wanted.fill(db, wanted.layout)
        except Exception:
            databases.drop(url)
            raise
        return url

    @contextmanager
    def of(self, name: str) -> Iterator[list[URL]]:
        """A measure's own, in its order; gone at the end. Raises what went wrong when they were filled."""
        mine = self._made.pop(name)
        try:
            yield [made.result() for made in mine]
        finally:
            for made in mine:
                if made.exception() is None:
                    databases.drop(made.result())
