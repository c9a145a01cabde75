"""What a resident is told: in plain words, in order, once, and never "mended" for what is only made safe."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.promises import Attempt, Clock, Promise, Questioned, Slip, Upheld
from shared.domain.public import public_status
from shared.domain.terms import AbortReason, DefectState, ReportState
from shared.domain.timeline import Link, Moment, Step, of_defect, of_duplicate, of_report

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


# --- dates -----------------------------------------------------------------------------------------------------------


def _dated(told: list[Moment]) -> list[tuple[str, datetime | None, bool | None]]:
    return [(one.label, one.promised, one.kept) for one in told if one.promised]


def test_a_date_that_was_kept_is_told_as_kept() -> None:
    steps = [
        Step(_at(0), DefectState.CONFIRMED),
        Step(_at(5), DefectState.REPAIR_CLAIMED, done_at=_at(4)),
        Step(_at(9), DefectState.VERIFIED),
    ]

    told = of_defect(steps, [Promise(_at(0), Clock.PERMANENT, _at(4))])

    assert _dated(told) == [("Date promised", _at(4), True)]


def test_a_repair_is_dated_by_its_completion_and_not_by_its_check() -> None:
    late = [
        Step(_at(0), DefectState.CONFIRMED),
        Step(_at(5), DefectState.REPAIR_CLAIMED, done_at=_at(5)),
        Step(_at(9), DefectState.VERIFIED),
    ]

    told = of_defect(late, [Promise(_at(0), Clock.PERMANENT, _at(4))])

    assert _dated(told) == [("Date promised", _at(4), False)]


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (DefectState.CONFIRMED, "No crew had been given the work."),
        (DefectState.ORDERED, "A crew had been given the work"),
        (DefectState.MADE_SAFE, "It was safe by then"),
        (DefectState.REPAIR_REJECTED, "did not pass our check"),
    ],
)
def test_every_slip_is_told_with_where_the_work_stood(state: DefectState, says: str) -> None:
    steps = [Step(_at(0), DefectState.CONFIRMED), Step(_at(1), state)]

    told = of_defect(steps, [Promise(_at(0), Clock.PERMANENT, _at(4)), Slip(_at(5), Clock.PERMANENT, _at(4))])

    assert _dated(told) == [("Date promised", _at(4), False), ("Date missed", _at(4), False)]
    assert says in told[-1].words


@pytest.mark.parametrize("reason", list(AbortReason))
def test_what_kept_a_crew_from_the_work_is_the_reason_of_the_slip(reason: AbortReason) -> None:
    steps = [Step(_at(0), DefectState.CONFIRMED), Step(_at(1), DefectState.ORDERED)]
    facts = [
        Promise(_at(0), Clock.PERMANENT, _at(4)),
        Attempt(_at(3), reason),
        Slip(_at(5), Clock.PERMANENT, _at(4)),
    ]

    tried, slipped = of_defect(steps, facts)[-2:]

    assert tried.label == "Work not done"
    assert tried.words in slipped.words


def test_an_obstacle_of_one_repair_is_not_the_reason_of_the_next_ones_slip() -> None:
    steps = [
        Step(_at(0), DefectState.ORDERED),
        Step(_at(3), DefectState.VERIFIED),
        Step(_at(5), DefectState.RECALLED),
    ]
    facts = [
        Attempt(_at(1), AbortReason.WEATHER),
        Promise(_at(5), Clock.PERMANENT, _at(7)),
        Slip(_at(8), Clock.PERMANENT, _at(7)),
    ]

    told = of_defect(steps, facts)

    assert told[-1].words == "We had not mended it by the date that we promised. No crew had been given the work."


def test_a_phone_that_told_late_takes_the_slip_back() -> None:
    steps = [Step(_at(0), DefectState.ORDERED), Step(_at(8), DefectState.MADE_SAFE, done_at=_at(3))]
    facts = [Promise(_at(0), Clock.MAKE_SAFE, _at(4)), Slip(_at(5), Clock.MAKE_SAFE, _at(4))]

    told = of_defect(steps, facts)

    assert _dated(told) == [("Date promised", _at(4), True), ("Date kept", _at(4), True)]


def test_made_safe_keeps_its_own_date_and_not_the_repairs() -> None:
    steps = [Step(_at(0), DefectState.CONFIRMED), Step(_at(2), DefectState.MADE_SAFE)]
    facts = [Promise(_at(0), Clock.MAKE_SAFE, _at(4)), Promise(_at(0), Clock.PERMANENT, _at(40))]

    assert _dated(of_defect(steps, facts)) == [("Date promised", _at(4), True), ("Date promised", _at(40), None)]


@pytest.mark.parametrize(("to", "says"), [(60, "less urgent"), (20, "more urgent")])
def test_a_date_that_moved_names_the_one_before_and_why(to: int, says: str) -> None:
    steps = [Step(_at(0), DefectState.CONFIRMED)]

    first, second = of_defect(
        steps, [Promise(_at(0), Clock.PERMANENT, _at(40)), Promise(_at(3), Clock.PERMANENT, _at(to))]
    )[1:]

    assert (first.kept, second.label, second.was, second.promised) == (None, "Date moved", _at(40), _at(to))
    assert says in second.words


def test_a_holiday_announced_late_is_told_as_the_reason() -> None:
    moved = Promise(_at(3), Clock.PERMANENT, _at(60), holidays=True)

    told = of_defect([Step(_at(0), DefectState.CONFIRMED)], [Promise(_at(0), Clock.PERMANENT, _at(40)), moved])

    assert "public holidays" in told[-1].words


def test_a_date_that_is_said_again_is_told_once() -> None:
    facts = [Promise(_at(hour), Clock.PERMANENT, _at(40)) for hour in range(5)]

    assert len(_dated(of_defect([Step(_at(0), DefectState.CONFIRMED)], facts))) == 1


def test_what_is_watched_has_a_date_for_the_next_look_and_each_look_keeps_its_own() -> None:
    steps = [Step(_at(0), DefectState.CANDIDATE), Step(_at(2), DefectState.MONITOR)]
    looks = [Promise(_at(hour), Clock.INSPECT, _at(due)) for hour, due in ((0, 3), (2, 50), (40, 90))]

    told = of_defect(steps, looks)

    assert _dated(told) == [
        ("Date promised", _at(3), True),
        ("Date promised", _at(50), True),
        ("Date promised", _at(90), None),
    ]
    assert told[-1].words == "We will look at it again by this date."


def test_a_report_that_joins_later_is_told_the_date_that_holds_then() -> None:
    own = [Step(_at(6), ReportState.RECEIVED), Step(_at(6), ReportState.LINKED)]
    steps = [Step(_at(0), DefectState.CONFIRMED), Step(_at(1), DefectState.ORDERED)]
    facts = [
        Promise(_at(0), Clock.PERMANENT, _at(40)),
        Promise(_at(3), Clock.PERMANENT, _at(30)),
        Slip(_at(31), Clock.PERMANENT, _at(30)),
    ]

    told = of_report(own, [Link(_at(6), steps, facts)])

    assert [(one.at, one.label) for one in told] == [
        (_at(6), "Open"),
        (_at(6), "Action scheduled"),
        (_at(6), "Date promised"),
        (_at(31), "Date missed"),
    ]
    assert told[2].promised == _at(30)


def test_a_report_of_a_duplicate_has_the_news_of_both() -> None:
    own = [Step(_at(0), ReportState.RECEIVED), Step(_at(0), ReportState.LINKED)]
    duplicate = [Step(_at(0), DefectState.CANDIDATE), Step(_at(5), DefectState.DUPLICATE)]
    slip = [Promise(_at(0), Clock.INSPECT, _at(2)), Slip(_at(3), Clock.INSPECT, _at(2))]
    original = [
        Step(_at(0), DefectState.ORDERED),
        Step(_at(4), DefectState.MADE_SAFE),
        Step(_at(9), DefectState.VERIFIED),
    ]

    told = of_report(own, [Link(_at(0), duplicate, slip, until=_at(5)), Link(_at(5), original)])

    assert [one.label for one in told] == [
        "Open",
        "Investigating",
        "Date promised",
        "Date missed",
        "Duplicate",
        "In progress",
        "Fixed",
    ]


def test_a_duplicates_own_page_goes_on_with_its_originals_news() -> None:
    own = [Step(_at(0), DefectState.CONFIRMED), Step(_at(5), DefectState.DUPLICATE)]
    original = Link(_at(5), [Step(_at(0), DefectState.ORDERED), Step(_at(9), DefectState.VERIFIED)])

    told = of_duplicate(own, [], original)

    assert [one.label for one in told] == ["Investigating", "Duplicate", "Action scheduled", "Fixed"]


def test_an_unread_report_has_its_date_and_its_slip() -> None:
    own = [Step(_at(0), ReportState.RECEIVED), Step(_at(9), ReportState.LINKED)]
    facts = [Promise(_at(0), Clock.TRIAGE, _at(4)), Slip(_at(5), Clock.TRIAGE, _at(4))]

    told = of_report(own, [], facts)

    assert _dated(told) == [("Date promised", _at(4), False), ("Date missed", _at(4), False)]
    assert told[-1].words.startswith("Nobody had read it")


@pytest.mark.parametrize("state", [*DefectState, *ReportState])
def test_no_state_is_told_as_a_bare_closed(state: DefectState | ReportState) -> None:
    status = public_status(state)

    assert "closed" not in f"{status.label} {status.words}".lower()
    assert status.words.endswith(".")


def test_a_question_about_a_repair_and_its_answer_are_told() -> None:
    told = of_defect([Step(_at(0), DefectState.VERIFIED)], [Questioned(_at(1)), Upheld(_at(2))])

    assert [one.label for one in told] == ["Fixed", "Being looked at again", "Repair holds"]
