"""The order of the questions, the words that a place is said back in, and what is worth asking about nearby."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.addresses import read_address
from shared.domain.drafts import Answers, Place, Step, may_show, next_step
from shared.domain.nearby import REPAIRED_LATELY, Near, reach_m, shown, where_in_words
from shared.domain.policy import DuplicateRules
from shared.domain.sizes import SIZES, with_size
from shared.domain.spots import Spot
from shared.domain.terms import DefectState
from shared.domain.whereabouts import address, away, in_words

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
HERE = Place(lat=53.76, lon=-2.70, accuracy_m=8, words="Fishergate, Preston", address="Fishergate, Preston")
ELSEWHERE = replace(HERE, whose="Blackpool Borough Council", why="It is theirs.", contact="01253 477477")
DONE = Answers(danger=False, place=HERE, looked=True, class_code="pothole", photos_asked=True)


# --- the order of the questions --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "step"),
    [
        (Answers(), Step.START),
        (Answers(danger=True), Step.WHERE),
        (Answers(danger=False, place=HERE), Step.NEARBY),
        (Answers(danger=False, place=HERE, looked=True), Step.WHAT),
        (Answers(danger=False, place=HERE, looked=True, class_code="pothole"), Step.PHOTOS),
        (DONE, Step.CHECK),
        (Answers(danger=False, place=ELSEWHERE), Step.ELSEWHERE),
        (Answers(danger=False, place=ELSEWHERE, carry_on=True), Step.NEARBY),
        (Answers(danger=False, place=HERE, same_as="D-7K3M-9QXF"), Step.SAME),
    ],
)
def test_the_next_question_is_the_first_that_is_open(answers: Answers, step: Step) -> None:
    assert next_step(answers) is step


def test_a_place_that_came_with_the_link_does_not_spare_the_question_of_danger() -> None:
    assert next_step(Answers(place=HERE)) is Step.START


@pytest.mark.parametrize("step", [Step.WHAT, Step.PHOTOS, Step.CHECK, Step.SAME])
def test_a_page_is_not_shown_before_what_it_builds_on_is_answered(step: Step) -> None:
    assert not may_show(Answers(danger=False, place=HERE), step)


def test_every_page_of_a_report_can_be_gone_back_to_from_the_last() -> None:
    back = [step for step in Step if may_show(DONE, step)]

    assert back == [step for step in Step if step is not Step.SAME]


def test_a_passer_by_is_not_asked_what_it_is() -> None:
    passing = Answers(danger=False, place=HERE, same_as="D-7K3M-9QXF")

    assert may_show(passing, Step.SAME)
    assert may_show(passing, Step.NEARBY)
    assert not may_show(passing, Step.WHAT)


def test_answers_survive_being_kept() -> None:
    assert Answers.read(DONE.as_json()) == DONE
    assert Answers.read({"danger": True, "of_a_later_version": 1}) == Answers(danger=True)


# --- places in words -------------------------------------------------------------------------------------------------


def test_a_place_is_said_back_with_its_side_and_what_is_there() -> None:
    spot = Spot("Fishergate", "north", "Church Street", "Preston")

    assert in_words(spot) == "Fishergate, north side, near Church Street, Preston"
    assert in_words(spot, " 12 ") == "Fishergate, north side, near 12, Preston"
    assert in_words(Spot(None, area="Preston")) == "Away from every street on our map, in Preston"


def test_a_house_number_is_found_again_in_the_address() -> None:
    written = address(Spot("Fishergate", area="Preston"), " 12a ")

    assert written == "12a Fishergate, Preston"
    assert read_address(written).house_number == 12
    assert address(Spot("Fishergate", area="Preston"), "the bakery") == "Fishergate, the bakery, Preston"
    assert address(Spot(None)) is None


@pytest.mark.parametrize(
    ("metres", "words"),
    [
        (0.4, "at this very place"),
        (3.4, "about 5 metres away"),
        (18, "about 20 metres away"),
        (44, "about 40 metres away"),
        (99.9, "about 100 metres away"),
        (130, "about 150 metres away"),
        (1440, "about 1.4 km away"),
    ],
)
def test_a_distance_is_told_as_a_person_would_guess_it(metres: float, words: str) -> None:
    assert away(metres) == words


@given(st.floats(3, 900))
def test_no_told_distance_is_far_from_the_true_one(metres: float) -> None:
    told = int(away(metres).split()[1])

    assert abs(told - metres) <= max(2.5, metres / 4)


# --- is it one of these? ---------------------------------------------------------------------------------------------


def near(distance: float, state: DefectState = DefectState.CONFIRMED, **more: object) -> Near:
    known = {
        "reference": f"D-{distance}-{state}",
        "class_code": "pothole",
        "state": state,
        "distance_m": distance,
        "street_key": "fishergate",
        "street": "Fishergate",
        "known_at": NOW - timedelta(days=3),
        "repaired_at": None,
    }
    return Near(**{**known, **more})  # type: ignore[arg-type]


def test_five_at_most_are_shown_and_the_nearest_first() -> None:
    many = [near(metres) for metres in (40.0, 5.0, 30.0, 20.0, 10.0, 25.0)]

    assert [one.distance_m for one in shown(many, NOW)] == [5.0, 10.0, 20.0, 25.0, 30.0]


def test_an_old_repair_is_not_asked_about_and_one_under_warranty_always_is() -> None:
    lately, long_ago = NOW - REPAIRED_LATELY, NOW - REPAIRED_LATELY - timedelta(seconds=1)
    promised = near(1, DefectState.IN_WARRANTY, repaired_at=long_ago)
    recent = near(2, DefectState.CLOSED, repaired_at=lately)
    old = near(3, DefectState.CLOSED, repaired_at=long_ago)
    nothing_there = near(4, DefectState.NO_DEFECT)

    assert shown([promised, recent, old, nothing_there], NOW) == [promised, recent]


def test_a_vague_place_looks_as_far_as_it_is_vague() -> None:
    rules = DuplicateRules()

    assert reach_m(5, rules, rural=False) == rules.suggest_m
    assert reach_m(5, rules, rural=True) == rules.suggest_rural_m
    assert reach_m(180, rules, rural=False) == 180


def test_the_same_street_is_not_named_again() -> None:
    assert where_in_words(near(20), "fishergate") == "about 20 metres away, on the same street"
    assert where_in_words(near(20), "lune-street") == "about 20 metres away, on Fishergate"
    assert where_in_words(near(20, street=None), None) == "about 20 metres away"
    assert where_in_words(near(1), "fishergate") == "at this very place"


def test_a_size_goes_before_the_words() -> None:
    assert with_size("mug", "By the kerb.") == "About as wide as a mug (8 cm). By the kerb."
    assert with_size("mug", "") == "About as wide as a mug (8 cm)."
    assert with_size(None, "By the kerb.") == "By the kerb."
    assert list(SIZES) == ["golf_ball", "mug", "dinner_plate", "larger"]
