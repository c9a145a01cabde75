"""Replays one city's requests through intake and triage on a scratch database; run by `roadmend score` as a process.

The database and its grid come by the environment, so that the city has its own grid. Requests enter as historic reports
and are settled by the triage flow in batches. A closing ends the request's sighting, and its defect when none is left.
"""

import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
from alembic import command
from alembic.config import Config

from services.cli.score_figures import Row, metres, rows
from shared.domain.board import Answer, take_likeliest, take_none
from shared.domain.policy import parse
from shared.flows import adopt_policy, load_reports, report_to_defect
from shared.flows.load_reports import HistoricReport
from shared.settings import ROOT, settings
from shared.store import replay as stored
from shared.store.engine import reading, transaction

BATCH = 1000
CLEAR_M = 300.0
"""What lies so far apart has no order that matters: no request is weighed against one farther than half of it."""
ACCURACY_M = 10.0
"""The positions stand for a house number or a crossing, not for a fix."""
ANSWERS: Mapping[str, Answer] = {"automatic": take_none, "suggestions": take_likeliest}
"""What is done where the service asks: nothing is joined, or staff take the first of the list."""


def class_code(category: str) -> str:
    """A category of the data as a class of the policy."""
    return re.sub(r"[^a-z0-9]+", "_", category.lower()).strip("_")


@dataclass(slots=True)
class Wave:
    """Requests with their lines, in the order of the stream, and those that are closed after them."""

    opened: list[tuple[int, Row]] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)


Cell = tuple[str, int, int]


class _Tide:
    """The latest wave of requests and of closings in each cell, and so the earliest that a next one may be in."""

    def __init__(self) -> None:
        self._opened: dict[Cell, int] = defaultdict(lambda: -1)
        self._closed: dict[Cell, int] = defaultdict(lambda: -1)

    def open(self, cell: Cell) -> int:
        """With or after all requests near, and after all closings near."""
        around = _around(cell)
        wave = max(0, *(max(self._opened[one], self._closed[one] + 1) for one in around))
        self._opened[cell] = wave
        return wave

    def close(self, cell: Cell) -> int:
        """With or after all that is near: a wave's closings come last."""
        wave = max(max(self._opened[one], self._closed[one]) for one in _around(cell))
        self._closed[cell] = wave
        return wave


def _around(cell: Cell) -> list[Cell]:
    category, column, line = cell
    return [(category, i, j) for i in (column - 1, column, column + 1) for j in (line - 1, line, line + 1)]


def waves(events: Iterable[Row]) -> list[Wave]:
    """Cut a stream so that each place sees its own order, and places that cannot touch share a batch.

    A closing between two requests of one place would end a batch; over a whole city that is every tenth request. What
    lies `CLEAR_M` apart, twice as far as anything is weighed, has no order that matters: that the outcome is the same
    as one by one is a test on the cities themselves.
    """
    found: list[Wave] = []
    tide, cells = _Tide(), dict[str, Cell]()
    for line, row in enumerate(events, 1):
        number = row["request_id"]
        if row["event"] == "close":
            if number in cells:
                found[tide.close(cells[number])].closed.append(number)
            continue
        x, y = metres(row)
        cells[number] = (row["category"], int(x // CLEAR_M), int(y // CLEAR_M))
        wave = tide.open(cells[number])
        if wave == len(found):
            found.append(Wave())
        found[wave].opened.append((line, row))
    return found


def prepare(policy_file: Path, categories: Iterable[str]) -> None:
    """Migrate the scratch database and adopt the policy; an unknown category becomes a class of its own."""
    config = Config(ROOT / "infra" / "migrations" / "alembic.ini")
    config.attributes["url"] = settings().database_url
    command.upgrade(config, "head")
    written = policy_file.read_text()
    known = parse(written, policy_file.name).classes
    group = next(iter(known.values())).group
    for category in sorted(set(categories)):
        if class_code(category) not in known:
            written += f"\n[classes.{class_code(category)}]\ngroup = {group!r}\ntitle = {category!r}\n"
    with transaction("command:score") as tx:
        adopt_policy.adopt(tx, written, policy_file.name, datetime.now(UTC))


def replay(cut: Iterable[Wave], answer: Answer, heard: Callable[[int], None]) -> None:
    """Let the waves arrive, each in batches. `heard` is told how many requests each batch had."""
    now = datetime.now(UTC)
    for wave in cut:
        for first in range(0, len(wave.opened), BATCH):
            batch = wave.opened[first : first + BATCH]
            with transaction("command:score") as tx:
                load_reports.run(tx, [_historic(line, row) for line, row in batch], now)
                arrived = stored.ids(tx, [row["request_id"] for _, row in batch])
                report_to_defect.triage(tx, arrived, now, answer=answer)
            heard(len(batch))
        if wave.closed:
            with transaction("command:score") as tx:
                stored.close(tx, wave.closed, now)


def _historic(line: int, row: Row) -> HistoricReport:
    """Its time is the published wall-clock time, taken as UTC; its line keeps the order within a second, or a day."""
    return HistoricReport(
        line=line,
        external_id=row["request_id"],
        recorded_at=datetime.fromisoformat(row["at"]).replace(tzinfo=UTC) + timedelta(microseconds=line),
        class_code=class_code(row["category"]),
        lat=float(row["lat"]),
        lon=float(row["lon"]),
        accuracy_m=ACCURACY_M,
        address=row["address"] or None,
    )


def singly(events: Iterable[Row]) -> list[Wave]:
    """Every line by itself, in the order of the stream: what the waves must equal."""
    found = []
    for line, row in enumerate(events, 1):
        close = row["event"] == "close"
        found.append(Wave([], [row["request_id"]]) if close else Wave([(line, row)], []))
    return found


CUTS: Mapping[str, Callable[[Iterable[Row]], list[Wave]]] = {"waves": waves, "singly": singly}


def main(events_file: str, policy_file: str, setting: str, cut: str) -> None:
    """Replay; each line on standard output is the number of requests of a batch, the last one the outcome as JSON."""
    events = list(rows(Path(events_file)))
    prepare(Path(policy_file), (row["category"] for row in events if row["category"]))
    replay(CUTS[cut](events), ANSWERS[setting], lambda count: print(count, flush=True))
    with reading() as tx:
        sys.stdout.buffer.write(orjson.dumps(stored.outcome(tx)) + b"\n")


if __name__ == "__main__":
    main(*sys.argv[1:5])
