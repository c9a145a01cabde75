"""A month at a glance is what the record says, beside the same month a year before; what is too young is not told."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest

from services.api import month_chart, month_csv
from shared.domain.events import DefectGraded, DefectStepped, RepairClaimed
from shared.domain.month import Month
from shared.domain.terms import VisitOutcome
from shared.store import event_log, policies
from shared.store.engine import WriteTx
from shared.store.read_models import kpis
from shared.store.read_models.month import Glance, Line, glance
from shared.store.states import move
from shared.store.tables import defect
from tests.factories import a_defect, a_repair, a_report, a_verified_repair, adopt_default_policy, an_order

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def _policy(tx: WriteTx) -> None:
    adopt_default_policy(tx)


def _this_month(tx: WriteTx, as_of: datetime = NOW + HOUR) -> Glance:
    rules = policies.in_force(tx, NOW)
    return glance(tx, Month.of(NOW.astimezone(rules.calendar.tz).date()), as_of, rules)


def _line(told: Glance, name: str) -> Line:
    return next(one for one in told.lines if one.name == name)


def _graded(tx: WriteTx, number: int, due: datetime) -> None:
    told = DefectGraded(defect_id=number, band="P10", was=None, why=(), permanent_due=due.isoformat())
    event_log.append(tx, told, due - HOUR)


def test_what_came_and_went_is_what_the_backlog_changed_by(tx: WriteTx) -> None:
    one, _, _ = (a_defect(tx, northing=430_000 + 100 * at) for at in range(3))
    move(tx, defect, [one], "confirmed", "no_defect", NOW)
    event_log.append(tx, DefectStepped(defect_id=one, before="confirmed", after="no_defect", why="Nothing."), NOW)

    told = _this_month(tx)

    values = [_line(told, name).this.value for name in ("open_at_start", "came", "went", "open_at_end")]
    assert values == [0, 3, 1, 2]
    assert _line(told, "defects").this.value == 3
    assert (told.trend[-1].end, told.trend[-2].end) == (2, 0)


def test_a_step_from_one_open_state_to_another_is_no_move(tx: WriteTx) -> None:
    number = a_defect(tx)
    an_order(tx, number)
    a_repair(tx, number, NOW, outcome=VisitOutcome.TEMPORARY)

    told = _this_month(tx)

    assert (_line(told, "came").this.value, _line(told, "went").this.value) == (1, 0)


def test_in_time_is_what_is_published_of_the_same_month(tx: WriteTx) -> None:
    for at, late in enumerate((False, False, True)):
        number = a_defect(tx, northing=430_000 + 100 * at, state="ordered")
        _graded(tx, number, NOW - 10 * timedelta(minutes=1))
        if not late:
            claimed = RepairClaimed(defect_id=number, before="ordered", after="repair_claimed", visit_id=at)
            event_log.append(tx, claimed, NOW - 30 * timedelta(minutes=1))

    told = _this_month(tx)

    published = kpis.published(tx, told.month.period, NOW + HOUR, policies.in_force(tx, NOW))
    figure = next(one for one in published["figures"] if one["name"] == "in_time_permanent_P10")
    line = _line(told, "in_time_permanent_P10")
    assert (line.this.counted, line.this.of) == (figure["counted"], figure["of"]) == (2, 3)
    assert _line(told, "in_time_permanent_all").this.value == pytest.approx(2 / 3)
    assert line.target == 0.9
    assert line.then.note == "Nothing to count."


def test_a_cohort_that_is_too_young_tells_its_size_and_when_it_can_be_told(tx: WriteTx) -> None:
    number = a_defect(tx, known_at=NOW - 2 * DAY)
    an_order(tx, number, now=NOW - DAY)
    a_verified_repair(tx, number, NOW, length_m=1.2, width_m=0.8)

    told = _this_month(tx)
    later = _this_month(tx, NOW + 130 * DAY)

    young, old = (_line(one, "rft_90").this for one in (told, later))
    assert (young.value, young.of) == (None, 1)
    assert young.note.startswith("Too young: told from ")
    assert (old.value, old.counted, old.of, old.note) == (1.0, 1, 1, "")
    assert (told.cohort < told.month, later.cohort) == (True, later.month)
    assert [(one.name, one.this, one.then) for one in told.companies] == [("Alder Roadworks (simulated)", 1, 0)]


def test_the_csv_has_every_figure_with_its_definition_and_its_time(tx: WriteTx) -> None:
    a_report(tx, received_at=NOW)
    told = _this_month(tx)

    rows = list(csv.DictReader(io.StringIO(month_csv.written(told))))

    (reports,) = (one for one in rows if one["figure"] == "reports" and one["month"] == str(told.month))
    assert (reports["value"], reports["definition"]) == ("1", "Reports received in the month.")
    assert {one["as_of"] for one in rows} == {told.as_of.isoformat()}
    assert all(one["definition"] for one in rows)
    assert {one["figure"] for one in rows} >= {line.name for line in told.lines}
    assert sum(one["figure"] == "trend_came" for one in rows) == 13


def test_the_drawing_keeps_its_bars_within_it(tx: WriteTx) -> None:
    for at in range(3):
        a_defect(tx, northing=430_000 + 100 * at)
    told = _this_month(tx)

    drawn = month_chart.moves(told.trend)

    assert len(drawn.bars) == 26
    assert all(
        bar.y >= 0 and bar.y + bar.height <= drawn.height and bar.x + bar.width <= drawn.width for bar in drawn.bars
    )
    assert max(bar.height for bar in drawn.bars) > 0
