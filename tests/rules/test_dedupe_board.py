"""A batch settled on the board gives what one by one gives, whatever the batches; machines found what they agree on."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.addresses import Address, read_address
from shared.domain.board import Board, averaged, settle
from shared.domain.policy import DuplicateRules
from shared.domain.policy_sections import DetectionRules
from shared.domain.surveys import Detected, Kept, Promoted, Queue, SurveyVerdict, Waiting, settle_survey
from shared.domain.verdicts import New, Same, Sighting, Verdict

RULES = DuplicateRules()
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
ALIKE = {
    "pothole": frozenset({"pothole", "cracking"}),
    "cracking": frozenset({"cracking", "pothole"}),
    "sign": frozenset({"sign"}),
}


def a_board() -> Board:
    return Board(100.0, ALIKE)


def a_sighting(
    x: float, y: float = 0.0, *, survey: str | None = None, kind: str = "pothole", days: float = 0
) -> Sighting:
    at = NOON + timedelta(days=days)
    return Sighting(kind, x, y, 4.0, at, at, "high st", machine=survey is not None, survey_pass=survey)


def settled(board: Board, seen: Sequence[Sighting]) -> list[Verdict]:
    return settle(board, seen, lambda _: RULES, {})


def groups(verdicts: Sequence[Verdict]) -> list[int]:
    """For each sighting the position of the one that founded its defect: its own, when it stands alone."""
    return [-one.defect_id - 1 if isinstance(one, Same) else position for position, one in enumerate(verdicts)]


def test_two_reports_of_one_hole_in_one_batch_are_one_defect() -> None:
    verdicts = settled(a_board(), [a_sighting(0), a_sighting(3), a_sighting(500)])

    assert [type(one) for one in verdicts] == [New, Same, New]
    assert groups(verdicts) == [0, 0, 2]


def test_a_class_of_another_kind_at_the_same_place_is_another_defect() -> None:
    verdicts = settled(a_board(), [a_sighting(0), a_sighting(0, kind="sign"), a_sighting(0, kind="cracking")])

    assert groups(verdicts) == [0, 1, 0]


def test_the_mean_is_weighted_by_accuracy_and_grows_surer() -> None:
    x, y, accuracy = averaged(0.0, 0.0, 1.0, Sighting("pothole", 10.0, 5.0, 3.0, NOON, NOON))

    assert (round(x, 9), round(y, 9)) == (1.0, 0.5)
    assert round(accuracy, 9) == round((1 / (1 + 1 / 9)) ** 0.5, 9)


SPOTS = st.builds(
    a_sighting,
    st.integers(0, 120).map(float),
    st.integers(0, 12).map(float),
    survey=st.sampled_from([None, None, "p1", "p2"]),
    kind=st.sampled_from(["pothole", "cracking", "sign"]),
    days=st.integers(0, 400).map(float),
)


@settings(max_examples=150)
@given(st.lists(SPOTS, max_size=15))
def test_a_batch_gives_what_one_by_one_gives(seen: list[Sighting]) -> None:
    together = settled(a_board(), seen)
    board = a_board()

    alone = [settle(board, [one], lambda _: RULES, {}, first=position)[0] for position, one in enumerate(seen)]

    assert alone == together


# --- surveys ---------------------------------------------------------------------------------------------------------


def a_detection(number: int, x: float, confidence: float, survey: str | None = "p1", **more: bool) -> Detected:
    at = NOON + timedelta(minutes=number)
    seen = Sighting("pothole", x, 0.0, 1.0, at, at, "high st", machine=True, survey_pass=survey)
    return Detected(number, seen, confidence=confidence, **more)


def surveyed(detected: Sequence[Detected]) -> list[SurveyVerdict]:
    queue = Queue(Board(25.0, ALIKE), Board(25.0, ALIKE))
    return settle_survey(Board(25.0, ALIKE), queue, detected, lambda _: RULES, DetectionRules(), {})


def test_a_sure_detection_founds_alone_and_the_next_pass_joins() -> None:
    verdicts = surveyed([a_detection(1, 0, 0.85), a_detection(2, 2, 0.55, "p2")])

    assert [type(one) for one in verdicts] == [Promoted, Same]


def test_less_sure_ones_found_when_a_second_pass_agrees() -> None:
    verdicts = surveyed([a_detection(1, 0, 0.6), a_detection(2, 2, 0.6, "p1"), a_detection(3, 1, 0.6, "p2")])

    assert [type(one) for one in verdicts] == [Waiting, Waiting, Promoted]
    assert isinstance(verdicts[2], Promoted)
    assert verdicts[2].members == (1, 2)
    assert verdicts[2].number == -3


def test_one_pass_alone_never_promotes_however_often_it_saw() -> None:
    verdicts = surveyed([a_detection(number, number * 0.1, 0.7) for number in range(6)])

    assert {type(one) for one in verdicts} == {Waiting}


def test_without_a_pass_the_day_counts_as_one() -> None:
    verdicts = surveyed([a_detection(1, 0, 0.6, None), a_detection(2, 1, 0.6, None), a_detection(2000, 1, 0.6, None)])

    assert [type(one) for one in verdicts] == [Waiting, Waiting, Promoted]


def test_below_the_level_and_condition_classes_are_kept_and_found_nothing() -> None:
    verdicts = surveyed([a_detection(1, 0, 0.49), a_detection(2, 0, 0.99, condition_only=True)])

    assert [type(one) for one in verdicts] == [Kept, Kept]


# --- addresses -------------------------------------------------------------------------------------------------------


def test_an_address_tells_street_and_house_number() -> None:
    for written, street, number in (
        ("3159 S PAULINA ST", "s paulina st", 3159),
        ("12-14 High Street, Preston", "high st", 12),
        ("848-850 Hyde Park Ave", "hyde park ave", 848),
        ("INTERSECTION Dudley St & Dennis St", "dennis st & dudley st", None),
        ("N HILTON ST &N CULVER ST", "n culver st & n hilton st", None),
        ("King's Road", "kings rd", None),
        ("7600 S 39TH ST", "s 39th st", 7600),
        ("39th St", "39th st", None),
        ("", None, None),
        ("BALTIMORE,", "baltimore", None),
    ):
        assert read_address(written) == Address(street, number), written
