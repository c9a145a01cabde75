"""A report beside a defect, in words that a person decides by."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.comparing import Fact, Tells, Where, compare

SEEN = datetime(2026, 11, 24, 14, 5, tzinfo=UTC)
HERE = Where(class_code="pothole", accuracy_m=8, street_key="b77", street="Fishergate", side="left", level=0)


def facts(other: Where = HERE, *, here: Where = HERE, metres: float = 11, **times: datetime) -> dict[str, Fact]:
    opened, last = times.get("opened", SEEN - timedelta(days=9)), times.get("last", SEEN - timedelta(days=3))
    return {fact.what: fact for fact in compare(here, SEEN, other, opened, last, metres)}


def test_what_is_alike_is_said_with_its_names() -> None:
    told = facts()

    assert [(fact.what, fact.words) for fact in told.values()] == [
        ("Distance", "11 m apart, ± 16 m"),
        ("Street", "Same street: Fishergate"),
        ("Side", "Same side"),
        ("Class", "Same class: pothole"),
        ("Time", "Seen 3 days after this was last seen"),
    ]


def test_farther_than_both_positions_may_be_out_speaks_against_it() -> None:
    assert [facts(metres=metres)["Distance"].tells for metres in (16, 17)] == [Tells.FOR, Tells.AGAINST]


def test_another_street_is_named_and_its_sides_are_not_compared() -> None:
    told = facts(replace(HERE, street_key="b78", street="Church Street", side="right"))

    assert told["Street"] == Fact("Street", "Another street: Fishergate, and Church Street", Tells.AGAINST)
    assert told["Side"].tells is Tells.NEITHER


def test_what_is_not_known_speaks_for_nothing() -> None:
    told = facts(replace(HERE, street_key=None, street=None, side=None))

    assert (told["Street"].tells, told["Side"].tells) == (Tells.NEITHER, Tells.NEITHER)


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (replace(HERE, side="right"), "Side"),
        (replace(HERE, level=1), "Side"),
        (replace(HERE, class_code="edge_damage"), "Class"),
    ],
)
def test_other_side_other_level_other_class_speak_against_it(other: Where, what: str) -> None:
    assert facts(other)[what].tells is Tells.AGAINST


@pytest.mark.parametrize(
    ("last", "words"),
    [
        (SEEN - timedelta(minutes=1), "Seen 1 minute after this was last seen"),
        (SEEN - timedelta(minutes=119), "Seen 119 minutes after this was last seen"),
        (SEEN - timedelta(hours=47), "Seen 47 hours after this was last seen"),
        (SEEN - timedelta(hours=48), "Seen 2 days after this was last seen"),
        (SEEN + timedelta(days=1), "This was seen before and after"),
    ],
)
def test_time_is_told_in_the_unit_that_fits(last: datetime, words: str) -> None:
    assert facts(last=last)["Time"].words == words


def test_a_report_from_before_the_defect_was_known_is_said_to_be() -> None:
    told = facts(opened=SEEN + timedelta(hours=5), last=SEEN + timedelta(days=1))

    assert told["Time"].words == "Seen 5 hours before this was known"
