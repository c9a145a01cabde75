"""Two people at one thing: the second to save is told what the first one did, and nothing of theirs is overwritten."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import URL, func, insert, select

from shared.domain.events import DefectSighted
from shared.domain.public_words import Shown
from shared.domain.terms import Role, VisitOutcome
from shared.errors import ChangedMeanwhile
from shared.flows import (
    answer_question,
    decide_report,
    manage_access,
    merge_defects,
    order_by_hand,
    recall_repair,
    show_words,
    verify_repair,
)
from shared.flows.answer_question import Answer
from shared.flows.assess_defect import Assessed, Refused, assess, assess_many
from shared.flows.decide_report import Rejection
from shared.flows.recall_repair import Decision as Attributed
from shared.flows.weigh_finding import Decision, Finding
from shared.store import event_log, meanwhile
from shared.store.engine import WriteTx, reading, transaction
from shared.store.tables import defect, event, question, recall, report
from tests.factories import (
    a_defect,
    a_repair,
    a_report,
    a_verified_repair,
    adopt_default_policy,
    an_order,
    triaged,
)

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
EASTING = 353_000.0


@pytest.fixture(autouse=True)
def _policy(request: pytest.FixtureRequest) -> None:
    if "own_db" not in request.fixturenames:
        adopt_default_policy(request.getfixturevalue("tx"))


def somebody(tx: WriteTx, name: str, number: int = 1) -> WriteTx:
    """The same transaction with a person acting in it who has this name."""
    made = manage_access.add_person(tx, f"{name}{number}@roads.example", name, Role.OPERATOR, NOW)
    return WriteTx(tx.connection, f"person:{made}")


def finding(**more: Any) -> Finding:
    return Finding(decision=Decision.CONFIRM, **{"why": "Looked at on site.", "impact": 2, "likelihood": 2, **more})


def name(tx: WriteTx, table: Any, row_id: int) -> str:
    return str(tx.scalar(select(table.c.reference).where(table.c.id == row_id)))


def seen(tx: WriteTx, subject: str, row_id: int) -> int:
    return meanwhile.newest(tx, subject, [row_id])[row_id]


def events(tx: WriteTx) -> int:
    return int(tx.scalar(select(func.count()).select_from(event)))


def refused(tx: WriteTx, act: Callable[[], Any]) -> ChangedMeanwhile:
    """It is refused, and nothing was written."""
    before = events(tx)
    with pytest.raises(ChangedMeanwhile) as told:
        act()
    assert events(tx) == before
    return told.value


def test_the_second_save_is_told_who_did_what_and_writes_nothing(tx: WriteTx) -> None:
    ada, ben = somebody(tx, "Ada Fell"), somebody(tx, "Ben Carr")
    defect_id = a_defect(tx, state="candidate", band=None)
    reference, known = name(tx, defect, defect_id), seen(tx, "defect", defect_id)
    assess(ben, reference, finding(depth_mm=50, width_mm=300), NOW - timedelta(minutes=2), supervises=False, seen=known)

    again = refused(tx, lambda: assess(ada, reference, finding(impact=4), NOW, supervises=False, seen=known))

    assert again.detail.startswith("Ben Carr confirmed it as P")
    assert again.detail.endswith("two minutes ago. Look at it again before you save.")
    (change,) = again.more["changes"]  # type: ignore[misc]
    assert (change["reference"], change["by"]) == (reference, "Ben Carr")
    said = assess(ada, reference, finding(impact=4), NOW, supervises=True, seen=again.more["seen"])  # type: ignore[arg-type]
    assert said.state == "confirmed"


def test_of_two_who_save_at_once_exactly_one_does(own_db: URL) -> None:
    with transaction("test") as tx:
        adopt_default_policy(tx)
        people = [somebody(tx, name).actor for name in ("Ada Fell", "Ben Carr")]
        defect_id = a_defect(tx, state="candidate", band=None)
        reference, known = name(tx, defect, defect_id), seen(tx, "defect", defect_id)
    start = Barrier(2)

    def save(actor: str, impact: int) -> str:
        start.wait()
        try:
            with transaction(actor) as tx:
                assess(tx, reference, finding(impact=impact), datetime.now(UTC), supervises=True, seen=known)
        except ChangedMeanwhile as told:
            return told.detail
        return "saved"

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(save, people, (2, 4)), key=len)

    assert answers[0] == "saved"
    assert "confirmed it as" in answers[1]
    with reading() as after:
        steps = select(event.c.actor).where(event.c.kind == "DefectStepped", event.c.subject_id == defect_id)
        assert len(list(after.scalars(steps))) == 1


def test_a_machine_that_sees_it_once_more_does_not_refuse_a_persons_save(tx: WriteTx) -> None:
    ada = somebody(tx, "Ada Fell")
    defect_id = a_defect(tx, state="candidate", band=None)
    reference, known = name(tx, defect, defect_id), seen(tx, "defect", defect_id)
    camera = WriteTx(tx.connection, "worker:detections")
    event_log.append(camera, DefectSighted(defect_id=defect_id, detections=3), NOW)

    said = assess(ada, reference, finding(), NOW, supervises=False, seen=known)

    assert said.state == "confirmed"


def test_of_many_only_those_that_were_changed_are_refused(tx: WriteTx) -> None:
    ada, ben = somebody(tx, "Ada Fell"), somebody(tx, "Ben Carr")
    ids = [a_defect(tx, state="candidate", band=None, street_key=str(n)) for n in range(3)]
    named = [name(tx, defect, one) for one in ids]
    known = {one.lower(): seen(tx, "defect", number) for one, number in zip(named, ids, strict=True)}
    assess(ben, named[1], finding(), NOW, supervises=False)

    said = assess_many(ada, named, finding(), NOW, supervises=False, seen=known)

    assert [type(one) for one in said] == [Assessed, Refused, Assessed]
    assert isinstance(said[1], Refused)
    assert isinstance(said[1].refusal, ChangedMeanwhile)


def test_who_saves_on_what_another_was_merged_into_is_told_of_the_merge(tx: WriteTx) -> None:
    ada, ben = somebody(tx, "Ada Fell"), somebody(tx, "Ben Carr")
    taker, absorbed = a_defect(tx), a_defect(tx, easting=EASTING + 8)
    one, other = name(tx, defect, taker), name(tx, defect, absorbed)
    known = seen(tx, "defect", taker)
    merge_defects.merge(ben, other, one, "The same hole.", NOW)

    told = refused(tx, lambda: assess(ada, one, finding(), NOW, supervises=False, seen=known))

    assert told.detail.startswith(f"Ben Carr merged {other} into it just now.")
    assert seen(tx, "defect", taker) > known


def test_two_who_merge_each_into_the_other_do_not_both(tx: WriteTx) -> None:
    ada, ben = somebody(tx, "Ada Fell"), somebody(tx, "Ben Carr")
    ids = a_defect(tx), a_defect(tx, easting=EASTING + 8)
    one, other = (name(tx, defect, each) for each in ids)
    seen_one, seen_other = (seen(tx, "defect", each) for each in ids)
    merge_defects.merge(ben, one, other, "The same.", NOW, seen=seen_one, seen_into=seen_other)

    told = refused(
        tx, lambda: merge_defects.merge(ada, other, one, "The same.", NOW, seen=seen_other, seen_into=seen_one)
    )

    assert "Ben Carr" in told.detail


def test_who_undoes_or_splits_what_was_changed_meanwhile_is_told(tx: WriteTx) -> None:
    ada, ben = somebody(tx, "Ada Fell"), somebody(tx, "Ben Carr")
    first = [triaged(tx, NOW, easting=EASTING) for _ in range(2)]
    other = a_defect(tx, easting=EASTING + 300, street_key="other")
    of_report = select(defect.c.id).where(defect.c.id != other)
    whole = int(tx.scalar(of_report))
    reference, known = name(tx, defect, whole), seen(tx, "defect", whole)
    merge_defects.merge(ben, reference, name(tx, defect, other), "The same.", NOW)

    split = refused(
        tx, lambda: merge_defects.split(ada, reference, [name(tx, report, first[0])], "Two.", NOW, seen=known)
    )
    back = refused(tx, lambda: merge_defects.unmerge(ada, reference, "Not so.", NOW, seen=known))

    assert "Ben Carr merged it into" in split.detail
    assert "Ben Carr merged it into" in back.detail


def test_who_orders_what_somebody_ordered_meanwhile_is_told(tx: WriteTx) -> None:
    ada, ben = somebody(tx, "Ada Fell"), somebody(tx, "Ben Carr")
    defect_id = a_defect(tx)
    reference, known = name(tx, defect, defect_id), seen(tx, "defect", defect_id)
    order_by_hand.order_by_hand(ben, [reference], "birch", "They are near.", NOW)

    told = refused(
        tx,
        lambda: order_by_hand.order_by_hand(ada, [reference], "alder", "They are near.", NOW, {reference: known}),
    )

    assert told.detail.startswith("Ben Carr ordered its repair just now.")


def _acts(reference: str, known: int) -> list[Callable[[WriteTx], Any]]:
    return [
        lambda tx: decide_report.refer(tx, reference, "National Highways", "Theirs.", NOW, known),
        lambda tx: decide_report.reject(tx, reference, Rejection.TEST, "A test.", NOW, known),
        lambda tx: decide_report.find_nothing(tx, reference, "Nothing.", "Walked both sides.", NOW, known),
        lambda tx: decide_report.ask(tx, reference, "Which lane?", NOW, known),
        lambda tx: decide_report.restore(tx, reference, "A mistake.", NOW, known),
        lambda tx: merge_defects.found(tx, reference, "A new one.", NOW, known),
        lambda tx: show_words.show_words(tx, reference, Shown.WITHHELD, "Names.", NOW, known),
        lambda tx: answer_question.answer(tx, reference, Answer.DIFFERENT, None, "Another.", NOW, known),
    ]


@pytest.mark.parametrize("number", range(8))
def test_who_decides_about_a_report_that_was_decided_meanwhile_is_told(tx: WriteTx, number: int) -> None:
    ada, ben = somebody(tx, "Ada Fell"), somebody(tx, "Ben Carr")
    report_id = a_report(tx, state="triage")
    tx.execute(insert(question).values(report_id=report_id, candidates=[], asked_at=NOW))
    act = _acts(name(tx, report, report_id), seen(tx, "report", report_id))[number]
    decide_report.refer(ben, name(tx, report, report_id), "Network Rail", "Their bridge.", NOW)

    told = refused(tx, lambda: act(ada))

    assert told.detail.startswith("Ben Carr referred it to Network Rail")


def test_who_links_or_unlinks_a_report_that_was_linked_meanwhile_is_told(tx: WriteTx) -> None:
    ada, ben = somebody(tx, "Ada Fell"), somebody(tx, "Ben Carr")
    report_id, one, other = a_report(tx, state="triage"), a_defect(tx), a_defect(tx, easting=EASTING + 8)
    reference, known = name(tx, report, report_id), seen(tx, "report", report_id)
    merge_defects.link(ben, reference, name(tx, defect, one), "The photo.", NOW)

    linked = refused(tx, lambda: merge_defects.link(ada, reference, name(tx, defect, other), "It is.", NOW, known))
    gone = refused(tx, lambda: merge_defects.unlink(ada, reference, name(tx, defect, one), "Is not.", NOW, known))

    assert linked.detail == gone.detail
    assert linked.detail.startswith(f"Ben Carr linked it to {name(tx, defect, one)} just now.")


def test_who_decides_or_rules_on_a_recall_that_was_decided_meanwhile_is_told(tx: WriteTx) -> None:
    ada, ben = somebody(tx, "Ada Fell"), somebody(tx, "Ben Carr")
    defect_id = a_defect(tx, known_at=NOW - 2 * DAY)
    an_order(tx, defect_id, now=NOW - DAY)
    a_verified_repair(tx, defect_id, NOW, length_m=1.2, width_m=0.8)
    triaged(tx, NOW)
    reference, recall_id = tx.execute(select(recall.c.reference, recall.c.id)).one()
    known = seen(tx, "recall", recall_id)
    recall_repair.decide(ben, reference, Attributed.NOT_ATTRIBUTABLE, "A trench was cut.", NOW)

    decided = refused(
        tx, lambda: recall_repair.decide(ada, reference, Attributed.ATTRIBUTABLE, "It came out.", NOW, known)
    )
    ruled = refused(tx, lambda: recall_repair.rule(ada, reference, Attributed.ATTRIBUTABLE, "It did.", NOW, known))

    assert decided.detail.startswith("Ben Carr decided that the failure is not the repair's just now.")
    assert ruled.detail == decided.detail


def test_who_verifies_a_repair_that_somebody_rejected_meanwhile_is_told(tx: WriteTx) -> None:
    ada, ben = somebody(tx, "Ada Fell"), somebody(tx, "Ben Carr")
    defect_id = a_defect(tx, band="E", known_at=NOW - 2 * DAY)
    an_order(tx, defect_id, now=NOW - DAY)
    order = a_repair(tx, defect_id, NOW, outcome=VisitOutcome.PERMANENT)
    known = seen(tx, "works_order", order.id)

    def verdict(by: WriteTx, *, passed: bool, known: int | None = None) -> Any:
        return verify_repair.decide(
            by, order.reference, passed=passed, why="Looked.", site_check=True, company=None, now=NOW, seen=known
        )

    verdict(ben, passed=False)

    told = refused(tx, lambda: verdict(ada, passed=True, known=known))

    assert told.detail.startswith("Ben Carr rejected the repair")
