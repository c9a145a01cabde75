"""Deliveries drained a second: triage of reports that are stored already, by one worker process and by two.

The bare limit writes the same rows by one SQL statement a batch, on one connection.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from bench import county
from bench.county import Layout
from bench.figures import Figure, clocked, interleaved, median
from bench.house import House, county_of, house_on
from bench.run import Run
from shared.domain.events import LISTENERS, Consumer
from tests.waiting import until

NAME = "drain"
BATCH = 500
"""As the setting drain_batch has it."""


@dataclass(frozen=True, slots=True)
class Drained:
    """Deliveries a second: of triage alone, and of all that came of it until nothing was due."""

    triage: float
    all: float


def measure(run: Run) -> list[Figure]:
    """A round: as one statement a batch, by one worker process, by two."""
    repeats, count = run.of(2, 1), run.of(12_000, 4_000)
    layout = Layout.with_spots(run.of(65_000, 10_000), count * 3 * (repeats + 1))
    with county_of(run.template, layout) as url, house_on(url) as house:
        drain = _Drain(house, layout, count)
        drain.bare(0)
        bare, one, two = interleaved(repeats, drain.bare, drain.with_one, drain.with_two)
        house.refuse_parked()
        conditions = {"deliveries a round": count, "batch": BATCH, "durable": True, "defects": layout.defects}
    return list(_figures(one, two, bare, conditions))


class _Drain:
    """Stores reports, makes them due, and waits until they are heard."""

    def __init__(self, house: House, layout: Layout, count: int) -> None:
        self.house, self.layout, self.count = house, layout, count
        self._spot = 0

    def bare(self, _: int) -> float:
        """Deliveries a second by one SQL statement a batch."""
        county.make_due(self.house.db, self._store())
        taken = clocked(self._by_statement)
        return self.count / taken

    def with_one(self, _: int) -> Drained:
        return self._by_workers(1)

    def with_two(self, _: int) -> Drained:
        return self._by_workers(2)

    def _store(self) -> int:
        after = county.add_waiting_reports(self.house.db, self.layout, self.count, self._spot)
        self._spot += self.count
        return after

    def _by_statement(self) -> None:
        while self.house.db.execute(_BATCH, {"batch": BATCH}).fetchone() != (0,):
            pass

    def _by_workers(self, processes: int) -> Drained:
        self.house.tell("DELETE FROM delivery")
        self.house.tell("VACUUM (ANALYZE) delivery")
        after = self._store()
        with self._workers(processes):
            began = time.perf_counter()
            county.make_due(self.house.db, after)
            self.house.nudge(Consumer.TRIAGE, processes)
            until(lambda: self.house.hears_no_more(Consumer.TRIAGE), 300, "triage")
            triage = time.perf_counter() - began
            self.house.comes_to_rest()
            whole = time.perf_counter() - began
        return Drained(self.count / triage, self._heard(after) / whole)

    @contextmanager
    def _workers(self, processes: int) -> Iterator[None]:
        self.house.stack.start_worker(size=processes)
        self.house.stack.start_beat()
        try:
            yield
        finally:
            self.house.stack.stop("beat")
            self.house.stack.stop("worker0")

    def _heard(self, after: int) -> int:
        """Deliveries of the reports and of all events that came of them."""
        rows = self.house.db.execute("SELECT kind, count(*) FROM event WHERE id > %s GROUP BY 1", [after])
        kinds = {str(kind): int(str(count)) for kind, count in rows}
        listeners = {kind.__name__: len(consumers) for kind, consumers in LISTENERS.items()}
        theirs = sum(count * listeners[kind] for kind, count in kinds.items() if kind != "ReportReceived")
        return self.count + theirs


def _figures(
    one: Sequence[Drained], two: Sequence[Drained], bare: Sequence[float], conditions: dict[str, object]
) -> Iterator[Figure]:
    limit = median(bare)
    for name, taken, workers in (("1 worker process", one, 1), ("2 worker processes", two, 2)):
        rates = [each.triage for each in taken]
        yield Figure(
            measure=NAME,
            name=f"triage deliveries drained a second, {name}",
            value=median(rates),
            unit="/s",
            bare=limit,
            bare_name="one statement a batch /s",
            ratio=median(rates) / limit,
            target="≥ 3,000/s; first 1,500/s" if workers == 1 else "more than with 1",
            met=median(rates) >= 3000 if workers == 1 else median(rates) > median([each.triage for each in one]),
            repeats=rates,
            conditions=conditions | {"worker processes": workers},
        )
        whole = [each.all for each in taken]
        yield Figure(
            measure=NAME,
            name=f"all deliveries until rest a second, {name}",
            value=median(whole),
            unit="/s",
            repeats=whole,
            conditions=conditions | {"worker processes": workers},
        )


_BATCH = """
    WITH taken AS (
        DELETE FROM delivery WHERE (consumer, event_id) IN (
            SELECT consumer, event_id FROM delivery WHERE consumer = 'triage' AND parked_at IS NULL AND due_at <= now()
            ORDER BY event_id LIMIT %(batch)s FOR UPDATE SKIP LOCKED)
        RETURNING subject_id
    ), linked AS (
        UPDATE report SET state = 'linked', updated_at = now() FROM taken WHERE report.id = subject_id
        RETURNING report.*
    ), holes AS (
        SELECT linked.*, lead(geom) OVER (ORDER BY id) = geom AS twice,
               CASE WHEN lag(geom) OVER (ORDER BY id) = geom THEN lag(reference) OVER (ORDER BY id) ELSE reference END
               AS hole
        FROM linked
    ), founded AS (
        INSERT INTO defect (
            reference, class_code, state, lat, lon, accuracy_m, geom, street_id, street_key, street_side, area_code,
            hierarchy, reports, known_at, clock_from, opened_at, last_seen_at, updated_at)
        SELECT 'D' || substr(reference, 2), class_code, 'candidate', lat, lon, accuracy_m, geom, street_id, street_key,
               street_side, 'E07000117', '4b', CASE WHEN twice THEN 2 ELSE 1 END, received_at, received_at, received_at,
               observed_at, now()
        FROM holes WHERE hole = reference
        RETURNING id, reference
    ), paired AS (
        SELECT holes.*, founded.id AS defect_id FROM holes JOIN founded ON founded.reference = 'D' || substr(hole, 2)
    ), sighted AS (
        INSERT INTO sighting (
            defect_id, report_id, class_code, lat, lon, accuracy_m, geom, street_id, street_key, street_side, seen_at,
            known_at, verdict, why, linked_at)
        SELECT defect_id, id, class_code, lat, lon, accuracy_m, geom, street_id, street_key, street_side, observed_at,
               received_at, 'new', 'nothing open of this class within 100 m that it could be', now()
        FROM paired
    ), said AS (
        INSERT INTO event (at, occurred_at, kind, subject, subject_id, before, after, actor, data)
        SELECT now(), now(), 'ReportLinked', 'report', id, 'received', 'linked', 'worker:triage',
               jsonb_build_object('defect_id', defect_id, 'verdict', 'new', 'why', 'nothing open of this class')
        FROM paired
        UNION ALL
        SELECT now(), now(), CASE WHEN hole = reference THEN 'DefectRecorded' ELSE 'DefectSighted' END, 'defect',
               defect_id, NULL, CASE WHEN hole = reference THEN 'candidate' END, 'worker:triage', '{}'
        FROM paired
        RETURNING id, at, kind, subject_id
    ), told AS (
        INSERT INTO delivery (consumer, event_id, event_at, kind, subject_id, due_at)
        SELECT listener.consumer, said.id, said.at, said.kind, said.subject_id, now()
        FROM said JOIN (VALUES ('ReportLinked', 'feed'), ('DefectRecorded', 'feed'), ('DefectRecorded', 'grade'),
                               ('DefectSighted', 'feed'), ('DefectSighted', 'grade')) AS listener(kind, consumer)
            USING (kind)
    )
    SELECT count(*) FROM taken
"""
"""Writes for each delivery what triage writes: the report's step, a defect or one more sighting of it, two events, and
their deliveries. It judges nothing: which report is of which hole it takes from their order."""
