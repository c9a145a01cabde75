"""A spot in the words that a resident reads back."""

import pytest

from shared.domain.spots import Spot, side_of


@pytest.mark.parametrize(
    ("bearing", "side"),
    [(0, "north"), (359, "north"), (22, "north"), (23, "north-east"), (180, "south"), (-90, "west")],
)
def test_a_side_is_named_by_the_compass(bearing: float, side: str) -> None:
    assert side_of(bearing) == side


@pytest.mark.parametrize(
    ("spot", "words"),
    [
        (Spot("Fishergate", "north", "Church Street", "Preston"), "Fishergate, north side, near Church Street"),
        (Spot("Fishergate"), "Fishergate"),
        (Spot("", "east", None, "Preston", "Ashton"), "A road without a name, east side, Ashton"),
        (Spot(None, None, "Fishergate", "Preston"), "Away from every street on our map, in Preston, near Fishergate"),
        (Spot(None), "Away from every street on our map"),
    ],
)
def test_a_spot_is_told_in_one_line(spot: Spot, words: str) -> None:
    assert spot.words == words
