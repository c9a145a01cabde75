"""The queue: what breaks first stands first, every filter says what it says, and pages go on where they stopped."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import URL, Engine, create_engine, insert, select, update

from shared.domain.terms import VisitOutcome
from shared.errors import Invalid
from shared.store.engine import WriteTx
from shared.store.read_models import queue
from shared.store.read_models.queue import NONE, Wanted
from shared.store.tables import GRID, area, question, report, sighting, street, works_order
from tests import databases
from tests.factories import a_defect, a_repair, a_report, adopt_default_policy, an_order
from tests.flows.test_matching_plans import _nodes, _told

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
MANY = 20_000


def shown(tx: WriteTx, **wanted: Any) -> list[int]:
    """Ids in the order of the list."""
    found = queue.page(tx, Wanted(**wanted), after=None, most=500)
    return [row["id"] for row in found.rows]


def test_what_breaks_first_stands_first_whichever_clock_it_is(tx: WriteTx) -> None:
    repair = a_defect(tx, permanent_due_at=NOW + 3 * DAY)
    late = a_defect(tx, permanent_due_at=NOW - DAY)
    unsafe = a_defect(tx, make_safe_due_at=NOW + DAY, permanent_due_at=NOW + 9 * DAY)
    look = a_defect(tx, state="candidate", inspect_due_at=NOW + 2 * DAY, permanent_due_at=NOW + 9 * DAY)
    safe = a_defect(
        tx, state="made_safe", make_safe_due_at=NOW - DAY, made_safe_at=NOW - 2 * DAY, permanent_due_at=NOW + 4 * DAY
    )
    watched = a_defect(tx, state="monitor", permanent_due_at=NOW - 9 * DAY)
    a_defect(tx, state="closed", permanent_due_at=NOW - 9 * DAY)

    assert shown(tx) == [late, unsafe, look, repair, safe, watched]


def test_a_repair_that_waits_for_its_verification_is_due_by_that(tx: WriteTx) -> None:
    adopt_default_policy(tx)
    claimed = a_defect(tx, permanent_due_at=NOW - 9 * DAY)
    an_order(tx, claimed)
    order = a_repair(tx, claimed, NOW, outcome=VisitOutcome.PERMANENT)
    checked = update(works_order).where(works_order.c.id == order.id)
    tx.execute(checked.values(state="evidence_ok", verify_due_at=NOW + 2 * DAY))
    sooner, later = a_defect(tx, permanent_due_at=NOW + DAY), a_defect(tx, permanent_due_at=NOW + 3 * DAY)

    assert shown(tx) == [sooner, claimed, later]


def test_pages_go_on_where_they_stopped_also_among_what_is_due_at_once(tx: WriteTx) -> None:
    ids = [a_defect(tx, permanent_due_at=NOW + (number // 3) * DAY) for number in range(7)]
    ids.append(a_defect(tx, state="monitor"))
    seen: list[int] = []
    after: str | None = None

    for _ in range(4):
        page = queue.page(tx, Wanted(), after=after, most=2)
        seen += [row["id"] for row in page.rows]
        after = page.next
        assert page.total == 8

    assert seen == ids
    assert after is None


@pytest.mark.parametrize("after", ["", "nonsense", "2026-01-01~D-1", "2026-01-01T00:00:00+00:00"])
def test_a_place_that_no_answer_gave_is_refused(tx: WriteTx, after: str) -> None:
    with pytest.raises(Invalid, match="after"):
        queue.page(tx, Wanted(), after=after, most=2)


def test_each_filter_finds_its_own(tx: WriteTx) -> None:
    adopt_default_policy(tx)
    here: dict[str, Any] = {"street_key": None, "class_code": "debris", "area_code": "E07000121", "band": "P2"}
    plain = a_defect(tx)
    other = a_defect(tx, **here, danger=True, overdue=True)
    ungraded = a_defect(tx, state="candidate", band=None, street_key="low-street")
    with_alder = a_defect(tx, easting=354_000.0, street_key="elm-street")
    an_order(tx, with_alder)

    assert shown(tx, bands=["P2"]) == [other]
    assert shown(tx, bands=["P2", NONE]) == [other, ungraded]
    assert shown(tx, classes=["debris", "flooding"]) == [other]
    assert shown(tx, areas=["E07000121"]) == [other]
    assert shown(tx, states=["candidate"]) == [ungraded]
    assert shown(tx, street_key="low-street") == [ungraded]
    assert shown(tx, overdue=True) == shown(tx, danger=True) == [other]
    assert shown(tx, danger=False, bands=["P10"]) == [plain, with_alder]
    assert shown(tx, contractors=["alder"]) == [with_alder]
    assert set(shown(tx, contractors=[NONE])) == {plain, other, ungraded}
    assert shown(tx, contractors=["birch"]) == []


def test_days_are_bounds_of_the_clock_that_runs_out_next(tx: WriteTx) -> None:
    a_defect(tx, permanent_due_at=NOW - DAY)
    today = a_defect(tx, make_safe_due_at=NOW + timedelta(hours=1), permanent_due_at=NOW + 9 * DAY)
    a_defect(tx, permanent_due_at=NOW + DAY)

    assert shown(tx, due_from=NOW, due_before=NOW + DAY) == [today]


def test_it_is_found_by_reference_by_street_and_by_what_its_reporters_said(tx: WriteTx) -> None:
    line = "SRID=27700;MULTILINESTRING((353000 430000, 353100 430000))"
    named = insert(street).values(network_id="s1", street_key="s1", name="Friargate Brow", geom=line)
    street_id = tx.scalar(named.returning(street.c.id))
    on_it, told_of = a_defect(tx, street_id=street_id, reference="D-7K3M-9QXF"), a_defect(tx)
    report_id = a_report(tx, description="Water stands by the bus shelter.", state="linked")
    seen(tx, told_of, report_id)
    gone = a_report(tx, description="Another bus shelter.", state="linked")
    seen(tx, on_it, gone, unlinked_at=NOW)

    assert shown(tx, sought="d 7k3m 9q") == shown(tx, sought="9QXF") == [on_it]
    assert shown(tx, sought="argate bro") == [on_it]
    assert shown(tx, sought="bus shelters") == [told_of]
    assert shown(tx, sought="nothing of the kind") == []


def seen(tx: WriteTx, defect_id: int, report_id: int, **more: Any) -> None:
    where = dict(
        tx.execute(select(report.c.lat, report.c.lon, report.c.geom).where(report.c.id == report_id)).one()._mapping
    )
    row = {"defect_id": defect_id, "report_id": report_id, "class_code": "pothole", "accuracy_m": 5.0, **where}
    row |= {"seen_at": NOW, "known_at": NOW, "linked_at": NOW, "verdict": "same", "why": "Near."}
    tx.execute(insert(sighting).values({**row, **more}))


def test_unsure_is_what_an_open_question_asks_about(tx: WriteTx) -> None:
    asked, settled, _ = a_defect(tx), a_defect(tx), a_defect(tx)
    for defect_id, at in ((asked, None), (settled, NOW)):
        tx.execute(
            insert(question).values(
                report_id=a_report(tx), candidates=[{"defect_id": defect_id}], asked_at=NOW, settled_at=at
            )
        )

    assert shown(tx, unsure=True) == [asked]
    assert asked not in shown(tx, unsure=False)


def test_a_row_says_where_it_is_and_who_has_it(tx: WriteTx) -> None:
    adopt_default_policy(tx)
    square = f"SRID={GRID};MULTIPOLYGON(((0 0, 1 0, 1 1, 0 0)))"
    tx.execute(insert(area).values(code="E07000123", name="Preston", kind="district", geom=square))
    order = an_order(tx, a_defect(tx, danger=True))

    (row,) = queue.page(tx, Wanted(), after=None, most=5).rows

    assert (row["area"], row["street"], row["danger"]) == ("Preston", None, True)
    assert (row["works_order"], row["contractor"], row["order_state"]) == (order.reference, "alder", "issued")
    assert row["due_at"] == row["permanent_due_at"]


# --- with history ----------------------------------------------------------------------------------------------------

_FILL = f"""
INSERT INTO defect (reference, class_code, state, band, lat, lon, accuracy_m, geom, street_key, area_code, known_at,
                    clock_from, opened_at, last_seen_at, permanent_due_at, updated_at)
SELECT 'D-' || i, 'pothole', CASE WHEN i % 10 = 0 THEN 'confirmed' ELSE 'closed' END,
       CASE WHEN i % 400 = 0 THEN 'E' ELSE 'P10' END, 53.7, -2.7, 4,
       ST_SetSRID(ST_MakePoint(350000 + i % 200 * 20, 430000 + i / 200 * 100), 27700), 'b' || i / 25, 'E07000123',
       now(), now(), now(), now(), now() + i * interval '1 minute', now()
FROM generate_series(1, {MANY}) AS i;
INSERT INTO report (reference, tracking_hash, channel, class_code, lat, lon, accuracy_m, geom, description, state,
                    observed_at, received_at, triage_due_at, updated_at)
SELECT 'R-' || i, sha256(i::text::bytea), 'web', 'pothole', 53.7, -2.7, 4,
       ST_SetSRID(ST_MakePoint(350000, 430000), 27700), 'number ' || i, 'linked', now(), now(), now(), now()
FROM generate_series(1, {MANY}) AS i;
INSERT INTO sighting (defect_id, report_id, class_code, lat, lon, accuracy_m, geom, seen_at, known_at, verdict, why,
                      linked_at)
SELECT defect.id, report.id, 'pothole', 53.7, -2.7, 4, defect.geom, now(), now(), 'new', '', now()
FROM defect JOIN report ON report.reference = 'R' || substr(defect.reference, 2);
ANALYZE defect, report, sighting
"""


@pytest.fixture(scope="module")
def filled(template: URL) -> Iterator[Engine]:
    """Ten times as much has ended as is open."""
    url = databases.create(template, str(template.database))
    engine = create_engine(databases.as_setting(url), connect_args={"options": "-c timezone=UTC -c jit=off"})
    with engine.begin() as connection:
        tx = WriteTx(connection, "test")
        for statement in _FILL.split(";\n"):
            tx.raw().execute(statement.encode())
    yield engine
    engine.dispose()
    databases.drop(url)


# Named by hand: what is written out with a time in it is another name in each of the processes that share the tests.
@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param(Wanted(), id="all"),
        pytest.param(Wanted(bands=["E"]), id="band"),
        pytest.param(Wanted(states=["confirmed"], areas=["E07000123"]), id="state and area"),
        pytest.param(Wanted(overdue=True), id="overdue"),
        pytest.param(Wanted(contractors=["alder"]), id="contractor"),
        pytest.param(Wanted(unsure=True), id="unsure"),
        pytest.param(Wanted(sought="number 4000"), id="words"),
        pytest.param(Wanted(due_before=NOW), id="due"),
    ],
)
def test_no_filter_reads_what_has_ended(filled: Engine, wanted: Wanted) -> None:
    with filled.connect() as connection:
        tx = WriteTx(connection, "test")

        plans = _told(tx, lambda: queue.page(tx, wanted, after=None, most=100))

    nodes = [node for told in plans for node in _nodes(told["Plan"])]
    through = [node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan" and node["Actual Loops"]]
    assert not {"defect", "report", "sighting"} & set(through)
    brought = [node["Actual Rows"] for node in nodes if node.get("Relation Name") == "defect"]
    assert max(brought) <= MANY / 10
