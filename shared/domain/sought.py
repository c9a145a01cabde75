"""What somebody who looks for a place may mean by what was typed: a postcode, a part of one, a position, a name."""

import re
from dataclasses import dataclass
from difflib import get_close_matches

MOST_LETTERS = 100
_POSTCODE = re.compile(r"([A-Z]{1,2}[0-9][A-Z0-9]?)([0-9][A-Z]{2})")
_PART = re.compile(r"([A-Z]{1,2}[0-9][A-Z0-9]?)(?: ?([0-9][A-Z]?))?")
_POSITION = re.compile(r"(-?\d{1,3}(?:\.\d+)?)\s*[,; ]\s*(-?\d{1,3}(?:\.\d+)?)")
_NUMBER = re.compile(r"^(?:flat\s+\w+,?\s+)?\d+[a-z]?(?:\s*[-–]\s*\d+[a-z]?)?,?\s+(?!(?:st|nd|rd|th)\b)(?=\D)")
_SHORT = {
    "st": "street",
    "str": "street",
    "rd": "road",
    "ave": "avenue",
    "av": "avenue",
    "ln": "lane",
    "dr": "drive",
    "cl": "close",
    "cres": "crescent",
    "ct": "court",
    "gr": "grove",
    "gdns": "gardens",
    "pl": "place",
    "sq": "square",
    "ter": "terrace",
    "terr": "terrace",
}
KINDS_OF_STREET = frozenset(_SHORT.values()) | {"way", "hill", "row", "walk", "mews", "park", "view", "bank", "brow"}
"""Words that half of all streets have: they tell hardly one from another."""


@dataclass(frozen=True, slots=True)
class Sought:
    """The ways in which it can be meant; "" and None where it cannot.

    `postcode` is whole and without its space, `part` the beginning of one: its outward half, and of the inward half
    what was typed. `position` is latitude and longitude. `name` is in lower case, without a house number, its last
    word spelt out; `names` are further readings of it as a street and the place that it is in: ("high street",
    "chorley").
    """

    postcode: str = ""
    part: tuple[str, str] | None = None
    position: tuple[float, float] | None = None
    name: str = ""
    names: tuple[tuple[str, str], ...] = ()

    @property
    def respelt(self) -> str:
        """The name with its last word taken for the kind of street that it is nearly: "brigde raod", "brigde road"."""
        before, space, last = self.name.rpartition(" ")
        near = get_close_matches(last, KINDS_OF_STREET, 1, 0.7) if before else []
        return f"{before}{space}{near[0]}" if near else self.name

    @property
    def core(self) -> str:
        """What of the name tells it from others; all of it where it is nothing but words that streets have."""
        words = [word for word in self.respelt.replace(",", " ").split() if word not in KINDS_OF_STREET]
        return " ".join(words) or self.name


def read(typed: str) -> Sought:
    """What may be meant. Everything is possible at once: "A59" is a road, and may be the beginning of a postcode."""
    written = " ".join(typed[:MOST_LETTERS].split())
    upper = written.upper()
    whole = _POSTCODE.fullmatch(upper.replace(" ", ""))
    part = None if whole else _PART.fullmatch(upper)
    name = _plain(written)
    return Sought(
        postcode=whole[0] if whole else "",
        part=(part[1], part[2] or "") if part else None,
        position=_position(written),
        name="" if whole else _spelt_out(name),
        names=() if whole else tuple(_apart(name)),
    )


def _position(written: str) -> tuple[float, float] | None:
    found = _POSITION.fullmatch(written)
    if found is None:
        return None
    lat, lon = float(found[1]), float(found[2])
    return (lat, lon) if abs(lat) <= 90 and abs(lon) <= 180 else None


def _plain(written: str) -> str:
    """Lower case, one apostrophe for all, without the house number and what a pattern of SQL would read."""
    lower = written.lower().replace("’", "'").replace("\\", "").replace("%", "").replace("_", " ")
    return _NUMBER.sub("", " ".join(lower.split())).strip(" ,.")


def _apart(name: str) -> list[tuple[str, str]]:
    """Street and place: by the comma, or else after each word."""
    street, comma, place = (one.strip() for one in name.partition(","))
    if comma:
        return [(_spelt_out(street), place.partition(",")[0].strip())] if street and place else []
    words = name.split()
    cuts = range(len(words) - 1, max(0, len(words) - 4), -1)
    return [(_spelt_out(" ".join(words[:cut])), " ".join(words[cut:])) for cut in cuts]


def _spelt_out(name: str) -> str:
    """ "Fishergate rd" as "fishergate road". A name of one word stays: "st" may be the beginning of many."""
    before, space, last = name.rpartition(" ")
    last = last.rstrip(".")
    return f"{before}{space}{_SHORT.get(last, last)}" if before else name
