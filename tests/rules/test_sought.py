"""What was typed, as all that it can mean: postcodes, parts of them, positions, streets with their place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain import sought


@pytest.mark.parametrize("typed", ["PR1 2NL", "pr12nl", " pr1  2nl "])
def test_a_postcode_is_one_however_it_is_typed(typed: str) -> None:
    meant = sought.read(typed)

    assert (meant.postcode, meant.name) == ("PR12NL", "")


@pytest.mark.parametrize(
    ("typed", "part"),
    [("pr1", ("PR1", "")), ("PR1 8", ("PR1", "8")), ("PR1 8x", ("PR1", "8X")), ("LA14", ("LA14", "")), ("pr", None)],
)
def test_the_beginning_of_a_postcode_is_its_outward_half_and_some_of_the_other(
    typed: str, part: tuple[str, str] | None
) -> None:
    assert sought.read(typed).part == part


def test_the_number_of_a_road_may_be_a_postcode_and_stays_a_name() -> None:
    meant = sought.read("A59")

    assert (meant.name, meant.part) == ("a59", ("A59", ""))


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("12 Fishergate", "fishergate"),
        ("12-14b High St.", "high street"),
        ("Flat 3, 12a Church rd", "church road"),
        ("1st Avenue", "1st avenue"),
        ("St", "st"),
        ("St Anne’s Rd", "st anne's road"),
    ],
)
def test_a_street_is_read_without_its_number_and_spelt_out(typed: str, name: str) -> None:
    assert sought.read(typed).name == name


def test_a_street_and_its_place_are_told_apart_by_the_comma_or_word_by_word() -> None:
    assert sought.read("High St, Chorley, Lancs").names == (("high street", "chorley"),)
    assert sought.read("high street st annes").names == (
        ("high street street", "annes"),
        ("high street", "st annes"),
        ("high", "street st annes"),
    )


def test_a_position_is_latitude_and_longitude() -> None:
    assert sought.read("53.7632, -2.7031").position == (53.7632, -2.7031)
    assert sought.read("153.7, -2.7").position is None
    assert sought.read("53.7632").position is None


def test_what_half_of_all_streets_have_is_not_their_core() -> None:
    assert sought.read("Brigde Raod").core == "brigde"
    assert sought.read("Gret Pultney Street").core == "gret pultney"
    assert sought.read("park road").core == "park road"


@given(st.text(max_size=200))
def test_whatever_is_typed_can_be_read_and_holds_no_pattern(typed: str) -> None:
    meant = sought.read(typed)

    assert not {"%", "_", "\\"} & set(meant.name + "".join(street + place for street, place in meant.names))
