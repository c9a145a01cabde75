"""What a resident is told: in plain words, in order, once, and never "mended" for what is only made safe."""

from datetime import UTC, datetime, timedelta

from shared.domain.terms import DefectState, ReportState
from shared.domain.timeline import Link, Step, of_defect, of_report

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)


def _at(hours: int) -> datetime:
    return NINE + timedelta(hours=hours)


def test_made_safe_is_not_told_as_mended() -> None:
    steps = [
        Step(_at(0), DefectState.CONFIRMED),
        Step(_at(1), DefectState.ORDERED),
        Step(_at(2), DefectState.MADE_SAFE),
    ]

    told = of_defect(steps)

    assert told[-1].label == "In progress"
    assert "still to come" in told[-1].words
    assert "Fixed" not in {moment.label for moment in told}


def test_what_a_defect_went_through_before_a_report_is_one_line_at_the_link() -> None:
    own = [Step(_at(5), ReportState.RECEIVED), Step(_at(6), ReportState.LINKED)]
    steps = [
        Step(_at(0), DefectState.CANDIDATE),
        Step(_at(1), DefectState.CONFIRMED),
        Step(_at(2), DefectState.ORDERED),
        Step(_at(9), DefectState.VERIFIED),
    ]

    told = of_report(own, [Link(_at(6), steps)])

    assert [(moment.at, moment.label) for moment in told] == [
        (_at(5), "Open"),
        (_at(6), "Action scheduled"),
        (_at(9), "Fixed"),
    ]


def test_two_holes_of_one_report_are_told_in_the_order_of_time() -> None:
    own = [Step(_at(0), ReportState.RECEIVED), Step(_at(1), ReportState.LINKED)]
    small = Link(_at(1), [Step(_at(1), DefectState.CANDIDATE), Step(_at(3), DefectState.VERIFIED)])
    large = Link(_at(1), [Step(_at(1), DefectState.CANDIDATE), Step(_at(2), DefectState.ORDERED)])

    told = of_report(own, [small, large])

    assert [moment.at for moment in told] == sorted(moment.at for moment in told)
    assert [moment.label for moment in told] == ["Open", "Investigating", "Action scheduled", "Fixed"]


def test_the_same_words_are_not_told_twice_running() -> None:
    told = of_defect([Step(_at(0), DefectState.VERIFIED), Step(_at(0), DefectState.IN_WARRANTY)])

    assert [moment.label for moment in told] == ["Fixed"]
