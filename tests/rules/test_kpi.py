"""The published figures: matured cohorts, right first time, ages and backlog (DOMAIN 5.4)."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain import kpi
from shared.domain.kpi import Period, Quarter, Repair, Response
from shared.domain.terms import Band, VisitOutcome
from shared.errors import Invalid
from tests.rules.known import local

Q2 = Quarter(2026, 2)
LONG_AFTER = date(2030, 1, 1)


def repair(verified: str, visits: int = 1, recalled: tuple[str, ...] = (), **more: Any) -> Repair:
    return Repair(
        contractor=more.get("contractor", "alder"),
        band=Band.P10,
        verified_on=date.fromisoformat(verified),
        visits=visits,
        recalled_on=tuple(date.fromisoformat(day) for day in recalled),
    )


@pytest.mark.parametrize(
    ("text", "first", "last", "before"),
    [
        ("2026Q4", "2026-10-01", "2026-12-31", "2026Q3"),
        ("2027q1", "2027-01-01", "2027-03-31", "2026Q4"),
        ("2028Q1", "2028-01-01", "2028-03-31", "2027Q4"),
    ],
)
def test_a_quarter_is_read_and_has_its_days(text: str, first: str, last: str, before: str) -> None:
    quarter = Quarter.parse(text)

    assert quarter.period == Period(date.fromisoformat(first), date.fromisoformat(last))
    assert str(quarter.before) == before


@pytest.mark.parametrize("text", ["", "2026", "2026Q5", "26Q1", "2026Q0", "2026-Q1", "Q1", "2026Q11", "٢٠٢٦Q1"])
def test_what_is_no_quarter_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="write for example 2026Q4"):
        Quarter.parse(text)


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_every_day_is_in_exactly_its_quarter(day: date) -> None:
    quarter = Quarter.of(day)

    assert day in quarter.period
    assert day not in quarter.before.period
    assert Quarter.parse(str(quarter)) == quarter


def test_a_period_has_its_whole_months_only() -> None:
    months = list(Period(date(2026, 1, 15), date(2026, 4, 29)).months())

    assert months == [
        Period(date(2026, 2, 1), date(2026, 2, 28)),
        Period(date(2026, 3, 1), date(2026, 3, 31)),
    ]


def test_right_first_time_is_one_visit_and_no_recall_within_the_days() -> None:
    repairs = [
        repair("2026-04-10"),
        repair("2026-04-10", visits=2),
        repair("2026-05-10", recalled=("2026-06-09",)),
        repair("2026-05-10", recalled=("2026-06-10",)),
    ]

    found = kpi.rft(repairs, 30, Q2.period, LONG_AFTER)

    assert (found.counted, found.of, found.value) == (2, 4, 0.5)


def test_a_made_safe_visit_first_is_not_right_first_time() -> None:
    made_safe_then_mended = repair("2026-04-10", visits=2)

    assert kpi.rft([made_safe_then_mended], 30, Q2.period, LONG_AFTER).value == 0.0


def test_cohorts_that_are_too_young_are_left_out_and_the_note_says_so() -> None:
    repairs = [repair("2026-04-10"), repair("2026-06-10", visits=3)]

    found = kpi.rft(repairs, 30, Q2.period, as_of=date(2026, 7, 29))

    assert (found.counted, found.of) == (1, 1)
    assert found.note == "2 of 3 months are old enough."


def test_a_cohort_is_old_enough_on_the_day_its_youngest_repair_is() -> None:
    june = [repair("2026-06-30")]

    assert kpi.rft(june, 30, Q2.period, as_of=date(2026, 7, 29)).of == 0
    assert kpi.rft(june, 30, Q2.period, as_of=date(2026, 7, 30)).of == 1


def test_with_nothing_to_count_there_is_no_figure_rather_than_a_perfect_one() -> None:
    found = kpi.rft([], 365, Q2.period, LONG_AFTER)

    assert found.value is None
    assert kpi.recall_rate([], Q2.period).note == "Nothing to count."


@given(
    st.lists(
        st.builds(
            repair,
            st.dates(date(2026, 3, 1), date(2026, 7, 31)).map(date.isoformat),
            st.integers(1, 3),
            st.lists(st.dates(date(2026, 8, 1), date(2027, 12, 31)).map(date.isoformat), max_size=2).map(tuple),
        ),
        max_size=30,
    )
)
def test_more_days_never_make_more_repairs_right(repairs: list[Repair]) -> None:
    thirty, ninety, year = (kpi.rft(repairs, days, Q2.period, LONG_AFTER) for days in (30, 90, 365))

    assert thirty.of == ninety.of == year.of
    assert thirty.counted >= ninety.counted >= year.counted


def test_the_recall_rate_counts_repairs_and_not_recalls() -> None:
    repairs = [repair("2026-04-10", recalled=("2026-05-01", "2026-06-01")), repair("2026-04-11"), repair("2026-01-01")]

    found = kpi.recall_rate(repairs, Q2.period)

    assert (found.counted, found.of, found.value) == (1, 2, 0.5)


def test_first_attendances_that_end_permanent() -> None:
    outcomes = [VisitOutcome.PERMANENT, VisitOutcome.MADE_SAFE, VisitOutcome.ABORTED, VisitOutcome.PERMANENT]

    assert kpi.first_visit_permanent(outcomes).value == 0.5


def test_disputes_are_a_share_of_the_recalls() -> None:
    assert kpi.dispute_rate([True, False, False, False]).value == 0.25


def response(band: Band, due: str, done: str | None) -> Response:
    due_at = local(due)
    return Response(band, due_at, due_at.date(), None if done is None else local(done))


def test_in_time_counts_what_was_due_by_band_and_late_open_ones_as_not_met() -> None:
    as_of: datetime = local("2026-07-01T00:00")
    rows = [
        response(Band.P5, "2026-04-10T23:59:59", "2026-04-10T23:59:59"),
        response(Band.P5, "2026-04-10T23:59:59", "2026-04-11T00:00:00"),
        response(Band.P5, "2026-05-10T23:59:59", None),
        response(Band.E, "2026-05-10T04:00", "2026-05-10T03:00"),
        response(Band.E, "2026-03-31T04:00", "2026-05-10T03:00"),
        response(Band.P20, "2026-06-30T23:59:59", None),
    ]

    found = {one.name: (one.counted, one.of) for one in kpi.in_time(rows, Q2.period, as_of, "permanent")}

    assert found == {
        "in_time_permanent_E": (1, 1),
        "in_time_permanent_P5": (1, 3),
        "in_time_permanent_P20": (0, 1),
    }


def test_what_is_not_yet_due_is_left_out() -> None:
    row = response(Band.P5, "2026-06-30T23:59:59", None)

    assert kpi.in_time([row], Q2.period, local("2026-06-15T00:00"), "permanent") == []


def test_what_runs_out_this_very_second_is_not_yet_missed() -> None:
    row = response(Band.P5, "2026-06-30T12:00", None)

    assert kpi.in_time([row], Q2.period, local("2026-06-30T12:00"), "permanent") == []


def test_ages_of_what_was_made_safe_and_not_mended() -> None:
    as_of = date(2026, 7, 31)
    ages = kpi.make_safe_ageing([as_of - timedelta(days=age) for age in range(1, 11)], as_of)

    assert (ages.count, ages.median, ages.p90, ages.oldest) == (10, 5.5, 9, 10)
    assert kpi.make_safe_ageing([], as_of).oldest is None


def test_days_to_repair_run_from_first_knowledge_to_completion() -> None:
    days = kpi.days_to_repair([(date(2026, 7, 1), date(2026, 7, 4)), (date(2026, 7, 1), date(2026, 7, 1))])

    assert (days.count, days.median, days.oldest) == (2, 1.5, 3)


def test_the_backlog_is_counted_by_band_with_its_overdue_share() -> None:
    found = kpi.backlog([(Band.P20, True), (Band.P20, False), (Band.E, False)])

    assert [(one.name, one.of, one.counted) for one in found] == [("backlog_E", 1, 0), ("backlog_P20", 2, 1)]


def test_every_figure_says_what_it_counts() -> None:
    figures: list[Any] = [
        kpi.rft([], 90, Q2.period, LONG_AFTER),
        kpi.recall_rate([], Q2.period),
        kpi.first_visit_permanent([]),
        kpi.dispute_rate([]),
        kpi.make_safe_ageing([], LONG_AFTER),
        kpi.days_to_repair([]),
        *kpi.backlog([(Band.E, True)]),
    ]

    assert all(figure.definition.endswith(".") and len(figure.definition) > 40 for figure in figures)
    assert len({figure.definition for figure in figures}) == len(figures)
