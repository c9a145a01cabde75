"""Same place, same instant: however many settle reports of one hole at once, there is one defect (DOMAIN 10.3)."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

from sqlalchemy import URL, func, select, text

from shared.domain.events import Consumer
from shared.domain.terms import EventId, ReportId
from shared.errors import Conflict
from shared.flows import answer_question, detections_to_defects, merge_defects, report_to_defect
from shared.flows.answer_question import Answer
from shared.store import detections_due, matching, reports_decisions
from shared.store.deliveries import Delivery
from shared.store.engine import WriteTx, reading, transaction
from shared.store.tables import defect, detection, report, sighting
from tests.factories import a_defect, a_report, adopt_default_policy
from tests.flows.test_matching_detections import a_batch
from tests.waiting import until

EASTING = 353_000.0


def at_once(acts: Sequence[Callable[[], Any]]) -> None:
    """Run them in threads that start together, each with a connection of its own; the first that fails is raised."""
    start = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> None:
        start.wait()
        act()

    with ThreadPoolExecutor(len(acts)) as pool:
        for done in [pool.submit(run, act) for act in acts]:
            done.result()


def triage(*reports: int) -> None:
    with transaction("worker:triage") as tx:
        report_to_defect.triage(tx, [ReportId(one) for one in reports], datetime.now(UTC))


def match(batch_id: int) -> None:
    with transaction("worker:detections") as tx:
        for batch in detections_due.lock_batches(tx, [batch_id]):
            detections_to_defects.match_some(tx, batch, datetime.now(UTC))


def defects() -> list[Any]:
    with reading() as tx:
        return list(tx.execute(select(defect.c.id, defect.c.reports, defect.c.detections).order_by(defect.c.id)))


def test_twenty_at_once_make_one_defect_of_one_hole(own_db: URL) -> None:
    with transaction("test") as tx:
        adopt_default_policy(tx)
        # Across the corner of four cells of the lock's grid: 353 024 is 5516 x 64, 430 016 is 6719 x 64.
        places = [(353_024.0 + step % 5 - 2, 430_016.0 + step // 5 - 2) for step in range(20)]
        reports = [a_report(tx, easting=x, northing=y) for x, y in places]

    at_once([lambda one=one: triage(one) for one in reports])

    (found,) = defects()
    assert found.reports == 20


def test_batches_that_overlap_in_place_and_order_neither_double_nor_deadlock(own_db: URL) -> None:
    with transaction("test") as tx:
        adopt_default_policy(tx)
        holes = [[a_report(tx, easting=EASTING + 200 * hole) for _ in range(6)] for hole in range(8)]

    ways = [[reports[turn] for reports in (holes if turn % 2 else reversed(holes))] for turn in range(6)]
    at_once([lambda way=way: triage(*way) for way in ways])

    assert [one.reports for one in defects()] == [6] * 8


def test_a_worker_with_several_batches_holds_no_place_of_one_while_it_waits_for_that_of_another(own_db: URL) -> None:
    # A lower place is held by somebody: whoever held the higher one meanwhile could be waited for in turn.
    low, high = EASTING, EASTING + 5_000
    with transaction("test") as tx:
        policy = adopt_default_policy(tx)
        seen = [a_batch(tx, {"easting": place}) for place in (high, low)]
        batches = [tx.scalar(select(detection.c.batch_id).where(detection.c.id == ids[0])) for ids in seen]

    with ThreadPoolExecutor(1) as worker:
        with transaction("test") as holder:
            matching.lock_places(holder, [(low, 430_000.0)], policy.policy)
            matched = worker.submit(match_all, batches)
            until(waiting_for_places, 20, "the worker to wait for the place that is held")
            held = holder.scalar(text(_HELD))
        matched.result(60)

    assert held == 0
    assert [one.detections for one in defects()] == [1, 1]


_HELD = """
    SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND granted
        AND pid <> pg_backend_pid() AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def waiting_for_places() -> bool:
    with reading() as tx:
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'"
        return bool(tx.scalar(text(waiting)))


def match_all(batches: Sequence[int]) -> None:
    """As a worker does that is handed all of them."""
    now = datetime.now(UTC)
    due = [Delivery(Consumer.DETECTIONS, EventId(one), now, "DetectionsReceived", one, 0) for one in batches]
    while due:
        with transaction("worker:detections") as tx:
            left = detections_to_defects.run(tx, due, now)
        due = [one for one in due if one.event_id in left]


def test_a_survey_and_residents_at_once_make_one_defect(own_db: URL) -> None:
    with transaction("test") as tx:
        adopt_default_policy(tx)
        reports = [a_report(tx, easting=EASTING + step) for step in range(4)]
        seen = [a_batch(tx, {"easting": EASTING + 1, "survey_pass_id": f"pass-{turn}"}) for turn in range(3)]
        batches = [tx.scalar(select(detection.c.batch_id).where(detection.c.id == ids[0])) for ids in seen]

    at_once([*(lambda one=one: triage(one) for one in reports), *(lambda one=one: match(one) for one in batches)])

    (found,) = defects()
    assert (found.reports, found.detections) == (4, 3)


def test_a_report_that_meets_a_merge_is_never_left_with_the_duplicate(own_db: URL) -> None:
    with transaction("test") as tx:
        adopt_default_policy(tx)
        pairs = [
            (a_defect(tx, easting=EASTING + 300 * turn), a_defect(tx, easting=EASTING + 300 * turn + 30))
            for turn in range(6)
        ]
        reports = [a_report(tx, easting=EASTING + 300 * turn) for turn in range(6)]
        names = {row.id: row.reference for row in tx.execute(select(defect.c.id, defect.c.reference))}

    def merge(one: int, other: int) -> None:
        with transaction("person:7") as tx:
            merge_defects.merge(tx, names[one], names[other], "One hole.", datetime.now(UTC))

    at_once(
        [
            *(lambda pair=pair: merge(*pair) for pair in pairs),
            *(lambda one=one: triage(one) for one in reports),
        ]
    )

    with reading() as tx:
        astray = (
            select(func.count())
            .select_from(sighting.join(defect, defect.c.id == sighting.c.defect_id))
            .where(defect.c.state == "duplicate", sighting.c.unlinked_at.is_(None))
        )
        assert tx.scalar(astray) == 0
        settled = select(func.count()).where(report.c.state.in_(["linked", "triage"]))
        assert tx.scalar(settled) == 6


def test_whoever_links_or_answers_holds_no_report_while_they_wait_for_its_place(own_db: URL) -> None:
    """A merge has the place first and then the reports: the other way round, the two waited for each other."""
    with transaction("test") as tx:
        policy = adopt_default_policy(tx)
        reports = [a_report(tx, easting=EASTING + 30 * turn) for turn in range(2)]
        report_to_defect.triage(tx, [ReportId(one) for one in reports], datetime.now(UTC))
        linked, unsure = (tx.scalar(select(report.c.reference).where(report.c.id == one)) for one in reports)
        standing, other = a_defect(tx, easting=EASTING + 400), tx.scalar(select(sighting.c.defect_id))
        names = {row.id: row.reference for row in tx.execute(select(defect.c.id, defect.c.reference))}
    now = datetime.now(UTC)
    acts: Sequence[tuple[str, Callable[[WriteTx], Any]]] = [
        (linked, lambda tx: merge_defects.link(tx, linked, names[standing], "That too.", now)),
        (linked, lambda tx: merge_defects.unlink(tx, linked, names[other], "Not that.", now)),
        (unsure, lambda tx: answer_question.answer(tx, unsure, Answer.DIFFERENT, None, "Another.", now)),
    ]

    def acted(act: Callable[[WriteTx], Any]) -> None:
        with transaction("person:7") as tx:
            act(tx)

    for reference, act in acts:
        with ThreadPoolExecutor(1) as person:
            with transaction("test") as holder:
                matching.lock_places(holder, [(EASTING + each, 430_000.0) for each in (0, 30, 400)], policy.policy)
                done = person.submit(acted, act)
                until(waiting_for_places, 20, "the other to wait for the place that is held")
                holder.execute(text("SET LOCAL lock_timeout = '2s'"))
                reports_decisions.lock(holder, reference)
            done.result(60)


def test_of_two_who_merge_the_same_pair_both_ways_one_is_told_no(own_db: URL) -> None:
    with transaction("test") as tx:
        adopt_default_policy(tx)
        one, other = a_defect(tx), a_defect(tx, easting=EASTING + 40)
        names = {row.id: row.reference for row in tx.execute(select(defect.c.id, defect.c.reference))}
    refused: list[str] = []

    def merge(into: int, gone: int) -> None:
        try:
            with transaction("person:7") as tx:
                merge_defects.merge(tx, names[gone], names[into], "One hole.", datetime.now(UTC))
        except Conflict as no:
            refused.append(no.detail)

    at_once([lambda: merge(one, other), lambda: merge(other, one)])

    assert len(refused) == 1
    with reading() as tx:
        states = sorted(tx.scalars(select(defect.c.state)))
    assert states == ["confirmed", "duplicate"]
