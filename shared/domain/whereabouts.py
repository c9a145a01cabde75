"""A place said back to a person in words: "Fishergate, north side, near 12, Preston"; distances as people say them."""

import re
from collections.abc import Iterable
from dataclasses import replace

from shared.domain.spots import Spot

HERE_M = 3.0
"""Nearer than this is the same place, to whoever looks."""
_NUMBER = re.compile(r"\s*(\d{1,5}[a-zA-Z]?)\s*")


def in_words(spot: Spot, landmark: str = "") -> str:
    """A place as a person would say it. `landmark`: a house number or what is there, as it was typed; may be empty."""
    named = replace(spot, near=landmark.strip() or spot.near).words
    return named if spot.area is None or spot.area in named else f"{named}, {spot.area}"


def address(spot: Spot, landmark: str = "") -> str | None:
    """A place as an address that can be read again (`addresses.read_address`): "12 Fishergate, Preston"."""
    number = _NUMBER.fullmatch(landmark)
    if spot.street and number:
        parts: Iterable[str | None] = (f"{number[1]} {spot.street}", spot.area)
    else:
        parts = (spot.street, landmark.strip(), spot.area)
    return ", ".join(part for part in parts if part) or None


def away(distance_m: float) -> str:
    """A distance as a person would guess it: "about 20 metres away"; never more exact than it is known."""
    if distance_m < HERE_M:
        return "at this very place"
    for below, step in ((30, 5), (100, 10), (1000, 50)):
        if distance_m < below:
            return f"about {max(step, round(distance_m / step) * step)} metres away"
    return f"about {distance_m / 1000:.1f} km away"
