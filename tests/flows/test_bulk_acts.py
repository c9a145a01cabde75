"""Acts on many: seen beforehand without a trace, held, undone or done once; what is refused holds up no other."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text

from services.workers.consumer import drain
from shared.domain.bulk import Act, Asked, screened
from shared.domain.events import Consumer
from shared.errors import Conflict, Invalid, NotFound
from shared.flows import assess_defect, bulk_acts, preview_act, tell_people
from shared.flows.bulk_acts import HELD
from shared.settings import settings
from shared.store.engine import WriteTx, reading, transaction
from shared.store.tables import bulk_act, contact, defect, delivery, event, message, sighting, works_order
from tests.factories import a_defect, a_report, adopt_default_policy, an_order, hear

NOW = datetime.now(UTC).replace(microsecond=0)
OVER = NOW + HELD
SECOND = timedelta(seconds=1)
REFER = {"owner": "Openreach", "why": "It is their cover."}
GRADE = {"why": "Seen on site.", "impact": 2, "likelihood": 2, "facts": {}}


@pytest.fixture(autouse=True)
def sends(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """E-mail leaves."""
    for name, value in {"SECRET_KEY": "k" * 32, "MAIL_PROVIDER": "mailbox"}.items():
        monkeypatch.setenv(f"ROADMEND_{name}", value)
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture
def ruled(tx: WriteTx) -> WriteTx:
    """The policy is in force, and person 7 acts."""
    adopt_default_policy(tx)
    return WriteTx(tx.connection, "person:7")


def named(tx: WriteTx, *ids: int) -> tuple[str, ...]:
    rows = tx.execute(select(defect.c.id, defect.c.reference).where(defect.c.id.in_(ids)))
    known = {row.id: row.reference for row in rows}
    return tuple(known[one] for one in ids)


def candidates(tx: WriteTx, many: int) -> list[int]:
    return [a_defect(tx, state="candidate", band=None, easting=353_000.0 + 50 * one) for one in range(many)]


def ask(tx: WriteTx, act: Act, ids: list[int], body: dict[str, Any], *, supervises: bool = False) -> int:
    return bulk_acts.ask(tx, Asked(act, named(tx, *ids), body), NOW, supervises=supervises)


def do(tx: WriteTx, now: datetime = OVER) -> int:
    """What the worker does."""
    return hear(WriteTx(tx.connection, "worker:acts"), Consumer.ACTS, bulk_acts.run, now)


def states(tx: WriteTx, ids: list[int]) -> list[str]:
    rows = tx.execute(select(defect.c.state).where(defect.c.id.in_(ids)).order_by(defect.c.id))
    return [row.state for row in rows]


def act_of(tx: WriteTx, act_id: int) -> Any:
    return tx.execute(select(bulk_act).where(bulk_act.c.id == act_id)).one()


def of(tx: WriteTx, defect_id: int, email: str) -> None:
    """A report that is linked to a defect, whose reporter can be reached."""
    report_id = a_report(tx, state="linked")
    where = {"lat": 53.7, "lon": -2.7, "geom": func.ST_SetSRID(func.ST_MakePoint(353_000, 430_000), 27700)}
    row = {"defect_id": defect_id, "report_id": report_id, "class_code": "pothole", "accuracy_m": 5.0, **where}
    row |= {"seen_at": NOW, "known_at": NOW, "linked_at": NOW - HELD, "verdict": "same", "why": "Near."}
    tx.execute(insert(sighting).values(**row))
    tx.execute(insert(contact).values(report_id=report_id, email=email))


# --- held, undone, done ----------------------------------------------------------------------------------------------


def test_an_act_waits_and_is_then_done_to_each_in_the_operators_name(ruled: WriteTx) -> None:
    ids = candidates(ruled, 3)

    act_id = ask(ruled, Act.REFER, ids, REFER)
    assert do(ruled, OVER - SECOND) == 0
    assert states(ruled, ids) == ["candidate"] * 3
    do(ruled)

    found = act_of(ruled, act_id)
    assert states(ruled, ids) == ["third_party"] * 3
    assert found.done_at is not None
    assert [one["reference"] for one in found.results] == list(named(ruled, *ids))
    steps = select(event.c.actor).where(event.c.kind == "DefectStepped", event.c.subject_id.in_(ids))
    assert set(ruled.scalars(steps)) == {"person:7"}


def test_what_was_done_is_not_done_again(ruled: WriteTx) -> None:
    ids = candidates(ruled, 2)
    act_id = ask(ruled, Act.REFER, ids, REFER)
    do(ruled)
    events = select(func.count()).select_from(event)
    before, results = ruled.scalar(events), act_of(ruled, act_id).results

    (one,) = ruled.execute(select(event).where(event.c.kind == "BulkActAsked"))
    again = {"consumer": "acts", "event_id": one.id, "event_at": one.at, "kind": one.kind, "due_at": OVER}
    ruled.execute(insert(delivery).values(**again, subject_id=act_id))
    assert do(ruled) == 1

    assert (ruled.scalar(events), act_of(ruled, act_id).results) == (before, results)


def test_an_act_that_was_undone_is_never_done(ruled: WriteTx) -> None:
    ids = candidates(ruled, 2)
    act_id = ask(ruled, Act.REFER, ids, REFER)

    bulk_acts.undo(ruled, act_id, NOW + SECOND)
    bulk_acts.undo(ruled, act_id, NOW + 2 * SECOND)
    do(ruled)

    assert states(ruled, ids) == ["candidate"] * 2
    assert act_of(ruled, act_id).undone_at == NOW + SECOND
    assert ruled.scalar(select(func.count()).select_from(delivery).where(delivery.c.consumer == "acts")) == 0


def test_an_act_asked_for_again_because_its_answer_was_lost_is_the_one_that_is_held(ruled: WriteTx) -> None:
    ids = candidates(ruled, 2)
    held = ask(ruled, Act.REFER, ids, REFER)

    assert ask(ruled, Act.REFER, ids, REFER) == held
    assert ask(ruled, Act.REFER, ids, {**REFER, "why": "Another reason."}) != held
    assert ask(ruled, Act.REFER, ids[:1], REFER) != held
    bulk_acts.undo(ruled, held, NOW)
    assert ask(ruled, Act.REFER, ids, REFER) != held


def test_what_is_done_cannot_be_undone_and_nobody_undoes_anothers(ruled: WriteTx) -> None:
    act_id = ask(ruled, Act.REFER, candidates(ruled, 1), REFER)

    with pytest.raises(NotFound):
        bulk_acts.undo(WriteTx(ruled.connection, "person:8"), act_id, NOW)
    do(ruled)
    with pytest.raises(Conflict, match="done already"):
        bulk_acts.undo(ruled, act_id, OVER)


def test_one_that_is_refused_is_named_with_its_reason_and_holds_up_no_other(ruled: WriteTx) -> None:
    first, last = candidates(ruled, 2)
    mended = a_defect(ruled, state="closed", easting=353_500.0)

    act_id = ask(ruled, Act.REFER, [first, mended, last], REFER)
    do(ruled)

    results = act_of(ruled, act_id).results
    assert [one.get("problem") for one in results] == [None, "unlawful-step", None]
    assert results[1]["detail"]
    assert states(ruled, [first, mended, last]) == ["third_party", "third_party", "closed"]
    assert ruled.execute(select(event.c.data).where(event.c.kind == "BulkActDone")).scalar_one() == {
        "done": 2,
        "refused": 1,
    }


def test_a_refusal_leaves_nothing_of_what_it_had_begun(ruled: WriteTx) -> None:
    # No lot covers it: the order by hand is refused at its end.
    (alone,) = [a_defect(ruled, class_code="unheard_of", area_code="E99")]

    act_id = ask(ruled, Act.ASSIGN, [alone], {"contractor": None, "reason": "By policy."})
    do(ruled)

    assert act_of(ruled, act_id).results[0]["problem"] == "invalid-input"
    assert ruled.scalar(select(func.count()).select_from(works_order)) == 0


def test_a_long_act_is_done_in_parts(ruled: WriteTx, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_acts, "PART", 2)
    ids = candidates(ruled, 5)
    act_id = ask(ruled, Act.REFER, ids, REFER)
    parts: list[int] = []

    def counted(tx: WriteTx, due: Any, now: datetime) -> Any:
        begun = bulk_acts.run(tx, due, now)
        parts.append(len(act_of(tx, act_id).results))
        return begun

    hear(ruled, Consumer.ACTS, counted, OVER)

    assert parts == [2, 4, 5]
    assert states(ruled, ids) == ["third_party"] * 5


def test_an_act_without_a_defect_or_with_too_many_is_refused(ruled: WriteTx) -> None:
    for many in (0, 501):
        with pytest.raises(Invalid, match="between 1 and 500"):
            bulk_acts.ask(ruled, Asked(Act.REFER, ("D-1",) * many, REFER), NOW, supervises=False)


def test_a_worker_that_dies_in_the_middle_has_done_nothing_and_the_next_does_it_once(own_db: object) -> None:
    with transaction("person:7") as tx:
        adopt_default_policy(tx)
        ids = candidates(tx, 3)
        act_id = ask(tx, Act.REFER, ids, REFER)
        tx.execute(text("UPDATE delivery SET due_at = now() WHERE consumer = 'acts'"))

    def dies(tx: WriteTx, due: Any, now: datetime) -> Any:
        bulk_acts.run(tx, due, now)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        drain(Consumer.ACTS, dies)
    with reading() as seen:
        assert seen.scalar(select(func.count()).select_from(event).where(event.c.kind == "DefectStepped")) == 0
    drain(Consumer.ACTS, bulk_acts.run)
    drain(Consumer.ACTS, bulk_acts.run)

    with reading() as seen:
        stepped = select(func.count()).select_from(event).where(event.c.kind == "DefectStepped")
        results = seen.scalar(select(bulk_act.c.results).where(bulk_act.c.id == act_id))
        assert (seen.scalar(stepped), len(results)) == (3, 3)


# --- the acts --------------------------------------------------------------------------------------------------------


def test_grading_confirms_with_the_facts_that_were_given(ruled: WriteTx) -> None:
    ids = candidates(ruled, 2)

    ask(ruled, Act.GRADE, ids, {**GRADE, "facts": {"collapse": True}})
    do(ruled)

    rows = ruled.execute(select(defect.c.state, defect.c.band, defect.c.assessed_by).where(defect.c.id.in_(ids)))
    assert [tuple(row) for row in rows] == [("confirmed", "E", "person:7")] * 2


def test_assigning_by_policy_and_to_a_chosen_one(ruled: WriteTx) -> None:
    by_policy, chosen = a_defect(ruled), a_defect(ruled, easting=353_400.0, street_key="low-street")

    ask(ruled, Act.ASSIGN, [by_policy], {"contractor": None, "reason": "By policy."})
    ask(ruled, Act.ASSIGN, [chosen], {"contractor": "birch", "reason": "Birch is near."})
    do(ruled)

    lots = ruled.scalars(select(works_order.c.lot).order_by(works_order.c.id)).all()
    assert states(ruled, [by_policy, chosen]) == ["ordered", "ordered"]
    assert "by hand" in lots
    assert len(lots) == 2


def test_a_message_reaches_the_reporter_screened_and_once(ruled: WriteTx) -> None:
    defect_id = a_defect(ruled)
    of(ruled, defect_id, "sam@example.org")
    words = screened("  The road is closed on Monday. Ask sam@council.example.  ")

    ask(ruled, Act.MESSAGE, [defect_id], {"words": words})
    do(ruled)
    hear(ruled, Consumer.TELL, tell_people.run, datetime.now(UTC) + HELD)

    (one,) = ruled.execute(select(message).where(message.c.template == "note"))
    assert one.values["words"] == "The road is closed on Monday. Ask [hidden]."


def test_a_message_without_words_says_so() -> None:
    with pytest.raises(Invalid, match="what they should know"):
        screened("  ")


# --- seen beforehand -------------------------------------------------------------------------------------------------


def foreseen(tx: WriteTx, act: Act, ids: list[int], body: dict[str, Any]) -> preview_act.Preview:
    return preview_act.preview(tx, Asked(act, named(tx, *ids), body), NOW, actor="person:7", supervises=False)


def test_a_preview_says_what_will_come_and_writes_nothing(ruled: WriteTx) -> None:
    first, last = candidates(ruled, 2)
    closed = a_defect(ruled, state="closed", easting=353_500.0)
    of(ruled, first, "sam@example.org")
    of(ruled, last, "SAM@example.org")
    events = select(func.count()).select_from(event)
    before = ruled.scalar(events)

    found = foreseen(ruled, Act.GRADE, [first, closed, last], {**GRADE, "facts": {"collapse": True}})

    one, refused, other = found.defects
    assert (one.was, one.state, one.band, one.people) == ("candidate", "confirmed", "E", 1)
    assert one.make_safe_due_at is not None
    assert (refused.refusal and refused.refusal.code, refused.people) == ("unlawful-step", 0)
    assert (other.state, found.people) == ("confirmed", 1)
    assert ruled.scalar(events) == before
    assert states(ruled, [first, last]) == ["candidate"] * 2


def test_a_preview_and_the_act_come_to_the_same(ruled: WriteTx) -> None:
    ids = [*candidates(ruled, 2), a_defect(ruled, state="closed", easting=353_500.0)]
    found = foreseen(ruled, Act.GRADE, ids, GRADE)

    act_id = ask(ruled, Act.GRADE, ids, GRADE)
    do(ruled)

    done = act_of(ruled, act_id).results
    assert [one.refusal and one.refusal.code for one in found.defects] == [one.get("problem") for one in done]
    assert [one.band for one in found.defects[:2]] == [one["band"] for one in done[:2]]


def test_a_preview_names_whose_it_becomes_and_why_not(ruled: WriteTx) -> None:
    free, candidate = a_defect(ruled), a_defect(ruled, state="candidate", easting=353_200.0)
    had = a_defect(ruled, easting=353_400.0, street_key="low-street")
    an_order(ruled, had)
    unlisted = a_defect(ruled, class_code="unheard_of", easting=353_600.0)

    found = foreseen(ruled, Act.ASSIGN, [free, candidate, had, unlisted], {"contractor": None, "reason": "By policy."})

    to_one, *refused = found.defects
    assert to_one.contractor is not None
    assert to_one.state == "ordered"
    reasons = [str(one.refusal and one.refusal.detail) for one in refused]
    assert "not confirmed yet" in reasons[0]
    assert "has a works order" in reasons[1]
    assert "Name a contractor" in reasons[2]


def test_a_preview_with_a_contractor_that_is_not_known_is_refused_as_a_whole(ruled: WriteTx) -> None:
    with pytest.raises(Invalid, match="no contractor nobody"):
        foreseen(ruled, Act.ASSIGN, [a_defect(ruled)], {"contractor": "nobody", "reason": "Why."})


def test_a_preview_of_a_message_counts_who_reads_it(ruled: WriteTx) -> None:
    defect_id = a_defect(ruled)
    of(ruled, defect_id, "sam@example.org")
    of(ruled, defect_id, "ali@example.org")

    found = foreseen(ruled, Act.MESSAGE, [defect_id], {"words": "Closed on Monday."})

    assert (found.defects[0].people, found.people) == (2, 2)


def test_what_somebody_else_did_while_an_act_was_held_refuses_it_there_alone(ruled: WriteTx) -> None:
    ids = candidates(ruled, 2)
    act_id = ask(ruled, Act.REFER, ids, REFER)
    other = WriteTx(ruled.connection, "person:8")
    finding = bulk_acts.finding(Act.GRADE, GRADE)
    assess_defect.assess(other, named(ruled, ids[0])[0], finding, NOW + SECOND, supervises=False)

    do(ruled)

    results = act_of(ruled, act_id).results
    assert [one.get("problem") for one in results] == ["changed-meanwhile", None]
    assert "confirmed it as" in results[0]["detail"]
    assert states(ruled, ids) == ["confirmed", "third_party"]
