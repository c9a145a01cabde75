"""Merge, unmerge, split, link, unlink: nothing is lost, each is undone, and there are no chains (DOMAIN 10.3)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from shared.domain.clocks import triage_due
from shared.domain.events import Consumer
from shared.errors import Conflict, Invalid, NotFound
from shared.flows import assign_works, grade_defects, merge_defects, report_to_defect, sweeps
from shared.flows.assess_defect import assess
from shared.flows.weigh_finding import Decision, Finding
from shared.store import merges, missed, policies, works
from shared.store.engine import WriteTx
from shared.store.tables import apart, defect, event, question, report, sighting
from tests.factories import a_defect, a_report, adopt_default_policy, an_order, hear

NOW = datetime.now(UTC)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
EASTING = 353_000.0


@pytest.fixture
def told(tx: WriteTx) -> Callable[..., int]:
    """Adopt the policy; what it returns makes a report, lets triage hear it, and gives the report's id."""
    adopt_default_policy(tx)

    def tell(**facts: Any) -> int:
        report_id = a_report(tx, **facts)
        hear(tx, Consumer.TRIAGE, report_to_defect.run, datetime.now(UTC))
        return report_id

    return tell


def defects_of(tx: WriteTx, report_id: int) -> list[int]:
    standing = select(sighting.c.defect_id).where(sighting.c.report_id == report_id, sighting.c.unlinked_at.is_(None))
    return list(tx.scalars(standing.order_by(sighting.c.defect_id)))


def name(tx: WriteTx, table: Any, row_id: int) -> str:
    found: str = tx.scalar(select(table.c.reference).where(table.c.id == row_id))
    return found


def row(tx: WriteTx, defect_id: int) -> Any:
    where = (func.ST_X(defect.c.geom).label("x"), func.ST_Y(defect.c.geom).label("y"))
    return tx.execute(select(defect, *where).where(defect.c.id == defect_id)).one()


def facts(tx: WriteTx, defect_id: int) -> dict[str, Any]:
    """All of a defect that a merge may touch, places to a tenth of a millimetre."""
    found = dict(row(tx, defect_id)._mapping)
    for gone in ("geom", "updated_at"):
        del found[gone]
    rounded = {key: round(found.pop(key), 4) for key in ("x", "y", "accuracy_m")}
    return {key: round(one, 9) if key in ("lat", "lon") else one for key, one in found.items()} | rounded


def kinds(tx: WriteTx, subject: str, subject_id: int) -> list[str]:
    listed = select(event.c.kind).where(event.c.subject == subject, event.c.subject_id == subject_id)
    return list(tx.scalars(listed.order_by(event.c.id)))


def merged(tx: WriteTx, one: int, into: int) -> None:
    merge_defects.merge(tx, name(tx, defect, one), name(tx, defect, into), "One hole.", NOW)


def unmerged(tx: WriteTx, one: int) -> None:
    merge_defects.unmerge(tx, name(tx, defect, one), "Two after all.", NOW)


def test_a_merge_takes_sightings_first_knowledge_and_the_higher_priority_along(
    tx: WriteTx, told: Callable[..., int]
) -> None:
    first = told(received_at=NOW - 5 * DAY, danger=True, accuracy_m=3.0)
    second = told(received_at=NOW - DAY, easting=EASTING + 120, accuracy_m=3.0)
    (one,), (other,) = defects_of(tx, first), defects_of(tx, second)
    tx.execute(update(defect).where(defect.c.id == one).values(band="P2", permanent_due_at=NOW + 2 * DAY))
    tx.execute(update(defect).where(defect.c.id == other).values(band="P20", permanent_due_at=NOW + 20 * DAY))

    merged(tx, one, other)

    gone, kept = row(tx, one), row(tx, other)
    assert (gone.state, gone.merged_into) == ("duplicate", other)
    assert defects_of(tx, first) == [other]
    assert (kept.known_at, kept.danger, kept.band, kept.permanent_due_at) == (NOW - 5 * DAY, True, "P2", NOW + 2 * DAY)
    assert (kept.reports, kept.x) == (2, pytest.approx(EASTING + 60))
    assert kinds(tx, "defect", one)[-1] == "DefectMerged"


def test_an_unmerge_restores_both_exactly(tx: WriteTx, told: Callable[..., int]) -> None:
    first = told(received_at=NOW - 5 * DAY, danger=True)
    second = told(received_at=NOW - DAY, easting=EASTING + 120, accuracy_m=2.0)
    third = told(received_at=NOW, easting=EASTING + 121, accuracy_m=7.0)
    (one,), (other,) = defects_of(tx, first), defects_of(tx, second)
    tx.execute(update(defect).where(defect.c.id == one).values(band="P2", depth_mm=80, permanent_due_at=NOW))
    tx.execute(update(defect).where(defect.c.id == other).values(band="P20", due_why=["because"]))
    before = facts(tx, one), facts(tx, other)

    merged(tx, one, other)
    unmerged(tx, one)

    assert (facts(tx, one), facts(tx, other)) == before
    assert [defects_of(tx, each) for each in (first, second, third)] == [[one], [other], [other]]
    assert kinds(tx, "defect", one)[-2:] == ["DefectMerged", "DefectUnmerged"]


def test_what_a_person_changed_since_the_merge_stays_when_it_is_undone(tx: WriteTx, told: Callable[..., int]) -> None:
    (one,) = defects_of(tx, told())
    (other,) = defects_of(tx, told(easting=EASTING + 120))
    tx.execute(update(defect).where(defect.c.id == one).values(band="P2"))
    merged(tx, one, other)
    tx.execute(update(defect).where(defect.c.id == other).values(band="P5"))

    unmerged(tx, one)

    assert (row(tx, one).band, row(tx, other).band) == ("P2", "P5")


def test_a_report_that_came_after_the_merge_stays_with_the_other(tx: WriteTx, told: Callable[..., int]) -> None:
    first, second = told(), told(easting=EASTING + 120)
    (one,), (other,) = defects_of(tx, first), defects_of(tx, second)
    merged(tx, one, other)
    later = told(easting=EASTING + 119)

    unmerged(tx, one)

    assert [defects_of(tx, each) for each in (first, second, later)] == [[one], [other], [other]]


def test_there_are_no_chains_and_each_link_of_one_is_undone_in_any_order(tx: WriteTx, told: Callable[..., int]) -> None:
    """Case 4: A into B, then B into C: both point to C; then either comes back with its own."""
    reports = [told(easting=EASTING + 120 * each) for each in range(3)]
    a, b, c = (defects_of(tx, each)[0] for each in reports)
    before = [facts(tx, each) for each in (a, b, c)]
    merged(tx, a, b)
    merged(tx, b, c)

    assert (row(tx, a).merged_into, row(tx, b).merged_into) == (c, c)
    assert [defects_of(tx, each) for each in reports] == [[c], [c], [c]]

    unmerged(tx, a)
    unmerged(tx, b)

    assert [facts(tx, each) for each in (a, b, c)] == before
    assert [defects_of(tx, each) for each in reports] == [[a], [b], [c]]


def test_a_chain_undone_from_its_end_keeps_the_first_merge(tx: WriteTx, told: Callable[..., int]) -> None:
    reports = [told(easting=EASTING + 120 * each) for each in range(3)]
    a, b, c = (defects_of(tx, each)[0] for each in reports)
    merged(tx, a, b)
    merged(tx, b, c)

    unmerged(tx, b)

    assert (row(tx, a).merged_into, row(tx, b).state, row(tx, b).merged_into) == (b, "candidate", None)
    assert [defects_of(tx, each) for each in reports] == [[b], [b], [c]]


def test_a_merge_into_a_duplicate_goes_to_its_original(tx: WriteTx, told: Callable[..., int]) -> None:
    a, b, c = (defects_of(tx, told(easting=EASTING + 120 * each))[0] for each in range(3))
    merged(tx, b, c)

    merged(tx, a, b)

    assert row(tx, a).merged_into == c


def test_a_report_that_saw_both_is_counted_once_and_comes_back_to_both(tx: WriteTx, told: Callable[..., int]) -> None:
    report_id, other_report = told(), told(easting=EASTING + 120)
    (one,), (other,) = defects_of(tx, report_id), defects_of(tx, other_report)
    merge_defects.link(tx, name(tx, report, report_id), name(tx, defect, other), "It tells of both.", NOW)

    merged(tx, one, other)

    assert row(tx, other).reports == 2

    unmerged(tx, one)

    assert defects_of(tx, report_id) == [one, other]
    assert (row(tx, one).reports, row(tx, other).reports) == (1, 2)


# --- what was decided ------------------------------------------------------------------------------------------------


def graded(tx: WriteTx, band: str, known_at: datetime, **more: Any) -> int:
    """A defect that person 1 confirmed then in this band, with the clocks that follow."""
    known = {"assessed_by": "person:1", "assessed_at": known_at, "policy_id": policies.in_force(tx, NOW).id}
    defect_id = a_defect(tx, band=band, known_at=known_at, **{"easting": EASTING + 120, **known, **more})
    tx.execute(update(defect).where(defect.c.id == defect_id).values(permanent_due_at=None))
    grade_defects.grade(tx, [defect_id], NOW)
    return defect_id


def decided(tx: WriteTx, defect_id: int) -> tuple[str, Any]:
    """Its state, and all that a merge may give it."""
    party = merges.look_at(tx, [defect_id])[defect_id]
    return party.state, party.graded


def heard(tx: WriteTx) -> None:
    """Grading and works orders hear of what was done, an hour later."""
    for consumer, flow in ((Consumer.GRADE, grade_defects.run), (Consumer.ASSIGN, assign_works.run)):
        hear(tx, consumer, flow, NOW + HOUR)


def order_of(tx: WriteTx, defect_id: int) -> tuple[str, datetime | None]:
    (order,) = works.lock_many(tx, works.open_orders_of(tx, [defect_id]))
    return order.band, order.make_safe_due_at


@pytest.mark.parametrize("assessed", [-9 * DAY, MINUTE], ids=["before", "after"])
def test_a_candidate_makes_no_emergency_of_what_was_graded_but_its_danger_calls_for_a_look(
    tx: WriteTx, told: Callable[..., int], assessed: timedelta
) -> None:
    """Whether the other was assessed before the danger was told of or after: whoever did knew nothing of it."""
    (one,) = defects_of(tx, told(received_at=NOW - 30 * MINUTE, danger=True))
    linked = datetime.now(UTC)
    other = graded(tx, "P20", NOW - 10 * DAY, assessed_at=linked + assessed)
    an_order(tx, other)
    heard(tx)
    before = decided(tx, one), decided(tx, other), order_of(tx, other)

    merge_defects.merge(tx, name(tx, defect, one), name(tx, defect, other), "One hole.", linked + 2 * MINUTE)
    heard(tx)

    found = row(tx, other)
    assert (found.band, found.make_safe_due_at, found.inspect_due_at) == ("P20", None, NOW + 30 * MINUTE)
    assert order_of(tx, other) == before[2]

    merge_defects.unmerge(tx, name(tx, defect, one), "Two after all.", linked + 3 * MINUTE)
    heard(tx)

    assert (decided(tx, one), decided(tx, other), order_of(tx, other)) == before


def test_whoever_looks_after_the_merge_has_looked_at_the_danger_that_came_by_it(
    tx: WriteTx, told: Callable[..., int]
) -> None:
    (one,) = defects_of(tx, told(received_at=NOW - 30 * MINUTE, danger=True))
    linked, other = datetime.now(UTC), graded(tx, "P20", NOW - 10 * DAY)
    merge_defects.merge(tx, name(tx, defect, one), name(tx, defect, other), "One hole.", linked + MINUTE)
    heard(tx)
    before = row(tx, other).inspect_due_at

    looked = Finding(decision=Decision.CONFIRM, why="Seen.", facts={"danger": False}, impact=1, likelihood=2)
    assess(tx, name(tx, defect, other), looked, linked + 2 * MINUTE, supervises=False)
    grade_defects.grade(tx, [other], NOW + HOUR)

    assert (before, row(tx, other).inspect_due_at) == (NOW + 30 * MINUTE, None)


def test_the_more_urgent_band_comes_with_its_own_clocks_and_the_order_follows_it_there_and_back(tx: WriteTx) -> None:
    """Case 9: the clocks run from the knowledge of the emergency, not from the ten days before it."""
    adopt_default_policy(tx)
    one = graded(tx, "E", NOW - HOUR, easting=EASTING)
    other = graded(tx, "P20", NOW - 10 * DAY)
    an_order(tx, other)
    before = decided(tx, other), order_of(tx, other)

    merged(tx, one, other)
    heard(tx)

    found = row(tx, other)
    assert (found.band, found.known_at, found.clock_from) == ("E", NOW - 10 * DAY, NOW - HOUR)
    assert found.make_safe_due_at == NOW + 3 * HOUR
    assert order_of(tx, other) == ("E", NOW + 3 * HOUR)
    assert [late.clock for late in missed.notice(tx, NOW + HOUR)] == []

    unmerged(tx, one)
    heard(tx)

    assert (decided(tx, other), order_of(tx, other)) == before


def test_due_times_that_followed_earlier_knowledge_go_back_with_it(tx: WriteTx, told: Callable[..., int]) -> None:
    (one,) = defects_of(tx, told(received_at=NOW - 15 * DAY))
    other = graded(tx, "P20", NOW - 10 * DAY)
    heard(tx)
    before = decided(tx, other)
    merged(tx, one, other)
    heard(tx)
    with_it = row(tx, other).permanent_due_at

    unmerged(tx, one)
    heard(tx)

    assert with_it < before[1]["permanent_due_at"]
    assert decided(tx, other) == before


def test_what_a_person_graded_since_the_merge_stays_with_its_clocks(tx: WriteTx) -> None:
    adopt_default_policy(tx)
    one, other = graded(tx, "E", NOW - HOUR, easting=EASTING), graded(tx, "P20", NOW - 10 * DAY)
    merged(tx, one, other)
    looked = Finding(decision=Decision.CONFIRM, why="It is.", facts={"collapse": True})
    assess(tx, name(tx, defect, other), looked, NOW + MINUTE, supervises=False)
    before = row(tx, other)

    merge_defects.unmerge(tx, name(tx, defect, one), "Two after all.", NOW + 2 * MINUTE)
    heard(tx)

    found = row(tx, other)
    assert (found.band, found.make_safe_due_at) == ("E", before.make_safe_due_at) == ("E", NOW + 3 * HOUR)


def test_what_was_made_safe_is_not_late_in_another(tx: WriteTx) -> None:
    adopt_default_policy(tx)
    safe = {"state": "third_party", "made_safe_at": NOW - 3 * DAY, "easting": EASTING}
    one, other = graded(tx, "E", NOW - 3 * DAY, **safe), graded(tx, "P20", NOW - 10 * DAY)

    merged(tx, one, other)
    heard(tx)

    assert row(tx, other).made_safe_at == NOW - 3 * DAY
    assert [late.clock for late in missed.notice(tx, NOW) if late.subject_id == other] == []


@pytest.mark.parametrize(
    ("state", "less"),
    [
        ("confirmed", "candidate"),
        ("third_party", "candidate"),
        ("deferred_to_scheme", "candidate"),
        ("monitor", "candidate"),
        ("confirmed", "monitor"),
        ("confirmed", "deferred_to_scheme"),
        ("confirmed", "third_party"),
    ],
)
def test_what_was_decided_does_not_go_under_in_what_is_less_so(tx: WriteTx, state: str, less: str) -> None:
    adopt_default_policy(tx)
    further, other = a_defect(tx, state=state), a_defect(tx, state=less, easting=EASTING + 50)
    before = row(tx, further)

    with pytest.raises(Conflict, match=f"Merge {name(tx, defect, other)} into {name(tx, defect, further)} instead"):
        merged(tx, further, other)
    merged(tx, other, further)

    after = row(tx, further)
    assert (after.state, after.band, after.permanent_due_at) == (before.state, before.band, before.permanent_due_at)


def test_a_report_that_comes_by_a_merge_to_what_is_watched_waits_for_a_look(
    tx: WriteTx, told: Callable[..., int]
) -> None:
    report_id = told()
    (one,) = defects_of(tx, report_id)
    linked = datetime.now(UTC)
    watched = graded(tx, "M", NOW - 10 * DAY, state="monitor", assessed_at=linked + MINUTE)

    merge_defects.merge(tx, name(tx, defect, one), name(tx, defect, watched), "One hole.", linked + 2 * MINUTE)
    heard(tx)

    assert tx.scalar(select(report.c.state).where(report.c.id == report_id)) == "linked"
    assert (row(tx, watched).band, row(tx, watched).state) == ("M", "monitor")
    assert NOW < row(tx, watched).inspect_due_at < NOW + 30 * DAY


# --- what has ended --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["closed", "verified", "in_warranty", "no_defect"])
def test_nothing_is_merged_into_what_has_ended_nor_out_of_it(tx: WriteTx, state: str) -> None:
    """Case 4: the merge waits for the lock, and then sees that the other has been closed."""
    adopt_default_policy(tx)
    standing, ended = a_defect(tx), a_defect(tx, state=state, easting=EASTING + 50)

    with pytest.raises(Conflict, match=f"is {state}"):
        merged(tx, standing, ended)
    with pytest.raises(Conflict, match=f"is {state}"):
        merged(tx, ended, standing)


def test_what_is_being_repaired_is_not_taken_away_from_its_order(tx: WriteTx) -> None:
    adopt_default_policy(tx)
    ordered, other = a_defect(tx), a_defect(tx, easting=EASTING + 50)
    an_order(tx, ordered)

    with pytest.raises(Conflict, match="is being repaired"):
        merged(tx, ordered, other)

    merged(tx, other, ordered)
    assert row(tx, other).merged_into == ordered


def test_a_defect_is_not_merged_with_itself_nor_with_one_that_is_not_there(tx: WriteTx) -> None:
    adopt_default_policy(tx)
    one, other = a_defect(tx), a_defect(tx, easting=EASTING + 50)
    merged(tx, one, other)

    with pytest.raises(Conflict, match="one defect already"):
        merged(tx, other, one)
    with pytest.raises(NotFound):
        merge_defects.merge(tx, name(tx, defect, other), "D-0000-0000", "No.", NOW)
    with pytest.raises(Conflict, match="is not merged"):
        unmerged(tx, other)


def test_after_an_unmerge_a_report_between_the_two_is_a_persons_to_settle(
    tx: WriteTx, told: Callable[..., int]
) -> None:
    first = told(accuracy_m=3.0)
    (one,) = defects_of(tx, first)
    other = a_defect(tx, state="candidate", easting=EASTING + 6)
    merged(tx, other, one)
    unmerged(tx, other)

    between = told(easting=EASTING + 3)

    assert defects_of(tx, between) == []
    asked = tx.execute(select(question).where(question.c.report_id == between)).one()
    assert {each["defect_id"] for each in asked.candidates} == {one, other}


def test_the_reports_of_a_duplicate_are_answered_when_its_original_ends(tx: WriteTx, told: Callable[..., int]) -> None:
    first, second = told(), told(easting=EASTING + 120)
    (one,), (other,) = defects_of(tx, first), defects_of(tx, second)

    merged(tx, one, other)

    states = tx.scalars(select(report.c.state).where(report.c.id.in_([first, second])))
    assert list(states) == ["linked", "linked"]


# --- split -----------------------------------------------------------------------------------------------------------


def test_a_split_gives_some_of_the_reports_a_defect_of_their_own(tx: WriteTx, told: Callable[..., int]) -> None:
    """Case 3: one report, two holes; case 5: they lie a metre apart and are never joined again."""
    one, two, three = told(accuracy_m=2.0), told(easting=EASTING + 1, accuracy_m=2.0), told(accuracy_m=2.0)
    (whole,) = defects_of(tx, one)

    part_name = merge_defects.split(tx, name(tx, defect, whole), [name(tx, report, two)], "There are two holes.", NOW)

    (part,) = defects_of(tx, two)
    assert name(tx, defect, part) == part_name
    assert [defects_of(tx, each) for each in (one, three)] == [[whole], [whole]]
    assert (row(tx, whole).reports, row(tx, part).reports, row(tx, part).state) == (2, 1, "candidate")
    assert row(tx, part).x == pytest.approx(EASTING + 1)
    assert tx.scalar(select(func.count()).select_from(apart).where(apart.c.undone_at.is_(None))) == 1
    assert kinds(tx, "defect", whole)[-1] == "DefectSplit"

    merged(tx, part, whole)

    assert [defects_of(tx, each) for each in (one, two, three)] == [[whole], [whole], [whole]]
    assert tx.scalar(select(func.count()).select_from(apart).where(apart.c.undone_at.is_(None))) == 0


def test_a_split_needs_reports_that_saw_it_and_must_leave_something(tx: WriteTx, told: Callable[..., int]) -> None:
    one, two, elsewhere = told(), told(), told(easting=EASTING + 500)
    whole = name(tx, defect, defects_of(tx, one)[0])

    with pytest.raises(Invalid, match="nothing would be left"):
        merge_defects.split(tx, whole, [name(tx, report, each) for each in (one, two)], "All.", NOW)
    with pytest.raises(NotFound, match="1 of these did not"):
        merge_defects.split(tx, whole, [name(tx, report, each) for each in (one, elsewhere)], "Some.", NOW)
    with pytest.raises(NotFound):
        merge_defects.split(tx, whole, [], "None.", NOW)


# --- link and unlink -------------------------------------------------------------------------------------------------


def test_an_unlinked_report_waits_for_a_person_and_linking_it_again_undoes_that(
    tx: WriteTx, told: Callable[..., int]
) -> None:
    one, two = told(accuracy_m=2.0), told(easting=EASTING + 4, accuracy_m=2.0)
    (standing,) = defects_of(tx, one)
    names = name(tx, report, two), name(tx, defect, standing)
    before = facts(tx, standing)

    merge_defects.unlink(tx, *names, "Another hole.", NOW)

    assert defects_of(tx, two) == []
    assert tx.scalar(select(report.c.state).where(report.c.id == two)) == "triage"
    assert (row(tx, standing).reports, row(tx, standing).x) == (1, pytest.approx(EASTING))
    assert kinds(tx, "report", two)[-1] == "ReportUnlinked"

    merge_defects.link(tx, *names, "It is this one.", NOW)

    assert facts(tx, standing) == before
    assert tx.scalar(select(report.c.state).where(report.c.id == two)) == "linked"


@pytest.mark.parametrize("danger", [False, True])
def test_an_unlinked_report_is_read_by_when_a_new_one_would_be(
    tx: WriteTx, told: Callable[..., int], danger: bool
) -> None:
    report_id = told(received_at=NOW - 20 * DAY, danger=danger)
    (standing,) = defects_of(tx, report_id)

    merge_defects.unlink(tx, name(tx, report, report_id), name(tx, defect, standing), "Another hole.", NOW)
    sweeps.mark_overdue(tx, NOW + MINUTE)

    rules = policies.in_force(tx, NOW)
    read_by = tx.scalar(select(report.c.triage_due_at).where(report.c.id == report_id))
    assert read_by == triage_due(NOW, rules.policy, rules.calendar, danger=danger).at
    assert "TriageMissed" not in kinds(tx, "report", report_id)


def test_a_question_is_settled_by_linking_to_a_candidate(tx: WriteTx, told: Callable[..., int]) -> None:
    first, unsure = told(), told(easting=EASTING + 30)
    (standing,) = defects_of(tx, first)

    merge_defects.link(tx, name(tx, report, unsure), name(tx, defect, standing), "I looked.", NOW)

    assert defects_of(tx, unsure) == [standing]
    assert tx.scalar(select(question.c.settled_at).where(question.c.report_id == unsure)) is not None


def test_a_question_is_settled_by_saying_that_it_is_none_of_them(tx: WriteTx, told: Callable[..., int]) -> None:
    first, unsure = told(), told(easting=EASTING + 22)
    (standing,) = defects_of(tx, first)

    made = merge_defects.found(tx, name(tx, report, unsure), "A hole of its own.", NOW)

    (own,) = defects_of(tx, unsure)
    assert (name(tx, defect, own), own != standing) == (made, True)
    assert (row(tx, own).reports, row(tx, own).state, row(tx, own).x) == (1, "candidate", pytest.approx(EASTING + 22))
    assert tx.scalar(select(report.c.state).where(report.c.id == unsure)) == "linked"
    again = told(easting=EASTING + 20, accuracy_m=10.0)
    assert defects_of(tx, again) == []


def test_a_report_of_two_holes_is_answered_when_both_have_ended(tx: WriteTx, told: Callable[..., int]) -> None:
    one = told()
    (first,) = defects_of(tx, one)
    second = a_defect(tx, easting=EASTING + 40)

    merge_defects.link(tx, name(tx, report, one), name(tx, defect, second), "There are two.", NOW)

    assert defects_of(tx, one) == sorted([first, second])
    with pytest.raises(Conflict, match="already"):
        merge_defects.link(tx, name(tx, report, one), name(tx, defect, second), "Again.", NOW)


def test_a_person_cannot_absorb_a_new_failure_into_a_repair_under_warranty(
    tx: WriteTx, told: Callable[..., int]
) -> None:
    """Case 6."""
    report_id = told()
    repaired = a_defect(tx, state="in_warranty", easting=EASTING + 300, repaired_at=NOW - 10 * DAY)

    with pytest.raises(Conflict, match="recall"):
        merge_defects.link(tx, name(tx, report, report_id), name(tx, defect, repaired), "The same.", NOW)


def test_what_is_not_linked_is_not_unlinked(tx: WriteTx, told: Callable[..., int]) -> None:
    one = told()
    elsewhere = a_defect(tx, easting=EASTING + 300)

    with pytest.raises(Conflict):
        merge_defects.unlink(tx, name(tx, report, one), name(tx, defect, elsewhere), "No.", NOW)
