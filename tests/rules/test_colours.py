"""What WCAG 2.2 says of colours, and the nearest colour that it allows."""

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.colours import BLACK, LEGIBLE, WHITE, contrast, is_colour, legible_on, mixed

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def test_the_contrasts_are_those_that_the_standard_names() -> None:
    assert round(contrast(BLACK, WHITE), 2) == 21.0
    assert contrast("#123456", "#123456") == 1.0
    # The lightest grey that may be text on white, and the next one, which may not.
    assert contrast("#767676", WHITE) >= LEGIBLE > contrast("#777777", WHITE)


def test_only_six_digits_in_lower_case_are_a_colour() -> None:
    assert is_colour("#1d4a3f")
    assert not any(is_colour(text) for text in ("#1D4A3F", "#fff", "1d4a3f", "green", "#1d4a3f;", ""))


@given(COLOURS, COLOURS)
def test_contrast_is_the_same_both_ways_and_never_out_of_range(one: str, other: str) -> None:
    assert contrast(one, other) == contrast(other, one)
    assert 1 <= contrast(one, other) <= 21.0001


@given(COLOURS, COLOURS)
def test_the_nearest_legible_colour_is_legible_and_is_the_colour_itself_where_that_is(ground: str, colour: str) -> None:
    found = legible_on(ground, colour)

    assert contrast(found, ground) >= LEGIBLE
    assert found == colour or contrast(colour, ground) < LEGIBLE


def test_a_colour_is_mixed_by_shares() -> None:
    assert mixed("#000000", "#ffffff", 0.5) == "#808080"
    assert mixed("#102030", "#ffffff", 0) == "#102030"
    assert mixed("#102030", "#405060", 1) == "#405060"
