"""What is called lawful is what the flows accept, and the other way round, in every state and for either rank."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from shared.domain.events import Consumer
from shared.domain.terms import DefectState, ReportState
from shared.errors import Refusal
from shared.flows import act_on_order, assign_works, decide_report, merge_defects, recall_repair
from shared.flows.assess_defect import assess
from shared.flows.decide_report import Rejection
from shared.flows.order_by_hand import order_by_hand
from shared.flows.weigh_acts import acts_on_defect, acts_on_report, fullest
from shared.flows.weigh_finding import Decision, Person
from shared.store import reports_decisions, works
from shared.store.engine import WriteTx
from shared.store.tables import defect, recall, report, sighting, works_order
from tests.factories import a_defect, a_report, a_verified_repair, adopt_default_policy, an_order, hear, triaged

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)
WHY = "Because."
EASTING = 353_000.0

Try = Callable[[WriteTx], object]


@pytest.fixture(autouse=True)
def _policy(tx: WriteTx) -> None:
    adopt_default_policy(tx)


def linked(tx: WriteTx, defect_id: int, **more: Any) -> str:
    """A report that is linked to a defect; its reference."""
    report_id = a_report(tx, state="linked", **more)
    where = select(report.c.reference, report.c.lat, report.c.lon, report.c.geom).where(report.c.id == report_id)
    reference, lat, lon, geom = tx.execute(where).one()
    row = {"class_code": "pothole", "lat": lat, "lon": lon, "geom": geom, "accuracy_m": 5.0, "verdict": "same"}
    row |= {"defect_id": defect_id, "report_id": report_id, "seen_at": NOW, "known_at": NOW, "linked_at": NOW - HOUR}
    tx.execute(insert(sighting).values(**row, why="Near."))
    return str(reference)


def name(tx: WriteTx, defect_id: int) -> str:
    return str(tx.scalar(select(defect.c.reference).where(defect.c.id == defect_id)))


def a_candidate(tx: WriteTx) -> int:
    """What anything that is open may take in."""
    return a_defect(tx, state="candidate", band=None, easting=EASTING + 60)


def accepts(tx: WriteTx, actor: str, tried: Try) -> bool:
    """Whether the flow does it; what it did is taken back."""
    attempt = tx.connection.begin_nested()
    try:
        tried(WriteTx(tx.connection, actor))
    except Refusal:
        return False
    finally:
        attempt.rollback()
    return True


def any_of(*ways: Try) -> Try:
    """The first that is not refused."""

    def tried(tx: WriteTx) -> None:
        refused: Refusal | None = None
        for way in ways:
            attempt = tx.connection.begin_nested()
            try:
                way(tx)
            except Refusal as no:
                attempt.rollback()
                refused = no
            else:
                attempt.commit()
                return
        assert refused
        raise refused

    return tried


def refused(_: WriteTx) -> None:
    raise Refusal("Nobody can say so.")


def flows_of(
    reference: str, other: str, reports: list[str], orders: list[str], *, supervises: bool
) -> Mapping[str, Try]:
    """Each act as the flow does it, with all that it may need."""

    def on_order(act: Callable[[WriteTx, str], object]) -> Try:
        return any_of(*(lambda tx, order=one: act(tx, order) for one in orders)) if orders else refused

    def decided(decision: Decision) -> Try:
        return lambda tx: assess(tx, reference, fullest(decision, NOW), NOW, supervises=supervises)

    return {
        **{one.value: decided(one) for one in Decision},
        "made_safe": refused,
        "order": any_of(
            lambda tx: order_by_hand(tx, [reference], None, WHY, NOW),
            lambda tx: order_by_hand(tx, [reference], "alder", WHY, NOW),
        ),
        "cancel_order": on_order(lambda tx, order: act_on_order.cancel(tx, order, WHY, NOW)),
        "reissue_order": on_order(lambda tx, order: act_on_order.reissue(tx, order, "birch", WHY, NOW)),
        "merge": lambda tx: merge_defects.merge(tx, reference, other, WHY, NOW),
        "take_in": any_of(
            lambda tx: merge_defects.merge(tx, other, reference, WHY, NOW),
            lambda tx: merge_defects.merge(tx, name(tx, a_candidate(tx)), reference, WHY, NOW),
        ),
        "unmerge": lambda tx: merge_defects.unmerge(tx, reference, WHY, NOW),
        "split": lambda tx: merge_defects.split(tx, reference, reports[:1], WHY, NOW),
        "unlink": any_of(*(lambda tx, one=one: merge_defects.unlink(tx, one, reference, WHY, NOW) for one in reports))
        if reports
        else refused,
    }


def differing(tx: WriteTx, defect_id: int, other: int, reports: list[str], person: Person) -> dict[str, str | None]:
    """The acts of which the page would say another thing than the flow does."""
    reference = name(tx, defect_id)
    orders = [one.reference for one in works.look_at(tx, works.open_orders_of(tx, [defect_id]))]
    flows = flows_of(reference, name(tx, other), reports, orders, supervises=person.supervises)
    acts = acts_on_defect(tx, reference, person, NOW)
    assert {one.name for one in acts} == flows.keys()
    return {one.name: one.why_not for one in acts if one.lawful is not accepts(tx, person.actor, flows[one.name])}


@pytest.mark.parametrize(("reported", "supervises"), [(0, False), (1, True), (2, False)])
@pytest.mark.parametrize("state", sorted(set(DefectState) - {DefectState.RECALLED}))
def test_what_is_lawful_on_a_defect_is_what_the_flows_accept(
    tx: WriteTx, state: DefectState, reported: int, supervises: bool
) -> None:
    standing, other = a_defect(tx, assessed_by="person:1"), a_defect(tx, easting=EASTING + 40)
    reports = [linked(tx, standing, easting=EASTING + number) for number in range(reported)]
    if state is DefectState.DUPLICATE:
        original = a_defect(tx, easting=EASTING + 20)
        merge_defects.merge(tx, name(tx, standing), name(tx, original), WHY, NOW)
    else:
        tx.execute(update(defect).where(defect.c.id == standing).values(state=state))

    assert differing(tx, standing, other, reports, Person("person:2", supervises)) == {}


@pytest.mark.parametrize("order_state", ["issued", "accepted", "declined", "on_site", "evidence_failed"])
def test_what_is_lawful_on_an_ordered_defect_is_what_the_flows_accept(tx: WriteTx, order_state: str) -> None:
    standing, other = a_defect(tx), a_defect(tx, easting=EASTING + 40, street_key="another")
    reports = [linked(tx, standing), linked(tx, standing)]
    order = an_order(tx, standing)
    tx.execute(update(works_order).where(works_order.c.id == order.id).values(state=order_state))

    assert differing(tx, standing, other, reports, Person("person:2", True)) == {}


@pytest.mark.parametrize("ordered", [False, True], ids=["recalled", "remedy-ordered"])
def test_what_is_lawful_on_a_failed_repair_is_what_the_flows_accept(tx: WriteTx, ordered: bool) -> None:
    standing, other = a_defect(tx, known_at=NOW - 48 * HOUR), a_defect(tx, easting=EASTING + 40, street_key="another")
    an_order(tx, standing, now=NOW - 24 * HOUR)
    a_verified_repair(tx, standing, NOW - HOUR)
    reports = [str(tx.scalar(select(report.c.reference).where(report.c.id == triaged(tx, NOW))))]
    failed = str(tx.scalar(select(recall.c.reference)))
    recall_repair.decide(tx, failed, recall_repair.Decision.ATTRIBUTABLE, "The patch has come out.", NOW)
    if ordered:
        hear(tx, Consumer.ASSIGN, assign_works.run, datetime.now(UTC))

    assert differing(tx, standing, other, reports, Person("person:2", True)) == {}


def test_a_forbidden_act_says_why_in_words_of_the_rule(tx: WriteTx) -> None:
    standing = a_defect(tx)
    order = an_order(tx, standing)

    why = {one.name: one.why_not for one in acts_on_defect(tx, name(tx, standing), Person("person:2", False), NOW)}

    assert why["confirm"] is None
    assert "is being repaired" in str(why["merge"])
    assert order.reference in str(why["order"])
    assert "A visit shows it." in str(why["made_safe"])
    assert "cannot become" in str(why["reopen"])
    assert "was seen once or never" in str(why["split"])


def test_who_graded_a_defect_cannot_drop_it_alone_and_is_told_who_could(tx: WriteTx) -> None:
    standing = a_defect(tx, assessed_by="person:2")
    reference = name(tx, standing)

    def why(person: Person) -> str | None:
        return next(one.why_not for one in acts_on_defect(tx, reference, person, NOW) if one.name == "no_defect")

    assert "a supervisor other than person:2" in str(why(Person("person:2", True)))
    assert why(Person("person:3", True)) is None


@pytest.mark.parametrize("asked", [False, True], ids=["not-asked", "asked-before"])
@pytest.mark.parametrize("state", list(ReportState))
def test_what_is_lawful_on_a_report_is_what_the_flows_accept(tx: WriteTx, state: ReportState, asked: bool) -> None:
    standing, other = a_defect(tx), a_defect(tx, easting=EASTING + 40)
    if state in (ReportState.LINKED, ReportState.RESOLVED, ReportState.CHALLENGED):
        mine = linked(tx, standing)
    else:
        mine = str(tx.scalar(select(report.c.reference).where(report.c.id == a_report(tx))))
    if asked:
        reports_decisions.note(tx, reports_decisions.look_at(tx, mine).id, "question", "?", NOW)
    tx.execute(update(report).where(report.c.reference == mine).values(state=state))
    flows: Mapping[str, Try] = {
        "link": lambda tx: merge_defects.link(tx, mine, name(tx, other), WHY, NOW),
        "new_defect": lambda tx: merge_defects.found(tx, mine, WHY, NOW),
        "ask": lambda tx: decide_report.ask(tx, mine, "Which lane?", NOW),
        "refer": lambda tx: decide_report.refer(tx, mine, "Another", WHY, NOW),
        "no_defect": lambda tx: decide_report.find_nothing(tx, mine, WHY, "Walked it.", NOW),
        "reject": lambda tx: decide_report.reject(tx, mine, Rejection.NOT_HIGHWAYS, WHY, NOW),
        "restore": lambda tx: decide_report.restore(tx, mine, WHY, NOW),
        "unlink": lambda tx: merge_defects.unlink(tx, mine, name(tx, standing), WHY, NOW),
    }

    acts = acts_on_report(tx, mine)

    assert {one.name for one in acts} == flows.keys()
    assert {one.name: one.why_not for one in acts if one.lawful is not accepts(tx, "person:2", flows[one.name])} == {}
